// Cases of the operations of engine/ops/attention.ts: in one chunk and in several.
import * as w from '../../../../engine/index.ts';
import { type FamilyCases, flags, type GradientCase, input } from '../case.ts';

const of = (inputs: GradientCase['inputs'], options: w.AttentionOptions): GradientCase => ({
  operations: ['scaledDotProductAttention'],
  inputs,
  f: (q, k, v, attnMask) => w.scaledDotProductAttention(q!, k!, v!, { ...options, attnMask }),
});
const three = [input(2, 3, 2), input(2, 4, 2), input(2, 4, 3)];

export const attention: FamilyCases = {
  gradients: [
    of(three, {}),
    of(three, { isCausal: true, chunk: 2, scale: 0.7 }),
    of([...three, input(3, 4)], { chunk: 1 }),
    of([...three, flags([3, 4], [1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1])], { chunk: 2 }),
  ],
};
