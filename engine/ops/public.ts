// The operations that are public. The rest of each file, such as gradients as operations of their own, is for the engine.
export {
  abs,
  affine,
  cast,
  clamp,
  type ClampLimits,
  cos,
  elu,
  erf,
  erfc,
  exp,
  gelu,
  leakyRelu,
  log,
  log1p,
  neg,
  reciprocal,
  relu,
  rsqrt,
  sigmoid,
  sign,
  silu,
  sin,
  softplus,
  sqrt,
  square,
  tanh,
} from './unary.ts';
export { add, div, eq, ge, gt, le, lt, maximum, minimum, mul, ne, pow, sub, where } from './binary.ts';
export { expand } from './expand.ts';
export { flatten, reshape, squeeze, unsqueeze } from './reshape.ts';
export {
  amax,
  amin,
  argmax,
  argmin,
  max,
  mean,
  min,
  type ReduceOptions,
  sum,
  variance,
  type VarianceOptions,
} from './reduction.ts';
export { logSoftmax, logSumExp, softmax } from './softmax.ts';
export { flip, narrow, pad, type PadMode, permute, pixelShuffle, slice, type SliceSpec, transpose } from './layout.ts';
export { concat, split, stack } from './joining.ts';
export { gather, indexSelect, scatter, scatterAdd } from './indexing.ts';
export { bmm, linear, matmul, type MatmulOptions } from './matmul.ts';
export { conv2d, type Conv2dOptions, convTranspose2d, type ConvTranspose2dOptions } from './convolution.ts';
export {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  type AveragePoolOptions,
  avgPool2d,
  maxPool2d,
  type MaxPoolOptions,
  maxUnpool2d,
  type Pooled,
  type PoolOptions,
} from './pooling.ts';
export { pyramidPool2d, type PyramidPoolOptions, type PyramidRule } from './pyramid-pooling.ts';
export { interpolate, type InterpolateOptions } from './resize.ts';
export { batchNorm, type BatchNormOptions, groupNorm, layerNorm } from './normalization.ts';
export {
  bceWithLogits,
  type BceOptions,
  huberLoss,
  type HuberOptions,
  l1Loss,
  type LossOptions,
  type LossReduction,
  mseLoss,
  nllLoss,
  type NllOptions,
  smoothL1Loss,
  type SmoothL1Options,
} from './losses.ts';
export { crossEntropy, type CrossEntropyOptions } from './cross-entropy.ts';
export {
  imageGradientLoss,
  imageGradients,
  maskedCrossEntropy,
  maskedMse,
  silog,
  type SilogOptions,
} from './masked-losses.ts';
export { ssim, ssimLoss, ssimMap, type SsimOptions } from './ssim.ts';
export {
  type BoxLossOptions,
  diouLoss,
  type DiouOptions,
  giouLoss,
  type TaskKind,
  uncertaintyWeighting,
} from './box-losses.ts';
export { dropout, dropout2d, type DropoutOptions } from './dropout.ts';
