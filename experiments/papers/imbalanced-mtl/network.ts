// The network of a run: MTI-Net for both tasks or the network of one, with a backbone for the second input (FFM) or that input stacked
// onto the picture (early fusion).
import { manualSeed, type Tensor } from '../../../engine/index.ts';
import { MtiNet, SingleTaskNet } from '../../../models/index.ts';
import type { NetworkSettings, Task } from './settings.ts';

/** Something for each task that a network has. */
export type ByTask<T> = { readonly [task in Task]?: T };

export interface RoomOutputs {
  /** Scores (N, classes, H, W), and metres (N, 1, H, W). */
  readonly predictions: ByTask<Tensor>;
  /** The same at 1/4, 1/8, 1/16 and 1/32 of the sides, from before the tasks have told each other anything. */
  readonly auxiliary: readonly ByTask<Tensor>[];
}

/** Channels of the second input. */
export const channelsOf = (input: Task, settings: NetworkSettings, classes: number): number =>
  input === 'depth' ? settings.depthInput.channels : settings.segmentationInput.encoding === 'one-hot' ? classes : 3;

export class RoomNetwork {
  readonly module: MtiNet | SingleTaskNet;
  readonly settings: NetworkSettings;

  /** A network whose weights are those of a seed. */
  constructor(settings: NetworkSettings, classes: number, seed: number) {
    manualSeed(seed);
    this.settings = settings;
    const { backbone, tasks, second, head, fpmPairing } = settings;
    const more = second ? channelsOf(second.input, settings, classes) : 0;
    const modalities = second?.fusion === 'backbones' ? [3, more] : [3 + more];
    const outputs = (task: Task): number => (task === 'segmentation' ? classes : 1);
    this.module =
      tasks.length > 1
        ? new MtiNet({
            backbone,
            modalities,
            fpmPairing,
            tasks: Object.fromEntries(tasks.map((task) => [task, outputs(task)])),
          })
        : new SingleTaskNet({ backbone, modalities, head, outputs: outputs(tasks[0]!) });
  }

  /** One tensor (N, C, H, W) for each backbone. */
  forward(inputs: readonly Tensor[]): RoomOutputs {
    if (this.module instanceof MtiNet) return this.module.forward(inputs);
    const task = this.settings.tasks[0]!;
    const { prediction, auxiliary } = this.module.predict(inputs);
    return { predictions: { [task]: prediction }, auxiliary: auxiliary.map((each) => ({ [task]: each })) };
  }
}
