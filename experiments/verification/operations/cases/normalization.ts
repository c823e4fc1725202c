// Cases of the operations of engine/ops/normalization.ts.
import * as w from '../../../../engine/index.ts';
import { number, numbers, type Outputs } from '../../golden/adapter.ts';
import { constant, type FamilyCases, input } from '../case.ts';

export const normalization: FamilyCases = {
  gradients: [
    {
      operations: ['batchNorm', 'batchNormBackward'],
      inputs: [input(3, 2, 2), input(2), input(2)],
      f: (x, weight, bias) => w.batchNorm(x!, { weight, bias, training: true }),
    },
    {
      operations: ['batchNormRelu'],
      inputs: [input(3, 2, 2), input(2), input(2)],
      f: (x, weight, bias) => w.batchNorm(x!, { weight, bias, training: true, activation: 'relu' }),
    },
    {
      operations: ['batchNormReluInference'],
      inputs: [input(2, 2, 2), input(2), input(2), constant([0.3, -0.2]), constant([0.8, 1.4])],
      f: (x, weight, bias, runningMean, runningVar) =>
        w.batchNorm(x!, { weight, bias, runningMean, runningVar, activation: 'relu' }),
    },
    {
      operations: ['batchNormInference'],
      inputs: [input(2, 2, 2), input(2), input(2), constant([0.3, -0.2]), constant([0.8, 1.4])],
      f: (x, weight, bias, mean, spread) => w.batchNorm(x!, { weight, bias, runningMean: mean, runningVar: spread }),
    },
    {
      operations: ['layerNorm'],
      inputs: [input(2, 3, 2), input(3, 2), input(3, 2)],
      f: (x, weight, bias) => w.layerNorm(x!, [3, 2], { weight, bias }),
    },
    {
      operations: ['groupNorm'],
      inputs: [input(2, 4, 3), input(4), input(4)],
      f: (x, weight, bias) => w.groupNorm(x!, 2, { weight, bias }),
    },
    {
      operations: ['instanceNorm'],
      inputs: [input(2, 2, 3), input(2), input(2)],
      f: (x, weight, bias) => w.instanceNorm(x!, { weight, bias }),
    },
  ],
  golden: {
    batch_norm: (t, a) => {
      // The running statistics change in place; the fixture's inputs must not.
      const copyOf = (x: w.Tensor | undefined) => x && w.affine(x, 1, 0);
      const [runningMean, runningVar] = w.noGrad(() => [copyOf(t.running_mean), copyOf(t.running_var)]);
      const { training, momentum, eps } = a as { training: boolean; momentum: number; eps: number };
      const options = { weight: t.weight, bias: t.bias, runningMean, runningVar, training, momentum, eps };
      const y = w.batchNorm(t.x!, options);
      const outputs: Outputs = { y };
      if (training && runningMean) Object.assign(outputs, { running_mean: runningMean, running_var: runningVar });
      return outputs;
    },
    layer_norm: (t, a) =>
      w.layerNorm(t.x!, numbers(a, 'normalized_shape'), { weight: t.weight, bias: t.bias, eps: number(a, 'eps') }),
    group_norm: (t, a) =>
      w.groupNorm(t.x!, number(a, 'groups'), { weight: t.weight, bias: t.bias, eps: number(a, 'eps') }),
  },
};
