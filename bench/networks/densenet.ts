// A dense block and the whole DenseNet-169 that is the encoder of the DenseDepth paper: mean square of what comes out, SGD with
// momentum. The decoder and the losses of the paper are not here.
import { mean, type nn, SGD, square, type Tensor } from '../../engine/index.ts';
import { DenseBlock, DenseNet } from '../../models/index.ts';
import type { Sizes } from '../peers/protocol.mjs';
import { fixedTensor, fixWeights, onDevice, SEEDS, type TrainingStep } from './step.ts';

type Training = Sizes<'batch' | 'height' | 'width' | 'learningRate' | 'momentum' | 'checkedSteps'>;
export type DenseBlockShape = Training & Sizes<'channels' | 'layers' | 'growth'>;
export type DenseNetShape = Training & Sizes<'depth'>;

function training(
  model: nn.Module & { forward(x: Tensor): Tensor },
  channels: number,
  { batch, height, width, learningRate: lr, momentum }: Training,
): TrainingStep {
  fixWeights(model);
  const optimizer = new SGD(model.parameters(), { lr, momentum });
  const x = fixedTensor([batch, channels, height, width], SEEDS.image);
  return {
    step() {
      const loss = mean(square(model.forward(x)));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    },
    parameterCount: model.parameterCount(),
    dispose: () => [model, optimizer, x].forEach((each) => each.dispose()),
  };
}

export const denseBlockStep = onDevice((shape: DenseBlockShape) =>
  training(new DenseBlock(shape.layers, shape.channels, shape.growth), shape.channels, shape),
);

export const denseNetStep = onDevice((shape: DenseNetShape) => training(new DenseNet(shape.depth as 169), 3, shape));
