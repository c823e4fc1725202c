// Cross-correlation of NCHW images and its two adjoints. The three kernels share one geometry and close under
// differentiation: y = conv(x, w), x' = inputGradient(g, w) (which is also convTranspose2d), w' = weightGradient(x, g).
//
//   y[n][o][p][q] = bias[o] + sum over c, r, s of w[o][c][r][s] x[n][c][p strideH - padH + r dilationH][...]
//
// Weights are [outChannels, inChannels / groups, kernelH, kernelW]. Sizes are taken as given: outH need not be the largest
// that fits, and rows of x that no window reaches have zero gradient.
import { defineKernel, float, type ParamsOf } from '../kernel.ts';

export const Conv2dParams = {
  batch: 'u32',
  inChannels: 'u32',
  inH: 'u32',
  inW: 'u32',
  outChannels: 'u32',
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
  groups: 'u32',
  /** 1: a bias is added to the output (outChannels values; inChannels values for the input gradient). */
  bias: 'u32',
} as const;
export type Conv2dParams = ParamsOf<typeof Conv2dParams>;

const image = (p: Conv2dParams) => float('x', p.batch, p.inChannels, p.inH, p.inW);
const output = (p: Conv2dParams) => float('y', p.batch, p.outChannels, p.outH, p.outW);
const weight = (p: Conv2dParams) => float('w', p.outChannels, p.inChannels / p.groups, p.kernelH, p.kernelW);

/** Multiply-adds of all taps, counting those that fall on padding. */
const flops = (p: Conv2dParams): number =>
  2 * p.batch * p.outChannels * p.outH * p.outW * (p.inChannels / p.groups) * p.kernelH * p.kernelW;

/** (x, w, bias?) -> y */
export const conv2d = defineKernel({
  name: 'conv2d',
  fields: Conv2dParams,
  inputs: (p) => [image(p), weight(p), ...(p.bias ? [float('bias', p.outChannels)] : [])],
  outputs: (p) => [output(p)],
  flops,
});

/** (g shaped like y, w, bias? of inChannels) -> x. The transposed convolution. */
export const conv2dInputGradient = defineKernel({
  name: 'conv2dInputGradient',
  fields: Conv2dParams,
  inputs: (p) => [output(p), weight(p), ...(p.bias ? [float('bias', p.inChannels)] : [])],
  outputs: (p) => [image(p)],
  flops,
});

/** (x, g shaped like y) -> w. `bias` is 0. */
export const conv2dWeightGradient = defineKernel({
  name: 'conv2dWeightGradient',
  fields: Conv2dParams,
  inputs: (p) => [image(p), output(p)],
  outputs: (p) => [weight(p)],
  flops,
});
