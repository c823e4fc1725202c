// Structural similarity of two planes, Wang et al. 2004, and its gradient with respect to both:
//
//   S = (2 mx my + c1) / (mx^2 + my^2 + c1)  *  (2 sxy + c2) / (sxx + syy + c2)
//
// with means m and (co)variances s under a separable window. Four windowed moments are enough, of x, y, x^2 + y^2 and x y:
// the two variances occur as their sum only. Leaves out the mean over positions.
//
// Floor. Forward: 12 bytes and 8 (windowH + windowW) + 30 operations per position. Backward computes the moments anew
// instead of keeping them (four maps would be as much memory as x and y twice over): 20 bytes, twice the operations.
// The arithmetic is what counts: as long as a matrix product takes over as many operations, the kernels take 0.9 to 1.6
// times forward and 1.4 to 1.8 with the gradients on `wasm`, 4 to 6 times on `webgpu` on llvmpipe. The same expression made
// of convolutions takes 2 to 14 and 9 to 15 times as long as they do: bench/results/ssim-2core.json, window 11 x 11.
import { defineKernel, float, type ParamsOf } from '../kernel.ts';

export const SsimParams = {
  planes: 'u32',
  inH: 'u32',
  inW: 'u32',
  /** Window positions: in + 2 pad - window + 1. */
  outH: 'u32',
  outW: 'u32',
  /** Sides of the window, from 1 to MAX_SSIM_WINDOW. */
  windowH: 'u32',
  windowW: 'u32',
  /** Rows and columns of zeros around the plane, less than the window. */
  padH: 'u32',
  padW: 'u32',
  /** (k1 range)^2 and (k2 range)^2. */
  c1: 'f32',
  c2: 'f32',
} as const;
export type SsimParams = ParamsOf<typeof SsimParams>;

/** Longest side of a window: on a GPU its rows have to fit into the memory of a workgroup. */
export const MAX_SSIM_WINDOW = 127;

const image = (name: string, p: SsimParams) => float(name, p.planes, p.inH, p.inW);
const map = (name: string, p: SsimParams) => float(name, p.planes, p.outH, p.outW);
/** Weights along H, then along W; each adds up to 1, and the window is their product. */
const window = (p: SsimParams) => float('window', p.windowH + p.windowW);

const positions = (p: SsimParams): number => p.planes * p.outH * p.outW;
/** A window along both axes of four maps. */
const windowing = (p: SsimParams): number => 8 * (p.windowH + p.windowW);

/** x, y, window -> S at each position of the window. */
export const ssim = defineKernel({
  name: 'ssim',
  fields: SsimParams,
  inputs: (p) => [image('x', p), image('y', p), window(p)],
  outputs: (p) => [map('map', p)],
  flops: (p) => positions(p) * (windowing(p) + 30),
});

/**
 * x, y, window, g -> gradients of sum(g S). With d a derivative of S times g, and W' the window's adjoint,
 * gx = W'(d/dmx - 2 mx d/ds - my d/dsxy) + 2 x W'(d/ds) + y W'(d/dsxy), s the sum of the variances, and the same for y.
 */
export const ssimBackward = defineKernel({
  name: 'ssimBackward',
  fields: SsimParams,
  inputs: (p) => [image('x', p), image('y', p), window(p), map('g', p)],
  outputs: (p) => [image('gx', p), image('gy', p)],
  flops: (p) => positions(p) * (windowing(p) + 40) + p.planes * p.inH * p.inW * (windowing(p) + 8),
});
