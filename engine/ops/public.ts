// The operations that are public. The rest of each file, such as gradients as operations of their own, is for the engine.
import './index.ts'; // tells the tape how to add gradients

export {
  abs,
  affine,
  cast,
  ceil,
  clamp,
  type ClampLimits,
  cos,
  elu,
  erf,
  erfc,
  exp,
  floor,
  gelu,
  leakyRelu,
  log,
  log1p,
  neg,
  reciprocal,
  relu,
  round,
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
export { cat, concat, split, stack } from './joining.ts';
export { gather, indexSelect, scatter, scatterAdd } from './indexing.ts';
export { bmm, linear, matmul, type MatmulOptions } from './matmul.ts';
export {
  conv1d,
  type Conv1dOptions,
  conv2d,
  type Conv2dOptions,
  convTranspose2d,
  type ConvTranspose2dOptions,
} from './convolution.ts';
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
export { batchNorm, type BatchNormOptions, groupNorm, instanceNorm, layerNorm } from './normalization.ts';
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
export { cumprod, cumsum, prod } from './scan.ts';
export { sort, type Sorted, type SortOptions, topk, type TopkOptions } from './sorting.ts';
export { norm, type NormOptions } from './norm.ts';
export { einsum } from './einsum.ts';
export { type AttentionOptions, scaledDotProductAttention } from './attention.ts';
export { gridSample, type GridSampleOptions } from './grid-sample.ts';
export { klDivLoss, type KlDivOptions } from './kl-divergence.ts';
export { prelu } from './prelu.ts';
