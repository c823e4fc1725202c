// The step of densedepth: DenseNet-169 frozen, with running statistics, the decoder of depth and the head of classes trained by both
// losses and Adam with AMSGrad. Every step computes what the encoder sees, which `reproduce` keeps; nothing is dropped.
import { Adam, noGrad, tensor } from '../../engine/index.ts';
import { taskLosses } from '../../experiments/papers/densedepth/losses.ts';
import { settingsOf } from '../../experiments/papers/densedepth/presets.ts';
import { DenseDepth, makeBackbone } from '../../models/index.ts';
import type { Sizes } from '../peers/protocol.mjs';
import { fixedTensor, fixWeights, onDevice, SEEDS, type TrainingStep } from './step.ts';

export type DenseDepthShape = Sizes<
  'batch' | 'height' | 'width' | 'filters' | 'lastFilters' | 'classes' | 'learningRate' | 'range' | 'checkedSteps'
>;

const CLASSES = 3;
const settings = settingsOf({ network: 'densenet', protocol: 'final' }, 'paper');

/** The sizes of the paper. */
export function denseDepthShape(): DenseDepthShape {
  const { batch, height, width, filters, lastFilters, learningRate, range } = settings;
  return { batch, height, width, filters, lastFilters, classes: CLASSES, learningRate, range, checkedSteps: 2 };
}

function build({ batch, height, width, classes, learningRate: lr, range, ...heads }: DenseDepthShape): TrainingStep {
  const { filters, lastFilters } = heads;
  const model = new DenseDepth(makeBackbone('densenet169'), { classes, filters, lastFilters, dropout: 0 });
  fixWeights(model);
  model.freezeBackbone();
  const trained = [...model.parameters()].filter((parameter) => parameter.requiresGrad);
  const optimizer = new Adam(trained, { lr, amsgrad: true });
  const picture = fixedTensor([batch, 3, height, width], SEEDS.image);
  const depth = fixedTensor([batch, 1, height, width], SEEDS.other);
  const labels = tensor(
    Int32Array.from({ length: batch }, (_, i) => i % classes),
    [batch],
  );
  return {
    step() {
      const taps = noGrad(() => model.encode(picture));
      const { loss } = taskLosses(model.heads(taps), { depth, labels }, { weights: settings.lossWeights, range });
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    },
    parameterCount: model.parameterCount(),
    dispose: () => [model, optimizer, picture, depth, labels].forEach((each) => each.dispose()),
  };
}

export const denseDepthStep = onDevice(build);
