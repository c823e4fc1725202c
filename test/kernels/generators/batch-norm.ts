// Random cases of batch normalisation, with a mean far from zero among them.
import fc from 'fast-check';
import {
  batchNormApply,
  batchNormBackward,
  batchNormInference,
  type BatchNormParams,
  batchNormStatistics,
  type Kernel,
} from '../../../kernels/index.ts';
import { anySize, caseSource, drawn, type KernelGenerator, type Tolerance } from '../cases.ts';

const eps = Math.fround(1e-5);

const norm = (batch: number, channels: number, spatial: number, relu = 0): BatchNormParams => ({
  ...{ batch, channels, spatial, eps, relu },
});

const params = fc
  .record({
    batch: fc.nat(4),
    channels: fc.nat(9),
    spatial: anySize,
    eps: fc.constantFrom(eps, Math.fround(1e-3)),
    relu: fc.nat(1),
  })
  .filter(({ batch, channels, spatial }) => batch * channels * spatial <= 50_000);

const examples = [
  norm(1, 1, 1),
  norm(0, 3, 5),
  norm(2, 0, 5),
  norm(1, 3, 1025),
  norm(4, 67, 33),
  norm(130, 5, 1),
  norm(8, 35, 1),
  norm(515, 19, 1),
  norm(1, 37, 6),
  norm(1, 21, 63),
  norm(2, 2, 20_001),
  norm(9, 3, 129),
  norm(4, 67, 33, 1),
  norm(2, 2, 20_001, 1),
  norm(3, 5, 64, 1),
];

/** Variances and what is made of them stay away from zero. */
const values: KernelGenerator<BatchNormParams>['values'] = (name, _params, draws, length) =>
  name === 'variance' || name === 'inverse' ? drawn(length, () => 0.25 + 2 * draws.uniform()) : undefined;

const source = (kernel: Kernel<BatchNormParams>, tolerance: (p: BatchNormParams) => Tolerance) =>
  caseSource({ kernel, params, examples, tolerance, values });

export const batchNormStatisticsSource = caseSource({
  kernel: batchNormStatistics,
  params,
  examples,
  // Relative to the mean of 30, whose squares a one-pass variance would lose.
  tolerance: () => ({ rtol: 1e-5, atol: 1e-5 }),
  values: (_name, _params, draws, length) => drawn(length, () => 30 + draws.normal()),
});
export const batchNormApplySource = source(batchNormApply, () => ({ rtol: 1e-5, atol: 1e-5 }));
export const batchNormInferenceSource = source(batchNormInference, () => ({ rtol: 1e-5, atol: 1e-5 }));
export const batchNormBackwardSource = source(batchNormBackward, ({ batch, spatial }) => ({
  rtol: 2e-5,
  atol: 4e-6 * (1 + Math.sqrt(batch * spatial)),
}));
