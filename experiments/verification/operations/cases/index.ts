// The cases of all operations, one file for each family: `scan` stands for engine/ops/scan.ts.
import type { Adapter } from '../../golden/adapter.ts';
import type { FamilyCases, GradientCase } from '../case.ts';
import { attention } from './attention.ts';
import { binary } from './binary.ts';
import { boxLosses } from './box-losses.ts';
import { convolution } from './convolution.ts';
import { crossEntropy } from './cross-entropy.ts';
import { dropout } from './dropout.ts';
import { einsum } from './einsum.ts';
import { expand } from './expand.ts';
import { gridSample } from './grid-sample.ts';
import { indexing } from './indexing.ts';
import { joining } from './joining.ts';
import { klDivergence } from './kl-divergence.ts';
import { layout } from './layout.ts';
import { losses } from './losses.ts';
import { maskedLosses } from './masked-losses.ts';
import { matmul } from './matmul.ts';
import { norm } from './norm.ts';
import { normalization } from './normalization.ts';
import { pooling } from './pooling.ts';
import { prelu } from './prelu.ts';
import { pyramidPooling } from './pyramid-pooling.ts';
import { reduction } from './reduction.ts';
import { reshape } from './reshape.ts';
import { resize } from './resize.ts';
import { scan } from './scan.ts';
import { softmax } from './softmax.ts';
import { sorting } from './sorting.ts';
import { ssim } from './ssim.ts';
import { unary } from './unary.ts';

/** By the name of the family in the registry. */
export const caseFamilies: Readonly<Record<string, FamilyCases>> = {
  attention,
  binary,
  'box-losses': boxLosses,
  convolution,
  'cross-entropy': crossEntropy,
  dropout,
  einsum,
  expand,
  'grid-sample': gridSample,
  indexing,
  joining,
  'kl-divergence': klDivergence,
  layout,
  losses,
  'masked-losses': maskedLosses,
  matmul,
  norm,
  normalization,
  pooling,
  prelu,
  'pyramid-pooling': pyramidPooling,
  reduction,
  reshape,
  resize,
  scan,
  softmax,
  sorting,
  ssim,
  unary,
};

/** Gradcheck runs them, the device tests compare them with float64, and the table of operations is made by watching them. */
export const cases: readonly GradientCase[] = Object.values(caseFamilies).flatMap(({ gradients }) => gradients);

/** How the operations of the golden fixtures are called. */
export const goldenAdapters: Readonly<Record<string, Adapter>> = Object.assign(
  {},
  ...Object.values(caseFamilies).map(({ golden }) => golden),
);
