// The step of MultiDepth: sparse regression and classification of log depth under learned weights, Adam, as `reproduce` runs
// it, dropout included. Losses are compared in inference mode, where nothing is dropped.
import { noGrad, random, tensor, squeeze } from '../../engine/index.ts';
import { IGNORED } from '../../experiments/papers/multidepth/log-depth.ts';
import { sparseCrossEntropy, sparseMse } from '../../experiments/papers/multidepth/losses.ts';
import { settingsOf } from '../../experiments/papers/multidepth/presets.ts';
import type { HostBatch } from '../../experiments/papers/multidepth/samples.ts';
import type { Patch } from '../../experiments/papers/multidepth/settings.ts';
import { Trainer } from '../../experiments/papers/multidepth/step.ts';
import { type Sizes, fixedValues } from '../peers/protocol.mjs';
import { fixWeights, onDevice, SEEDS, type TrainingStep } from './step.ts';

export type MultiDepthShape = Sizes<
  'batch' | 'size' | 'baseWidth' | 'classes' | 'learningRate' | 'weightsLearningRate' | 'weightDecay' | 'checkedSteps'
> & { readonly blocks: readonly number[] };

const settings = (preset: 'laptop' | 'paper', patch: Patch) => settingsOf({ weighting: 'learned', patch }, preset);

/** The sizes of a preset at one of the paper's two patches. */
export function multiDepthShape(preset: 'laptop' | 'paper', patch: Patch = 128): MultiDepthShape {
  const { batch, baseWidth, blocks, classes, learningRate, weightsLearningRate, weightDecay, ...rest } = settings(
    preset,
    patch,
  );
  const rates = { learningRate, weightsLearningRate, weightDecay };
  return { batch, size: rest.patch, baseWidth, blocks, classes, ...rates, checkedSteps: 0 };
}

/** Half of the pixels have a depth. */
function batchOf({ batch, size, classes }: MultiDepthShape): HostBatch {
  const pixels = batch * size * size;
  const target = fixedValues(pixels, SEEDS.other).map((value) => Math.max(0, value));
  const labels = Int32Array.from(target, (t) => (t === 0 ? IGNORED : Math.floor(t * classes)));
  const picture = fixedValues(3 * pixels, SEEDS.image);
  return { count: batch, height: size, width: size, picture, target, labels, withoutDepth: 0 };
}

function build(shape: MultiDepthShape): TrainingStep {
  const { blocks, size: patch, ...rest } = shape;
  const trainer = new Trainer({
    ...settings('laptop', 128),
    ...rest,
    patch,
    blocks: blocks as [number, number, number, number],
  });
  const { model, weights } = trainer;
  fixWeights(model);
  const data = batchOf(shape);
  const { count, height, width } = data;
  let k = 0;
  return {
    async step() {
      const step = k++;
      return (await trainer.step(data, step, () => random(0, 'multidepth dropout', step))).combined;
    },
    fixedLosses() {
      model.eval();
      const { regression, logits } = noGrad(() => model.forward(tensor(data.picture, [count, 3, height, width])));
      model.train();
      const target = tensor(data.target, [count, height, width]);
      const labels = tensor(data.labels, [count, height, width]);
      return [sparseMse(squeeze(regression!, 1), target), sparseCrossEntropy(logits!, labels)];
    },
    parameterCount: model.parameterCount() + (weights?.parameterCount() ?? 0),
    dispose: () => trainer.dispose(),
  };
}

export const multiDepthStep = onDevice(build);
