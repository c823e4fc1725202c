// What is trained, in which order: one phase for the stitched networks, two for OEQ (first the auxiliary network, then, with its
// features as constants, the segmentation network; section 5 of the specification).
import { Adam, type nn, noGrad, type Tensor } from '../../../engine/index.ts';
import type { PetOutputs, PetTask } from '../../../models/index.ts';
import { type TaskWeights, type TermWeights, weightingOf } from './losses.ts';
import type { PetNetworks } from './networks.ts';
import { networkTasks, type TrainingSettings } from './settings.ts';

export interface Phase {
  readonly epochs: number;
  readonly tasks: readonly PetTask[];
  readonly optimizer: Adam;
  readonly weighting: TaskWeights;
  readonly termWeights: TermWeights;
  /** Warps whole batches as the authors did. */
  readonly warps: boolean;
  /** Predictions of the tasks, and of those that an earlier phase has trained. */
  forward(x: Tensor): PetOutputs;
}

/** The modules of a run by the name they have in checkpoints. */
export const modulesOf = (networks: PetNetworks): Readonly<Record<string, nn.Module>> =>
  networks.kind === 'joint'
    ? { network: networks.network }
    : { auxiliary: networks.auxiliary, funnel: networks.funnel };

/** All tasks of the trained networks. */
export function predict(networks: PetNetworks, x: Tensor): PetOutputs {
  if (networks.kind === 'joint') return networks.network.forward(x);
  const { features, ...outputs } = networks.auxiliary.forward(x);
  return { ...outputs, segmentation: networks.funnel.forward(x, features) };
}

/** The phases of a run, with fresh optimizers. */
export function phasesOf(networks: PetNetworks, settings: TrainingSettings): Phase[] {
  const { network, epochs, auxiliaryEpochs, learningRate: lr, augmentation } = settings;
  const phase = (
    trained: nn.Module,
    tasks: readonly PetTask[],
    rest: Pick<Phase, 'epochs' | 'warps' | 'forward'>,
  ): Phase => ({
    tasks,
    optimizer: new Adam(trained.parameters(), { lr }),
    ...weightingOf(settings, tasks),
    ...rest,
  });
  if (networks.kind === 'joint') {
    const { network: joint } = networks;
    return [phase(joint, networkTasks[network], { epochs, warps: false, forward: (x) => joint.forward(x) })];
  }
  const { auxiliary, funnel } = networks;
  return [
    phase(auxiliary, ['binary', 'box'], {
      epochs: auxiliaryEpochs,
      warps: augmentation === 'paper',
      forward(x) {
        const { binary, box } = auxiliary.forward(x);
        return { binary, box };
      },
    }),
    phase(funnel, ['segmentation'], {
      epochs,
      warps: false,
      // The authors leave the auxiliary network in training mode: its features vary with the batch.
      forward(x) {
        const { features, ...outputs } = noGrad(() => auxiliary.forward(x));
        return { ...outputs, segmentation: funnel.forward(x, features) };
      },
    }),
  ];
}

/**
 * How many channels before the last convolution speak for the pet: the sum of its weights is larger for the pet than for the
 * background. They have passed a relu, and there is no bias: without such a channel the two scores can at best be equal.
 */
export async function petChannels(networks: PetNetworks): Promise<number> {
  const { weight } = networks.kind === 'joint' ? networks.network.segmentation.conv : networks.funnel.conv;
  const [classes, channels] = weight.shape as [number, number];
  const values = Array.from(await weight.array());
  const area = weight.size / (classes * channels);
  const sumOf = (row: number, channel: number): number =>
    values.slice((row * channels + channel) * area, (row * channels + channel + 1) * area).reduce((a, b) => a + b, 0);
  return Array.from({ length: channels }, (_, channel) => sumOf(1, channel) > sumOf(0, channel)).filter(Boolean).length;
}

/** Values that join branches, by name: one stitch matrix or several, and the sums of FunnelNet. Row by row. */
export function stitchTensors(networks: PetNetworks): [string, Tensor][] {
  if (networks.kind === 'sequential') {
    const { stitch1, stitch2, mix } = networks.funnel;
    return [['stitch1', stitch1.alpha], ['stitch2', stitch2.alpha], ['mix', mix]]; // prettier-ignore
  }
  const units = [...(networks.network.stitches ?? [])];
  return units.map(({ alpha }, i) => [units.length > 1 ? `stitch${i + 1}` : 'stitch', alpha]);
}

/** The entries of those matrices, as `stitch[0][1]`. */
export async function stitchEntries(networks: PetNetworks): Promise<Record<string, number>> {
  const entries: Record<string, number> = {};
  for (const [name, value] of stitchTensors(networks)) {
    const columns = value.shape[1]!;
    for (const [i, entry] of (await value.array()).entries()) {
      entries[`${name}[${Math.floor(i / columns)}][${i % columns}]`] = entry;
    }
  }
  return entries;
}
