// Surroundings for a training of one's own: one file that holds its last checkpoint.
import { createHash } from 'node:crypto';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { Surroundings } from './training.ts';

/** Options of `checkpointFile`. */
export interface CheckpointFileOptions {
  /** Every value that decides the result. A checkpoint of others in the file is not taken up, and overwritten. */
  readonly settings: unknown;
  /** Told after each step how many there have been of how many. */
  readonly progress?: (done: number, total: number) => void | Promise<void>;
  /** Told of damage to the file, and of what follows from it. */
  readonly notice?: (text: string) => void;
}

/**
 * Where `train` keeps its checkpoints: in `file`, which appears by renaming, so that a process killed at any instant leaves a whole
 * one. The one before is kept beside it and taken where the last one is damaged. The file stays when the training has ended; the
 * same call then goes straight to its `finish`.
 */
export function checkpointFile(file: string, { settings, progress, notice }: CheckpointFileOptions): Surroundings {
  const fingerprint = createHash('sha256').update(JSON.stringify(settings)).digest('hex');
  return {
    resume: () => readCheckpoint(file, fingerprint, notice),
    save: (checkpoint) => writeCheckpoint(file, checkpoint, fingerprint),
    progress: async (done, total) => progress?.(done, total),
  };
}
