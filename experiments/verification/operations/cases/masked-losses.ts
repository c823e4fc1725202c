// Cases of the operations of engine/ops/masked-losses.ts.
import * as w from '../../../../engine/index.ts';
import { type FamilyCases, flags, indices, input, positive, two } from '../case.ts';

export const maskedLosses: FamilyCases = {
  gradients: [
    {
      operations: ['maskedMse'],
      inputs: [input(2, 3), input(2, 3), flags([2, 3], [1, 0, 0, 1, 1, 0])],
      f: (x, target, mask) => w.maskedMse(x!, target!, mask!),
    },
    {
      operations: ['maskedCrossEntropy'],
      inputs: [input(1, 3, 2, 2), indices([1, 2, 2], [0, 2, 1, 1]), flags([1, 2, 2], [1, 0, 1, 1])],
      f: (x, target, mask) => w.maskedCrossEntropy(x!, target!, mask!),
    },
    {
      operations: ['silog'],
      inputs: [positive(2, 3), positive(2, 3), flags([2, 3], [1, 0, 1, 1, 1, 0])],
      f: (x, target, mask) => w.silog(x!, target!, { lambda: 0.85, sqrt: true, scale: 10, mask }),
    },
    { operations: ['imageGradients'], inputs: [input(1, 2, 3, 4)], f: (x) => Object.values(w.imageGradients(x!)) },
    two('imageGradientLoss', w.imageGradientLoss, input(1, 2, 3, 3), input(1, 2, 3, 3)),
  ],
  golden: {
    masked_mse: (t) => w.maskedMse(t.x!, t.target!, t.mask!),
    masked_cross_entropy: (t) => w.maskedCrossEntropy(t.x!, t.target!, t.mask!),
    silog: (t, a) => {
      const { lambda, sqrt, scale } = a as { lambda: number; sqrt: boolean; scale: number };
      return w.silog(t.x!, t.target!, { lambda, sqrt, scale, mask: t.mask });
    },
    image_gradients: (t) => w.imageGradients(t.x!),
    image_gradient_loss: (t) => w.imageGradientLoss(t.x!, t.target!),
  },
};
