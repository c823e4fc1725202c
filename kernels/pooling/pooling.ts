// Pooling over planes [planes, H, W] (planes = batch x channels) and the adjoints, which gather: each input position adds
// up, in a fixed order, the windows that cover it.
import { defineKernel, float, int, type ParamsOf } from '../kernel.ts';

export const PoolParams = {
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
  /** Average pooling: 1 if the divisor is the window clipped to the padded plane, 0 if to the plane itself. */
  countPadding: 'u32',
} as const;
export type PoolParams = ParamsOf<typeof PoolParams>;

export const AdaptivePoolParams = { planes: 'u32', inH: 'u32', inW: 'u32', outH: 'u32', outW: 'u32' } as const;
export type AdaptivePoolParams = ParamsOf<typeof AdaptivePoolParams>;

const input = (name: string, p: AdaptivePoolParams) => float(name, p.planes, p.inH, p.inW);
const output = (name: string, p: AdaptivePoolParams) => float(name, p.planes, p.outH, p.outW);
const windows = (p: PoolParams) => p.planes * p.outH * p.outW * p.kernelH * p.kernelW;

/** x -> y, indices (h inW + w in the unpadded plane). The first maximum wins, padding never does, NaN always does. */
export const maxPool = defineKernel({
  name: 'maxPool',
  fields: PoolParams,
  inputs: (p) => [input('x', p)],
  outputs: (p) => [output('y', p), int('indices', p.planes, p.outH, p.outW)],
  flops: windows,
});

/** g, indices -> gradient of x: the sum of the g of those windows whose index is this position. */
export const maxPoolBackward = defineKernel({
  name: 'maxPoolBackward',
  fields: PoolParams,
  inputs: (p) => [output('g', p), int('indices', p.planes, p.outH, p.outW)],
  outputs: (p) => [input('y', p)],
  flops: windows,
});

/** x -> y, the mean of each window (dilation is 1). */
export const averagePool = defineKernel({
  name: 'averagePool',
  fields: PoolParams,
  inputs: (p) => [input('x', p)],
  outputs: (p) => [output('y', p)],
  flops: windows,
});

export const averagePoolBackward = defineKernel({
  name: 'averagePoolBackward',
  fields: PoolParams,
  inputs: (p) => [output('g', p)],
  outputs: (p) => [input('y', p)],
  flops: windows,
});

/** Mean over rows floor(i inH / outH) .. ceil((i + 1) inH / outH) - 1, columns alike. */
export const adaptiveAveragePool = defineKernel({
  name: 'adaptiveAveragePool',
  fields: AdaptivePoolParams,
  inputs: (p) => [input('x', p)],
  outputs: (p) => [output('y', p)],
  flops: (p) => p.planes * p.inH * p.inW,
});

export const adaptiveAveragePoolBackward = defineKernel({
  name: 'adaptiveAveragePoolBackward',
  fields: AdaptivePoolParams,
  inputs: (p) => [output('g', p)],
  outputs: (p) => [input('y', p)],
  flops: (p) => p.planes * p.inH * p.inW,
});

/** Maximum over the same windows, and its index h inW + w. */
export const adaptiveMaxPool = defineKernel({
  name: 'adaptiveMaxPool',
  fields: AdaptivePoolParams,
  inputs: (p) => [input('x', p)],
  outputs: (p) => [output('y', p), int('indices', p.planes, p.outH, p.outW)],
  flops: (p) => p.planes * p.inH * p.inW,
});
