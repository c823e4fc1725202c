// Every kernel's description. Plans for a device are in kernels/{reference,wasm,webgpu}.ts.
export * from './kernel.ts';
export * from './elementwise/codes.ts';
export * from './elementwise/elementwise.ts';
export * from './reduction/codes.ts';
export * from './reduction/reduction.ts';
export {
  copy,
  CopyParams,
  gather,
  GatherParams,
  invalidWord,
  NOTHING_OUTSIDE,
  rowMajorStrides,
  scatter,
  scatterAdd,
} from './copy/copy.ts';
export * from './matmul/matmul.ts';
export * from './conv2d/conv2d.ts';
export * from './pooling/codes.ts';
export * from './pooling/pooling.ts';
export {
  MAX_PYRAMID_BINS,
  pyramidCells,
  pyramidPool,
  pyramidPoolBackward,
  PyramidPoolParams,
} from './pooling/pyramid-pool.ts';
export * from './peak/peak.ts';
export * from './resize/resize.ts';
export * from './ssim/ssim.ts';
export * from './batch-norm/batch-norm.ts';
export * from './cross-entropy/codes.ts';
export * from './cross-entropy/cross-entropy.ts';
export * from './optimizer/optimizer.ts';
export * from './scan/scan.ts';
export * from './sort/sort.ts';
