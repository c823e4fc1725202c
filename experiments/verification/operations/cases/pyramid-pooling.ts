// Cases of the operations of engine/ops/pyramid-pooling.ts.
import * as w from '../../../../engine/index.ts';
import { type FamilyCases, input } from '../case.ts';

export const pyramidPooling: FamilyCases = {
  gradients: [
    { operations: ['pyramidPool2d'], inputs: [input(1, 2, 5, 4)], f: (x) => w.pyramidPool2d(x!, [1, 3, 2]) },
    {
      operations: ['pyramidPool2d', 'pyramidPool2dBackward'],
      inputs: [input(2, 1, 5, 7)],
      f: (x) => {
        const pooled = w.pyramidPool2d(x!, [3, 1, 2], { rule: 'fixedKernel' });
        const used = [pooled[0]!, pooled[2]!];
        return w.grad(used, [x!], { createGraph: true, gradOutputs: used.map((y) => w.square(y)) })[0]!;
      },
    },
  ],
};
