// A run as its paper's training sees it: checkpoints go into one file, and the run is killed after so many of them.
import type { Device } from '../../engine/index.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../experiments/runner/checkpoint.ts';
import type { RunContext } from '../../experiments/runner/paper.ts';

/** Ends with the error `killed` once `saves` checkpoints have been written. `saved` tells of each. */
export function killedRun(
  file: string,
  device: Device,
  saves = Infinity,
  saved: () => void = () => undefined,
): RunContext {
  let count = 0;
  return {
    run: 'test',
    seed: 3,
    preset: 'smoke',
    device,
    data: undefined,
    resume: () => readCheckpoint(file, 'test'),
    async save(checkpoint: Checkpoint) {
      await writeCheckpoint(file, checkpoint, 'test');
      saved();
      if (++count === saves) throw new Error('killed');
    },
    keep: () => Promise.resolve(),
    progress: () => Promise.resolve(),
  };
}
