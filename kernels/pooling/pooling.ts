// Pooling over planes [planes, H, W] (planes = batch x channels) and the adjoints, which gather: each input position adds
// up, in a fixed order, the windows that cover it.
import { defineKernel, float, int } from '../kernel.ts';

export type PoolParams = {
  planes: number;
  inH: number;
  inW: number;
  outH: number;
  outW: number;
  kernelH: number;
  kernelW: number;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
  dilationH: number;
  dilationW: number;
  /** Average pooling: 1 if the divisor is the window clipped to the padded plane, 0 if to the plane itself. */
  countPadding: number;
};

const fields = {
  planes: 'u32',
  inH: 'u32',
  inW: 'u32',
  outH: 'u32',
  outW: 'u32',
  kernelH: 'u32',
  kernelW: 'u32',
  strideH: 'u32',
  strideW: 'u32',
  padH: 'u32',
  padW: 'u32',
  dilationH: 'u32',
  dilationW: 'u32',
  countPadding: 'u32',
} as const;

type Planes = { planes: number; inH: number; inW: number; outH: number; outW: number };
const input = (name: string, p: Planes) => float(name, p.planes, p.inH, p.inW);
const output = (name: string, p: Planes) => float(name, p.planes, p.outH, p.outW);
const windows = (p: PoolParams) => p.planes * p.outH * p.outW * p.kernelH * p.kernelW;

/** x -> y, indices (h inW + w in the unpadded plane). The first maximum wins, padding never does, NaN always does. */
export const maxPool = defineKernel<PoolParams>({
  name: 'maxPool',
  fields,
  inputs: (p) => [input('x', p)],
  outputs: (p) => [output('y', p), int('indices', p.planes, p.outH, p.outW)],
  flops: windows,
});

/** g, indices -> gradient of x: the sum of the g of those windows whose index is this position. */
export const maxPoolBackward = defineKernel<PoolParams>({
  name: 'maxPoolBackward',
  fields,
  inputs: (p) => [output('g', p), int('indices', p.planes, p.outH, p.outW)],
  outputs: (p) => [input('y', p)],
  flops: windows,
});

/** x -> y, the mean of each window (dilation is 1). */
export const averagePool = defineKernel<PoolParams>({
  name: 'averagePool',
  fields,
  inputs: (p) => [input('x', p)],
  outputs: (p) => [output('y', p)],
  flops: windows,
});

export const averagePoolBackward = defineKernel<PoolParams>({
  name: 'averagePoolBackward',
  fields,
  inputs: (p) => [output('g', p)],
  outputs: (p) => [input('y', p)],
  flops: windows,
});

export type AdaptivePoolParams = Planes;

const adaptiveFields = { planes: 'u32', inH: 'u32', inW: 'u32', outH: 'u32', outW: 'u32' } as const;

/** Mean over rows floor(i inH / outH) .. ceil((i + 1) inH / outH) - 1, columns alike. */
export const adaptiveAveragePool = defineKernel<AdaptivePoolParams>({
  name: 'adaptiveAveragePool',
  fields: adaptiveFields,
  inputs: (p) => [input('x', p)],
  outputs: (p) => [output('y', p)],
  flops: (p) => p.planes * p.inH * p.inW,
});

export const adaptiveAveragePoolBackward = defineKernel<AdaptivePoolParams>({
  name: 'adaptiveAveragePoolBackward',
  fields: adaptiveFields,
  inputs: (p) => [output('g', p)],
  outputs: (p) => [input('y', p)],
  flops: (p) => p.planes * p.inH * p.inW,
});

/** Maximum over the same windows, and its index h inW + w. */
export const adaptiveMaxPool = defineKernel<AdaptivePoolParams>({
  name: 'adaptiveMaxPool',
  fields: adaptiveFields,
  inputs: (p) => [input('x', p)],
  outputs: (p) => [output('y', p), int('indices', p.planes, p.outH, p.outW)],
  flops: (p) => p.planes * p.inH * p.inW,
});
