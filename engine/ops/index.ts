// All operations. Loading this file also tells the tape how to add gradients.
import { onesLike, zerosLike } from '../creation.ts';
import { arithmetic } from '../gradients.ts';
import { add } from './binary.ts';

arithmetic.add = add;
arithmetic.onesLike = onesLike;
arithmetic.zerosLike = zerosLike;

export * from './unary.ts';
export * from './binary.ts';
export * from './prelu.ts';
export * from './expand.ts';
export * from './reshape.ts';
export * from './reduction.ts';
export * from './scan.ts';
export * from './sorting.ts';
export * from './norm.ts';
export * from './softmax.ts';
export * from './layout.ts';
export * from './joining.ts';
export * from './indexing.ts';
export * from './matmul.ts';
export * from './einsum.ts';
export * from './attention.ts';
export * from './convolution.ts';
export * from './pooling.ts';
export * from './pyramid-pooling.ts';
export * from './resize.ts';
export * from './grid-sample.ts';
export * from './normalization.ts';
export * from './losses.ts';
export * from './kl-divergence.ts';
export * from './cross-entropy.ts';
export * from './masked-losses.ts';
export * from './ssim.ts';
export * from './box-losses.ts';
export * from './dropout.ts';
