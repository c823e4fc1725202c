// Convolutions, pooling, resizing and batch normalisation as nodes. The engine pools and resizes planes (N C, H, W); where these are
// images (N, C, H, W) under another shape, the node works on the images.
import {
  type AdaptivePoolParams,
  type BatchNormParams,
  type Conv2dParams,
  type PoolParams,
  type PyramidPoolParams,
  PyramidRule,
  ResizeMode,
  type ResizeParams,
} from '../../../../kernels/index.ts';
import { pyramidKernel } from '../../../../kernels/pooling/pyramid-pool.ts';
import { sameShape, type Shape, windowOutput } from '../../../shape.ts';
import type { Call, Translate } from './call.ts';

type Geometry = Omit<Conv2dParams, 'bias'>;

const pads = (p: { padH: number; padW: number }) => [p.padH, p.padW, p.padH, p.padW];
const geometryOf = (p: Geometry) => ({
  dilations: [p.dilationH, p.dilationW],
  group: p.groups,
  kernel_shape: [p.kernelH, p.kernelW],
  pads: pads(p),
  strides: [p.strideH, p.strideW],
});
const operands = (c: Call) => [c.in(0), c.in(1), ...(c.has(2) ? [c.in(2)] : [])];

function convTranspose(c: Call): void {
  const p = c.attrs<Geometry>();
  // The geometry is that of the convolution that it turns around: "in" is this operation's output.
  const extra = (size: number, out: number, stride: number, pad: number, dilation: number, kernel: number): number =>
    size - ((out - 1) * stride - 2 * pad + dilation * (kernel - 1) + 1);
  const output_padding = [
    extra(p.inH, p.outH, p.strideH, p.padH, p.dilationH, p.kernelH),
    extra(p.inW, p.outW, p.strideW, p.padW, p.dilationW, p.kernelW),
  ];
  c.out(c.node('ConvTranspose', operands(c), { ...geometryOf(p), output_padding }));
}

/** Planes (P, H, W) as images, and the axes before H and W that they have. */
function imagesOf(c: Call): { x: string; lead: Shape } {
  const [planes, height, width] = c.shape() as [number, number, number];
  const { shape } = c.base();
  const isImage = shape.length === 4 && shape[2] === height && shape[3] === width;
  const lead = isImage ? shape.slice(0, 2) : [1, planes];
  return { x: c.in(0, [...lead, height, width]), lead };
}

/** An output of planes that a node gives as images. */
const giveImages = (c: Call, name: string, lead: Shape, output = 0): void =>
  c.out(name, { output, shape: [...lead, ...c.outShape(output).slice(1)] });

/** Padding after an axis under which as many windows fit as the engine counts: more than before it where it rounded up. */
function paddingAfter(
  size: number,
  out: number,
  kernel: number,
  stride: number,
  pad: number,
  dilation: number,
): number {
  if (windowOutput(size, kernel, stride, pad, dilation) === out) return pad;
  return (out - 1) * stride + dilation * (kernel - 1) + 1 - size - pad;
}

function windowsOf(p: PoolParams) {
  const after = [
    paddingAfter(p.inH, p.outH, p.kernelH, p.strideH, p.padH, p.dilationH),
    paddingAfter(p.inW, p.outW, p.kernelW, p.strideW, p.padW, p.dilationW),
  ];
  const attributes = { kernel_shape: [p.kernelH, p.kernelW], strides: [p.strideH, p.strideW] };
  return { attributes, after, isUneven: after[0] !== p.padH || after[1] !== p.padW };
}

/** Indices count within all of x in ONNX, within the plane here. */
function planeIndices(c: Call, indices: string, { inH, inW }: AdaptivePoolParams, lead: Shape): void {
  giveImages(c, c.cast(c.node('Mod', [indices, c.long(inH * inW)]), 'int32'), lead, 1);
}

function maxPool(c: Call): void {
  const p = c.attrs<PoolParams>();
  const { x, lead } = imagesOf(c);
  const { attributes, after } = windowsOf(p);
  const all = { ...attributes, pads: [p.padH, p.padW, ...after], dilations: [p.dilationH, p.dilationW] };
  const [y, indices] = c.nodes('MaxPool', [x], c.isUsed(1) ? 2 : 1, all);
  giveImages(c, y!, lead);
  if (indices !== undefined) planeIndices(c, indices, p, lead);
}

function averagePool(c: Call): void {
  const p = c.attrs<PoolParams>();
  const { x, lead } = imagesOf(c);
  const { attributes, after, isUneven } = windowsOf(p);
  const all = { ...attributes, pads: [p.padH, p.padW, ...after], count_include_pad: p.countPadding };
  if (!isUneven || !p.countPadding) return giveImages(c, c.node('AveragePool', [x], all), lead);
  // The padding on both sides counts, and what lies behind it to fill the last window does not.
  const zeros = c.longs([0, 0, p.padH, p.padW, 0, 0, p.padH, p.padW]);
  const padded = c.node('Pad', [x, zeros, c.floats(0)], { mode: 'constant' });
  const beyond = [0, 0, after[0]! - p.padH, after[1]! - p.padW];
  giveImages(c, c.node('AveragePool', [padded], { ...attributes, pads: beyond, count_include_pad: 0 }), lead);
}

type Span = readonly [from: number, to: number];

const adaptiveSpans = (size: number, count: number): Span[] =>
  Array.from({ length: count }, (_, i) => [Math.floor((i * size) / count), Math.ceil(((i + 1) * size) / count)]);

/** The mean over spans of both axes: a pooling window where all are alike and side by side, else a product with their weights. */
function averageOver(c: Call, x: string, [rows, columns]: [Span[], Span[]], [height, width]: [number, number]): string {
  if (rows.length === 1 && columns.length === 1 && rows[0]![1] === height && columns[0]![1] === width) {
    return c.node('GlobalAveragePool', [x]);
  }
  const sizes = [rows, columns].map((spans) => {
    const size = spans[0]![1];
    return spans.every(([from, to], i) => from === i * size && to === from + size) ? size : undefined;
  });
  if (sizes[0] !== undefined && sizes[1] !== undefined) {
    return c.node('AveragePool', [x], { kernel_shape: sizes as number[], strides: sizes as number[] });
  }
  const weights = (spans: Span[], size: number): Float32Array => {
    const table = new Float32Array(spans.length * size);
    spans.forEach(([from, to], i) => table.fill(1 / (to - from), i * size + from, i * size + to));
    return table;
  };
  const down = c.node('MatMul', [c.floats(weights(rows, height), [rows.length, height]), x]);
  const turned = c.node('Transpose', [c.floats(weights(columns, width), [columns.length, width])], { perm: [1, 0] });
  return c.node('MatMul', [down, turned]);
}

function adaptiveAverage(c: Call): void {
  const { inH, inW, outH, outW } = c.attrs<AdaptivePoolParams>();
  const { x, lead } = imagesOf(c);
  const spans: [Span[], Span[]] = [adaptiveSpans(inH, outH), adaptiveSpans(inW, outW)];
  giveImages(c, averageOver(c, x, spans, [inH, inW]), lead);
}

function adaptiveMax(c: Call): void {
  const p = c.attrs<AdaptivePoolParams>();
  if (p.inH % p.outH || p.inW % p.outW) {
    c.refuse('with windows of different sizes has no counterpart', `Give sides that ${p.outH} and ${p.outW} divide`);
  }
  const { x, lead } = imagesOf(c);
  const kernel = [p.inH / p.outH, p.inW / p.outW];
  const [y, indices] = c.nodes('MaxPool', [x], c.isUsed(1) ? 2 : 1, { kernel_shape: kernel, strides: kernel });
  giveImages(c, y!, lead);
  if (indices !== undefined) planeIndices(c, indices, p, lead);
}

function pyramid(c: Call): void {
  const { bins, inH, inW, rule } = c.attrs<PyramidPoolParams>();
  const { x, lead } = imagesOf(c);
  bins.forEach((bin, k) => {
    const along = (size: number): Span[] => {
      if (rule === PyramidRule.adaptive) return adaptiveSpans(size, bin);
      const kernel = pyramidKernel(bin, size);
      return Array.from({ length: Math.floor(size / kernel) }, (_, i) => [i * kernel, (i + 1) * kernel] as const);
    };
    giveImages(c, averageOver(c, x, [along(inH), along(inW)], [inH, inW]), lead, k);
  });
}

/** Positions that the engine's nearest rule reads along an axis, and whether dividing by the factor gives the same. */
function nearestAlong(size: number, out: number, step: number, factor: number) {
  const at = (position: number): number => Math.min(Math.floor(position), size - 1);
  const positions = Array.from({ length: out }, (_, i) => at(Math.fround(i * Math.fround(step))));
  return { positions, isPlain: positions.every((position, i) => position === at(Math.fround(i / factor))) };
}

/** The factor, as float32, under which an axis gets this size. */
function factorOf(size: number, out: number, step: number, aligned: boolean): number {
  const wish = Math.fround(aligned || step === 0 ? out / size : 1 / step);
  // Runtimes multiply in one precision or the other.
  const isRight = (factor: number): boolean =>
    Math.floor(size * factor) === out && Math.floor(Math.fround(size * factor)) === out;
  // Rounding may have taken the last row: the next number up gives it back.
  return [wish, Math.fround(wish * (1 + 2 ** -23)), Math.fround((out + 0.5) / size)].find(isRight) ?? wish;
}

function resize(c: Call): void {
  const p = c.attrs<ResizeParams>();
  const aligned = p.alignCorners === 1;
  const { x, lead } = imagesOf(c);
  const factors = [factorOf(p.inH, p.outH, p.scaleH, aligned), factorOf(p.inW, p.outW, p.scaleW, aligned)] as const;
  const isNearest = p.mode === ResizeMode.nearest;
  if (isNearest) {
    const rows = nearestAlong(p.inH, p.outH, p.scaleH, factors[0]);
    const columns = nearestAlong(p.inW, p.outW, p.scaleW, factors[1]);
    if (!rows.isPlain || !columns.isPlain) {
      const tall = c.node('Gather', [x, c.longs(rows.positions)], { axis: 2 });
      return giveImages(c, c.node('Gather', [tall, c.longs(columns.positions)], { axis: 3 }), lead);
    }
  }
  const attributes: Readonly<Record<string, string>> = isNearest
    ? { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
    : { mode: 'linear', coordinate_transformation_mode: aligned ? 'align_corners' : 'half_pixel' };
  giveImages(c, c.node('Resize', [x, '', c.floats([1, 1, ...factors], [4])], attributes), lead);
}

/** (x, weight, bias, running mean, running variance); x (N, C, spatial) may stand as (N, C, ...). */
function batchNormInference(c: Call): void {
  const { batch, channels, eps, relu } = c.attrs<BatchNormParams>();
  const base = c.base().shape;
  const shape = base.length >= 2 && sameShape(base.slice(0, 2), [batch, channels]) ? base : c.shape();
  const inputs = [c.in(0, shape), c.in(1), c.in(2), c.in(3), c.in(4)];
  const y = c.node('BatchNormalization', inputs, { epsilon: { float: eps } });
  c.out(relu ? c.node('Relu', [y]) : y, { shape });
}

export const images: Readonly<Record<string, Translate>> = {
  conv2d: (c) => c.out(c.node('Conv', operands(c), geometryOf(c.attrs<Geometry>()))),
  convTranspose2d: convTranspose,
  maxPool2d: maxPool,
  avgPool2d: averagePool,
  adaptiveAvgPool2d: adaptiveAverage,
  adaptiveMaxPool2d: adaptiveMax,
  pyramidPool2d: pyramid,
  interpolate: resize,
  batchNormInference,
  batchNormReluInference: batchNormInference,
};
