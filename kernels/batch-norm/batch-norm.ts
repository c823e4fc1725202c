// Batch normalisation over [batch, channels, spatial]: statistics per channel, the affine map, and the fused gradient.
//
//   y = (x - mean) / sqrt(variance + eps) * weight + bias
//
// Variance is the biased one, accumulated so that a large mean does not cancel it (Welford, or shifted, or two passes).
import { defineKernel, float, type ParamsOf } from '../kernel.ts';

export const BatchNormParams = { batch: 'u32', channels: 'u32', spatial: 'u32', eps: 'f32' } as const;
export type BatchNormParams = ParamsOf<typeof BatchNormParams>;

const image = (name: string, p: BatchNormParams) => float(name, p.batch, p.channels, p.spatial);
const perChannel = (name: string, p: BatchNormParams) => float(name, p.channels);
const elements = (p: BatchNormParams) => p.batch * p.channels * p.spatial;

/** x -> mean, variance (biased) per channel. `eps` is not used. */
export const batchNormStatistics = defineKernel({
  name: 'batchNormStatistics',
  fields: BatchNormParams,
  inputs: (p) => [image('x', p)],
  outputs: (p) => [perChannel('mean', p), perChannel('variance', p)],
  flops: (p) => 4 * elements(p),
});

/** x, mean, variance, weight, bias -> y */
export const batchNormApply = defineKernel({
  name: 'batchNormApply',
  fields: BatchNormParams,
  inputs: (p) => [
    image('x', p),
    perChannel('mean', p),
    perChannel('variance', p),
    perChannel('weight', p),
    perChannel('bias', p),
  ],
  outputs: (p) => [image('y', p)],
  flops: (p) => 2 * elements(p),
});

/**
 * x, g, mean, variance, weight -> gradients of x, weight and bias in training mode. With h = (x - mean) r, r = 1 / sqrt(
 * variance + eps) and m = batch x spatial: gb = sum g, gw = sum g h, gx = weight r (g - gb / m - h gw / m).
 */
export const batchNormBackward = defineKernel({
  name: 'batchNormBackward',
  fields: BatchNormParams,
  inputs: (p) => [
    image('x', p),
    image('g', p),
    perChannel('mean', p),
    perChannel('variance', p),
    perChannel('weight', p),
  ],
  outputs: (p) => [image('gx', p), perChannel('gw', p), perChannel('gb', p)],
  flops: (p) => 9 * elements(p),
});
