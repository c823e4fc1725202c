// Nearest and bilinear resize of planes [planes, H, W], with the source positions of torch's interpolate, and the adjoint,
// which for each input position adds up the outputs that read it, with the same weights and in a fixed order.
import { code, defineKernel, float, type ParamsOf } from '../kernel.ts';
import type { ResizeMode } from './codes.ts';

export { ResizeMode } from './codes.ts';

export const ResizeParams = {
  planes: 'u32',
  inH: 'u32',
  inW: 'u32',
  outH: 'u32',
  outW: 'u32',
  mode: code<ResizeMode>(),
  alignCorners: 'u32',
  /**
   * Source step per output position: in / out, 1 / scale_factor, or (in - 1) / (out - 1) with aligned corners (0 for one
   * output). Source position: nearest floor(i scale); bilinear max(0, (i + 0.5) scale - 0.5), aligned i scale. In float32,
   * step by step; on the reference device in float64, but for the nearest pixel, which float32 defines.
   */
  scaleH: 'f32',
  scaleW: 'f32',
} as const;
export type ResizeParams = ParamsOf<typeof ResizeParams>;

export const resize = defineKernel({
  name: 'resize',
  fields: ResizeParams,
  inputs: (p) => [float('x', p.planes, p.inH, p.inW)],
  outputs: (p) => [float('y', p.planes, p.outH, p.outW)],
  flops: (p) => 8 * p.planes * p.outH * p.outW,
});

export const resizeBackward = defineKernel({
  name: 'resizeBackward',
  fields: ResizeParams,
  inputs: (p) => [float('g', p.planes, p.outH, p.outW)],
  outputs: (p) => [float('y', p.planes, p.inH, p.inW)],
  flops: (p) => 8 * p.planes * p.outH * p.outW,
});
