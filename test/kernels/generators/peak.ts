// Random cases of the multiply-add chains.
import fc from 'fast-check';
import { multiplyAdds } from '../../../kernels/index.ts';
import { caseSource } from '../cases.ts';

export const multiplyAddsCases = caseSource({
  kernel: multiplyAdds,
  params: fc.record({ n: fc.integer({ min: 0, max: 70 }), rounds: fc.integer({ min: 0, max: 40 }) }),
  examples: [
    { n: 0, rounds: 3 },
    { n: 1, rounds: 1 },
    { n: 1030, rounds: 100 },
    { n: 700, rounds: 2 },
  ],
  tolerance: () => ({ rtol: 1e-5, atol: 1e-4 }),
  // Factors below one, so that the chains converge.
  values: (operand, _params, draws) => (operand === 'x' ? [0.9 * draws.uniform(), draws.normal()] : undefined),
});
