// Looking at a network without training it: in inference mode or with the statistics of each batch, a batch at a time, without a
// tape. What it has come to is left as it was.
import { nn, noGrad, scope } from '../../engine/index.ts';
import type { Pause } from './training.ts';

/** Runs `body` with the modules in inference mode. They are in training mode afterwards. */
export async function inference<T>(modules: readonly nn.Module[], body: () => Promise<T>): Promise<T> {
  modules.forEach((module) => module.eval());
  try {
    return await body();
  } finally {
    modules.forEach((module) => module.train());
  }
}

/** Runs `body` with the statistics of each batch in batch norm, in training mode, and leaves the running ones as they were. */
export async function withBatchStatistics<T>(modules: readonly nn.Module[], body: () => Promise<T>): Promise<T> {
  const state = modules.flatMap((module) => [...module.namedState()].map(([, value]) => value));
  const running = state.filter((value) => value instanceof nn.Buffer);
  const before = await Promise.all(running.map((value) => value.array()));
  const counters = state.filter((value) => value instanceof nn.Counter);
  const counts = counters.map(({ value }) => value);
  modules.forEach((module) => module.train());
  try {
    return await body();
  } finally {
    running.forEach((value, i) => value.device.write(value.storage, before[i]!));
    counters.forEach((counter, i) => (counter.value = counts[i]!));
  }
}

/** Items of a cohort, to be read in their own order. */
export interface Readable<Batch> {
  readonly count: number;
  /** Items of a batch; the last one may have fewer. */
  readonly batch: number;
  /** Items `first` to `end - 1`. */
  read(first: number, end: number): Batch | Promise<Batch>;
}

/**
 * Shows a network a cohort, batch by batch: `forward` makes outputs without a tape, `score` looks at them. What a batch has made is
 * released after it.
 */
export async function evaluateInBatches<Batch, Outputs>(
  { count, batch, read }: Readable<Batch>,
  forward: (batch: Batch) => Outputs,
  score: (outputs: Outputs, batch: Batch) => void | Promise<void>,
  pause: Pause,
): Promise<void> {
  for (let first = 0; first < count; first += batch) {
    using _batch = scope();
    const items = await read(first, Math.min(count, first + batch));
    const outputs = noGrad(() => forward(items));
    await score(outputs, items);
    await pause();
  }
}
