// Cases of the operations of engine/ops/joining.ts.
import * as w from '../../../../engine/index.ts';
import { type Inputs, number, numbers } from '../../golden/adapter.ts';
import { type FamilyCases, input, two } from '../case.ts';

const numbered = (t: Inputs) => Object.keys(t).map((_, i) => t[`x${i}`]!);

export const joining: FamilyCases = {
  gradients: [
    two('cat', (a, b) => w.cat([a, b], 1), input(2, 3), input(2, 1)),
    two('stack', (a, b) => w.stack([a, b], -1), input(2, 3), input(2, 3)),
    { operations: ['split'], inputs: [input(2, 5)], f: (x) => w.split(x!, [2, 3], 1) },
  ],
  golden: {
    concat: (t, a) => w.concat(numbered(t), number(a, 'axis')),
    stack: (t, a) => w.stack(numbered(t), number(a, 'axis')),
    split: (t, a) => {
      const parts = w.split(t.x!, numbers(a, 'sizes'), number(a, 'axis'));
      return Object.fromEntries(parts.map((part, i) => [`y${i}`, part]));
    },
  },
};
