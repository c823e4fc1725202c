// The step of DenseDepth's toy network, narrow and on small pictures: launches so short that the host's work between them shows.
import { add, crossEntropy, l1Loss, SGD, tensor } from '../../engine/index.ts';
import { ToyDepth } from '../../models/index.ts';
import type { Network } from './index.ts';
import type { Sizes } from '../peers/protocol.mjs';
import { fixedTensor, fixWeights, onDevice, SEEDS, type TrainingStep } from './step.ts';

type ToyShape = Sizes<'batch' | 'size' | 'baseWidth' | 'learningRate' | 'momentum'>;

const toyShape: ToyShape = { batch: 2, size: 32, baseWidth: 4, learningRate: 1e-3, momentum: 0.9 };

const CLASSES = 3;

function build({ batch, size, baseWidth, learningRate: lr, momentum }: ToyShape): TrainingStep {
  const model = new ToyDepth({ classes: CLASSES, baseWidth });
  fixWeights(model);
  const optimizer = new SGD(model.parameters(), { lr, momentum });
  const picture = fixedTensor([batch, 3, size, size], SEEDS.image);
  const depth = fixedTensor([batch, 1, size, size], SEEDS.other);
  const labels = tensor(Int32Array.from({ length: batch }, (_, i) => i % CLASSES));
  return {
    step() {
      const output = model.forward(picture);
      const loss = add(l1Loss(output.depth, depth), crossEntropy(output.logits, labels));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    },
    parameterCount: model.parameterCount(),
    dispose: () => [model, optimizer, picture, depth, labels].forEach((each) => each.dispose()),
  };
}

/** At both sizes the same. Peers do not know it. */
export const toy: Network = {
  name: 'toy',
  title: "DenseDepth's toy network",
  benchmark: 'toy.step',
  build: onDevice(build),
  sizes: { small: [toyShape], paper: [toyShape] },
  isStep: false,
};
