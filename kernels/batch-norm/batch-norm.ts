// Batch normalisation over [batch, channels, spatial]: statistics per channel, the affine map, and the fused gradient.
//
//   y = (x - mean) / sqrt(variance + eps) * weight + bias
//
// Variance is the biased one, accumulated so that a large mean does not cancel it (Welford, or shifted, or two passes). What is
// normalised by batch statistics is divided by way of 1 / sqrt(variance + eps), since of deviations from 2e19 on the variance
// itself is infinite in float32.
import { defineKernel, float, type ParamsOf } from '../kernel.ts';

export const BatchNormParams = {
  batch: 'u32',
  channels: 'u32',
  spatial: 'u32',
  eps: 'f32',
  /** 1: a relu follows, in the same pass: what is negative in y is 0. */
  relu: 'u32',
} as const;
export type BatchNormParams = ParamsOf<typeof BatchNormParams>;

const image = (name: string, p: BatchNormParams) => float(name, p.batch, p.channels, p.spatial);
const perChannel = (name: string, p: BatchNormParams) => float(name, p.channels);
const elements = (p: BatchNormParams) => p.batch * p.channels * p.spatial;

/** x -> mean, variance (biased) and inverse deviation 1 / sqrt(variance + eps) per channel. `relu` is not used. */
export const batchNormStatistics = defineKernel({
  name: 'batchNormStatistics',
  fields: BatchNormParams,
  inputs: (p) => [image('x', p)],
  outputs: (p) => [perChannel('mean', p), perChannel('variance', p), perChannel('inverse', p)],
  flops: (p) => 4 * elements(p),
});

const normalizing = (name: string, spread: string) =>
  defineKernel({
    name,
    fields: BatchNormParams,
    inputs: (p) => [
      image('x', p),
      perChannel('mean', p),
      perChannel(spread, p),
      perChannel('weight', p),
      perChannel('bias', p),
    ],
    outputs: (p) => [image('y', p)],
    flops: (p) => (2 + p.relu) * elements(p),
  });

/** x, mean, inverse deviation, weight, bias -> y. `eps` is not used. */
export const batchNormApply = normalizing('batchNormApply', 'inverse');

/** x, mean, variance, weight, bias -> y */
export const batchNormInference = normalizing('batchNormInference', 'variance');

/**
 * x, g, mean, inverse deviation r, weight -> gradients of x, weight and bias in training mode. With h = (x - mean) r and
 * m = batch x spatial: gb = sum g, gw = sum g h, gx = weight r (g - gb / m - h gw / m). `eps` is not used. With `relu` the
 * result y is an input too, and g counts as 0 where y <= 0.
 */
export const batchNormBackward = defineKernel({
  name: 'batchNormBackward',
  fields: BatchNormParams,
  inputs: (p) => [
    image('x', p),
    image('g', p),
    perChannel('mean', p),
    perChannel('inverse', p),
    perChannel('weight', p),
    ...(p.relu ? [image('y', p)] : []),
  ],
  outputs: (p) => [image('gx', p), perChannel('gw', p), perChannel('gb', p)],
  flops: (p) => (9 + p.relu) * elements(p),
});
