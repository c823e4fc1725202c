// The DataLoader: an epoch's batches, in an order that a key gives (Philox), fetched ahead and, with workers, in other threads.
// Order and content depend on seed and epoch alone, not on how many threads there are or which is faster.
import { takes } from '../call-check.ts';
import { wholeNumber } from '../checks.ts';
import { ConfigError, showGiven } from '../errors.ts';
import { callback, flag, number, optionsWith, value } from '../parameters.ts';
import { random } from '../random.ts';
import { beginScope, disown } from '../scope.ts';
import { Tensor } from '../tensor.ts';
import { collate, type Collated, isPlain } from './collate.ts';
import { checkDataset, type Dataset, type DatasetSource, sourceOf } from './dataset.ts';
import { WorkerPool } from './pool.ts';
import { sampleError } from './sample-error.ts';

/** Options of a DataLoader. */
export interface DataLoaderOptions<Sample, Batch> {
  /** Samples of a batch; 1 by default. */
  batchSize?: number;
  /** A new order in each epoch. */
  shuffle?: boolean;
  /** The key of the orders, with the number of the epoch; 0 by default. */
  seed?: number;
  /** Leaves out the last batch of an epoch where it is not full. */
  dropLast?: boolean;
  /** Makes a batch of its samples, in this thread; `collate` by default. */
  collate?: (samples: Sample[]) => Batch;
  /** Batches that are fetched before they are asked for; 2 for each worker, or 1 without workers, by default. */
  prefetch?: number;
  /** Threads that fetch samples; 0 by default. The data set must come from `openDataset`. */
  workers?: number;
}

/** Where a DataLoader stands, as plain data. */
export interface DataLoaderState {
  readonly epoch: number;
  /** The batch of the epoch that comes next, from 0. */
  readonly batch: number;
  /** What the order depends on. */
  readonly samples: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly dropLast: boolean;
}

const takesLoader = takes('DataLoader', {
  dataset: value,
  options: optionsWith<DataLoaderOptions<unknown, unknown>>({
    batchSize: number,
    shuffle: flag,
    seed: number,
    dropLast: flag,
    collate: callback,
    prefetch: number,
    workers: number,
  }),
});

/** The tensors in the arrays and objects of a batch. */
function tensorsIn(batch: unknown): Tensor[] {
  if (batch instanceof Tensor) return [batch];
  if (Array.isArray(batch)) return batch.flatMap(tensorsIn);
  return isPlain(batch) ? Object.values(batch).flatMap(tensorsIn) : [];
}

/**
 * The batches of a data set:
 *
 *     using loader = new DataLoader(dataset, { batchSize: 32, shuffle: true, seed: 1 });
 *     for (let epoch = 0; epoch < 3; epoch++) for await (const { x, label } of loader) { ... }
 *
 * Each loop is one epoch. The tensors of a batch are released when the next one is asked for. Leaving a loop early stops the
 * workers, as the end of `using` does; the next loop begins a new epoch then. Throws ConfigError for workers of a data set
 * that was not opened by `openDataset`; a loop throws DataError with the index of a sample that could not be had.
 */
export class DataLoader<Sample, Batch = Collated<Sample>> implements AsyncIterable<Batch> {
  readonly #dataset: Dataset<Sample>;
  readonly #order: Omit<DataLoaderState, 'epoch' | 'batch'>;
  readonly #collate: (samples: Sample[]) => Batch;
  readonly #prefetch: number;
  readonly #workers: number;
  readonly #source: DatasetSource | undefined;
  #pool: Promise<WorkerPool> | undefined;
  #epoch = 0;
  #batch = 0;
  #isRunning = false;

  constructor(...args: [dataset: Dataset<Sample>, options?: DataLoaderOptions<Sample, Batch>]) {
    const [dataset, options = {}] = takesLoader(args);
    checkDataset('DataLoader', dataset);
    const { batchSize = 1, shuffle = false, seed = 0, dropLast = false, workers = 0 } = options;
    const { prefetch = workers > 0 ? 2 * workers : 1 } = options;
    wholeNumber('DataLoader', 'batchSize', batchSize, 1);
    this.#workers = wholeNumber('DataLoader', 'workers', workers, 0);
    this.#prefetch = wholeNumber('DataLoader', 'prefetch', prefetch, 0);
    this.#dataset = dataset;
    this.#order = { samples: dataset.length, batchSize, shuffle, seed, dropLast };
    this.#collate = options.collate ?? (collate as unknown as (samples: Sample[]) => Batch);
    this.#source = sourceOf(dataset);
    if (workers > 0 && !this.#source) {
      throw new ConfigError('workers cannot make this data set', {
        operation: 'DataLoader',
        argument: 'workers',
        expected: 'a data set from openDataset',
        given: `workers: ${workers}`,
        hint: "await openDataset(new URL('./dataset.js', import.meta.url), options) names its module",
      });
    }
  }

  /** Batches of an epoch. */
  get length(): number {
    const { samples, batchSize, dropLast } = this.#order;
    return dropLast ? Math.floor(samples / batchSize) : Math.ceil(samples / batchSize);
  }

  /** What `resume` takes: the batch after the one that was handed out last. */
  state(): DataLoaderState {
    const isEnd = this.#batch >= this.length;
    return { epoch: isEnd ? this.#epoch + 1 : this.#epoch, batch: isEnd ? 0 : this.#batch, ...this.#order };
  }

  /** Goes on from `state`: the next loop yields the rest of its epoch. Throws ConfigError where the order is another one. */
  resume(state: DataLoaderState): void {
    const order = this.#order;
    const differing = (Object.keys(order) as (keyof typeof order)[]).filter((key) => order[key] !== state[key]);
    const list = (of: Partial<DataLoaderState>) => differing.map((key) => `${key}: ${showGiven(of[key])}`).join(', ');
    const { epoch, batch } = state;
    const details = { operation: 'resume', argument: 'state' };
    if (differing.length > 0) {
      throw new ConfigError('the state is of another order', { ...details, expected: list(order), given: list(state) });
    }
    wholeNumber('resume', 'epoch', epoch, 0);
    wholeNumber('resume', 'batch', batch, 0);
    if (this.#isRunning) throw new ConfigError('a loop over the batches is under way', details);
    this.#epoch = epoch;
    this.#batch = batch;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    if (this.#isRunning) throw new ConfigError('a loop over the batches is under way', { operation: 'DataLoader' });
    this.#isRunning = true;
    let isWhole = false;
    let handedOut: Tensor[] = [];
    const release = (): void => {
      for (const tensor of handedOut) tensor.dispose();
      handedOut = [];
    };
    try {
      const epoch = this.#epoch;
      const indices = this.#indices(epoch);
      const { length } = this;
      const queue: Promise<Sample[]>[] = [];
      let started = this.#batch;
      const fill = (most: number): void => {
        for (; started < length && queue.length < most; started++) {
          const { batchSize } = this.#order;
          const fetching = this.#fetch(indices.subarray(batchSize * started, batchSize * (started + 1)), epoch);
          fetching.catch(() => undefined); // told when its turn comes
          queue.push(fetching);
        }
      };
      while (this.#batch < length) {
        fill(Math.max(1, this.#prefetch));
        const samples = await queue.shift()!;
        fill(this.#prefetch);
        const batch = this.#make(samples);
        handedOut = tensorsIn(batch);
        handedOut.forEach(disown);
        this.#batch++;
        yield batch;
        release();
      }
      isWhole = true;
    } finally {
      release();
      this.#epoch++;
      this.#batch = 0;
      this.#isRunning = false;
      if (!isWhole) await this.stop();
    }
  }

  /** Ends the workers, and resolves when they have ended. The next loop starts new ones. */
  async stop(): Promise<void> {
    const pool = await this.#pool;
    this.#pool = undefined;
    await pool?.stop();
  }

  [Symbol.dispose](): void {
    void this.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #indices(epoch: number): Int32Array {
    const { samples, shuffle, seed } = this.#order;
    return shuffle
      ? random(seed, 'DataLoader', epoch).permutation(samples)
      : Int32Array.from({ length: samples }, (_, i) => i);
  }

  async #fetch(indices: Int32Array, epoch: number): Promise<Sample[]> {
    if (this.#workers > 0) {
      this.#pool ??= WorkerPool.start(this.#source!, this.#workers);
      return (await this.#pool).request(indices, epoch) as Promise<Sample[]>;
    }
    const asked = Array.from(indices, async (index) => this.#dataset.get(index, epoch));
    // All are waited for, so that of several failures the first in the batch is told, as a worker does.
    const found = await Promise.allSettled(asked);
    return found.map((each, i) => {
      if (each.status === 'rejected') throw sampleError(indices[i], each.reason);
      return each.value;
    });
  }

  /** A batch. Where making it fails, what it has made so far is released. */
  #make(samples: Sample[]): Batch {
    using made = beginScope();
    const batch = this.#collate(samples);
    made.passOn();
    return batch;
  }
}
