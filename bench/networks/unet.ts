// The step of dmtl: the strategy with one loss for both tasks (cross-entropy + mean squared error of depth), SGD, as
// `reproduce` runs it.
import { tensor } from '../../engine/index.ts';
import { DIGIT_CLASSES } from '../../experiments/data/digits.ts';
import { settingsOf } from '../../experiments/papers/dmtl/presets.ts';
import { stagesOf } from '../../experiments/papers/dmtl/strategies.ts';
import { UNet } from '../../models/index.ts';
import type { Sizes } from '../peers/protocol.mjs';
import { fixedTensor, fixWeights, onDevice, SEEDS, type TrainingStep } from './step.ts';

export type UNetShape = Sizes<
  'batch' | 'size' | 'classes' | 'baseWidth' | 'learningRate' | 'momentum' | 'weightDecay' | 'checkedSteps'
>;

const settings = (preset: 'laptop' | 'paper') =>
  settingsOf({ strategy: 'multitaskLoss', noise: '1:29', n: 3500 }, preset);

/** The sizes of a preset. */
export function unetShape(preset: 'laptop' | 'paper', sizes: Partial<UNetShape> = {}): UNetShape {
  const { batch, images, baseWidth, learningRate, momentum, weightDecay } = settings(preset);
  const classes = DIGIT_CLASSES;
  const checkedSteps = 3;
  const shape = { batch, size: images.size, classes, baseWidth, learningRate, momentum, weightDecay, checkedSteps };
  return { ...shape, ...sizes };
}

function build({ batch, size, classes, baseWidth, learningRate, momentum, weightDecay }: UNetShape): TrainingStep {
  const model = new UNet({ inChannels: 1, classes, baseWidth });
  fixWeights(model);
  const [stage] = stagesOf(model, { ...settings('laptop'), learningRate, momentum, weightDecay });
  const data = {
    input: fixedTensor([batch, 1, size, size], SEEDS.image),
    depth: fixedTensor([batch, 1, size, size], SEEDS.other),
    label: tensor(Int32Array.from({ length: batch }, (_, i) => i % classes)),
    weight: tensor(new Float32Array(classes).fill(1)),
  };
  return {
    step: () => stage!.step((pass) => Promise.resolve(pass({ ...data, share: 1, weightShare: 1 }))),
    parameterCount: model.parameterCount(),
    dispose() {
      model.dispose();
      for (const optimizer of stage!.optimizers) optimizer.dispose();
      for (const each of Object.values(data)) each.dispose();
    },
  };
}

export const unetStep = onDevice(build);
