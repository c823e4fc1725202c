// Random cases of pyramid pooling and its adjoint: bins that divide the plane, leave a rest, or are larger than it.
import fc from 'fast-check';
import {
  type Kernel,
  pyramidPool,
  pyramidPoolBackward,
  type PyramidPoolParams,
  PyramidRule,
} from '../../../kernels/index.ts';
import { caseSource } from '../cases.ts';

const { adaptive, fixedKernel } = PyramidRule;

const pyramid = (
  rule: PyramidRule,
  planes: number,
  inH: number,
  inW: number,
  bins: readonly number[],
): PyramidPoolParams => ({ bins, planes, inH, inW, count: bins.length, rule });

/** Only adaptive cells may be smaller than a position. */
const params = fc
  .record({
    rule: fc.constantFrom(adaptive, fixedKernel),
    planes: fc.nat(4),
    inH: fc.integer({ min: 1, max: 40 }),
    inW: fc.integer({ min: 1, max: 40 }),
    bins: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 7 }),
  })
  .map(({ rule, planes, inH, inW, bins }) => {
    const most = rule === adaptive ? Infinity : Math.min(inH, inW);
    const fitting = bins.map((bin) => Math.min(bin, most));
    return pyramid(rule, planes, inH, inW, fitting);
  });

const psp = [1, 2, 3, 6];
const examples = [adaptive, fixedKernel].flatMap((rule) => [
  pyramid(rule, 1, 1, 1, [1]),
  pyramid(rule, 3, 16, 16, psp),
  pyramid(rule, 2, 44, 152, psp),
  pyramid(rule, 33, 7, 9, [6, 3, 2, 1]),
  pyramid(rule, 2, 60, 81, [1, 2, 3, 4, 5, 6, 7]),
  // Too wide for the memory of a workgroup.
  pyramid(rule, 1, 37, 2051, psp),
]);

const source = (kernel: Kernel<PyramidPoolParams>) =>
  caseSource({ kernel, params, examples, tolerance: () => ({ rtol: 1e-5, atol: 2e-6 }) });

export const pyramidPoolSource = source(pyramidPool);
export const pyramidPoolBackwardSource = source(pyramidPoolBackward);
