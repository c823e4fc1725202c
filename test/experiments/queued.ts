// Runs as they stand in a queue, of a paper that does not exist.
import type { RunJobData } from '../../experiments/queue/jobs.ts';

/** `needs`: jobs whose weights it is made with. */
export const dataOf = (key: string, needs: readonly string[] = []): RunJobData => ({
  version: 'test',
  grid: 'grid',
  key,
  request: { paper: 'p', run: key, seed: 0, preset: 'smoke', device: 'wasm', data: undefined },
  facts: { name: 'none', real: false, checksums: {} },
  needs: needs.map((job) => ({ run: job, weights: 'last', job })),
  then: [],
});
