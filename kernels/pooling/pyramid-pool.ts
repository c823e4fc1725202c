// Pyramid pooling (Zhao et al. 2017, Section 3.2): the averages of planes [planes, H, W] over the cells of several bins in one
// launch, and the gradient in another. A bin b divides an axis of n by one of two rules:
//
//   adaptive      cell i is floor(i n / b) .. ceil((i + 1) n / b) - 1; the b cells cover the axis and may overlap
//   fixedKernel   cells of k = floor(n / b) side by side, as many as fit: floor(n / k), at least b; what is left is not seen
//
// The first is torch's, the second that of released PSPNet code. Floor in bytes: the planes once, plus all cells; each plane's
// further reads, one per bin, are from cache. The gradient gathers: a position adds up the cells that cover it, in order of
// bins, rows and columns. Arithmetic: an addition per position and bin.
import { code, defineKernel, float, type ParamsOf } from '../kernel.ts';
import { PyramidRule } from './codes.ts';

export const PyramidPoolParams = {
  /** Cells wanted along an axis, 1 to MAX_PYRAMID_BINS numbers. With fixedKernel at most H and W. */
  bins: 'u32x8',
  planes: 'u32',
  inH: 'u32',
  inW: 'u32',
  /** Number of bins. */
  count: 'u32',
  rule: code<PyramidRule>(),
} as const;
export type PyramidPoolParams = ParamsOf<typeof PyramidPoolParams>;

/** Bins of one launch: a shader may bind eight buffers, of which one holds the planes. */
export const MAX_PYRAMID_BINS = 7;

/** Length of a cell of the fixedKernel rule. */
export const pyramidKernel = (bin: number, size: number): number => Math.max(1, Math.floor(size / bin));

/** Cells of a bin along an axis of `size`. */
export const pyramidCells = (rule: PyramidRule, bin: number, size: number): number =>
  rule === PyramidRule.adaptive ? bin : Math.floor(size / pyramidKernel(bin, size));

const plane = (name: string, p: PyramidPoolParams) => float(name, p.planes, p.inH, p.inW);
const cells = (name: string, p: PyramidPoolParams) =>
  p.bins.map((bin, k) =>
    float(`${name}${k}`, p.planes, pyramidCells(p.rule, bin, p.inH), pyramidCells(p.rule, bin, p.inW)),
  );
const additions = (p: PyramidPoolParams): number => p.count * p.planes * p.inH * p.inW;

/** x -> y0, y1, ...: one [planes, cells, cells] for each bin. */
export const pyramidPool = defineKernel({
  name: 'pyramidPool',
  fields: PyramidPoolParams,
  inputs: (p) => [plane('x', p)],
  outputs: (p) => cells('y', p),
  flops: additions,
});

/** g0, g1, ... -> gradient of x. */
export const pyramidPoolBackward = defineKernel({
  name: 'pyramidPoolBackward',
  fields: PyramidPoolParams,
  inputs: (p) => cells('g', p),
  outputs: (p) => [plane('gx', p)],
  flops: additions,
});
