// The generators of all kernels. A test fails if a kernel of the table has none.
import type { CaseSource } from '../cases.ts';
import * as batchNorm from './batch-norm.ts';
import * as conv2d from './conv2d.ts';
import * as copy from './copy.ts';
import * as crossEntropy from './cross-entropy.ts';
import * as elementwise from './elementwise.ts';
import * as matmul from './matmul.ts';
import * as optimizer from './optimizer.ts';
import * as peak from './peak.ts';
import * as pooling from './pooling.ts';
import * as pyramidPool from './pyramid-pool.ts';
import * as reduction from './reduction.ts';
import * as resize from './resize.ts';
import * as scan from './scan.ts';
import * as sort from './sort.ts';
import * as ssim from './ssim.ts';

export const caseSources: readonly CaseSource[] = [
  elementwise,
  reduction,
  copy,
  matmul,
  conv2d,
  pooling,
  pyramidPool,
  resize,
  ssim,
  batchNorm,
  crossEntropy,
  optimizer,
  peak,
  scan,
  sort,
].flatMap((family): CaseSource[] => Object.values(family));
