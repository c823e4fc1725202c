// The step of the cross-stitch networks: the losses of the tasks, read on the host as the authors' weighting wants, then their
// weighted sum and Adam, phase after phase. The weights stay at their priors, so that every step does the same work.
import { noGrad, stack, type Tensor, tensor } from '../../engine/index.ts';
import { taskLosses, weightedSum } from '../../experiments/papers/cross-stitch/losses.ts';
import { buildNetworks } from '../../experiments/papers/cross-stitch/networks.ts';
import { modulesOf, phasesOf } from '../../experiments/papers/cross-stitch/phases.ts';
import { settingsOf } from '../../experiments/papers/cross-stitch/presets.ts';
import { type NetworkName, networkNames } from '../../experiments/papers/cross-stitch/settings.ts';
import type { Sizes } from '../peers/protocol.mjs';
import { fixedTensor, fixWeights, onDevice, SEEDS, type TrainingStep } from './step.ts';

/** `network` counts the rows of table 1 from 0. */
export type CrossStitchShape = Sizes<'network' | 'batch' | 'size' | 'learningRate' | 'checkedSteps'> & {
  readonly widths: readonly number[];
  readonly headWidths: readonly number[];
};

/** The sizes of a preset. */
export function crossStitchShape(network: NetworkName, preset: 'laptop' | 'paper'): CrossStitchShape {
  const { chunk, chunksPerBatch, size, learningRate, widths, headWidths } = settingsOf({ network }, preset);
  const batch = chunk * chunksPerBatch;
  const row = networkNames.indexOf(network);
  return { network: row, batch, size, learningRate, widths, headWidths, checkedSteps: 3 };
}

function build({ network: row, batch, size, widths, headWidths, learningRate }: CrossStitchShape): TrainingStep {
  const network = networkNames[row]!;
  const settings = {
    ...settingsOf({ network }, 'laptop'),
    widths,
    headWidths: headWidths as [number, number],
    learningRate,
  };
  const networks = buildNetworks(settings);
  const modules = Object.values(modulesOf(networks));
  fixWeights(...modules);
  const phases = phasesOf(networks, settings);
  const corners = [size / 4, size / 4, (3 * size) / 4, (3 * size) / 4];
  const x = fixedTensor([batch, 3, size, size], SEEDS.image);
  const targets = {
    mask: tensor(
      Int32Array.from({ length: batch * size * size }, (_, i) => i % 2),
      [batch, size, size],
    ),
    box: tensor(
      Float32Array.from({ length: 4 * batch }, (_, i) => corners[i % 4]!),
      [batch, 4],
    ),
    species: tensor(Int32Array.from({ length: batch }, (_, i) => i % 2)),
  };
  const update = async ({ forward, tasks, optimizer, weighting }: (typeof phases)[number]): Promise<Tensor> => {
    const losses = taskLosses(forward(x), targets, tasks);
    await noGrad(() => stack(losses)).array();
    const total = weightedSum(losses, await weighting.weights())!;
    optimizer.zeroGrad();
    total.backward();
    optimizer.step();
    return total;
  };
  return {
    async step() {
      let last: Tensor | undefined;
      for (const phase of phases) last = await update(phase);
      return last!;
    },
    parameterCount: modules.reduce((sum, module) => sum + module.parameterCount(), 0),
    dispose() {
      for (const each of [...modules, x, ...Object.values(targets), ...phases.map(({ optimizer }) => optimizer)]) {
        each.dispose();
      }
    },
  };
}

export const crossStitchStep = onDevice(build);
