// A data set that is asked for its samples by index, and one that other threads can make again, from the module that makes it.
import { takes } from '../call-check.ts';
import { ConfigError, DataError, showGiven } from '../errors.ts';
import { optional, value } from '../parameters.ts';

/** Samples by index. */
export interface Dataset<Sample = unknown> {
  /** How many samples there are. */
  readonly length: number;
  /**
   * Sample `index`, from 0. What is drawn for it, as for augmentation, should depend on `epoch` and `index` alone, as in
   * `random(seed, 'crop', epoch * length + index)`: then batches are the same with any number of workers.
   */
  get(index: number, epoch: number): Sample | Promise<Sample>;
}

/** What the module of a data set exports by default. */
export type DatasetFactory<Sample = unknown, Options = unknown> = (
  options: Options,
) => Dataset<Sample> | Promise<Dataset<Sample>>;

/** What a thread needs to make a data set. */
export interface DatasetSource {
  /** The address of its module. */
  readonly module: string;
  /** Copied to the threads (structured clone). */
  readonly options: unknown;
}

const sources = new WeakMap<object, DatasetSource>();

/** Where a data set comes from; undefined for one that was not opened by `openDataset`. */
export const sourceOf = (dataset: Dataset): DatasetSource | undefined => sources.get(dataset);

/** Throws ConfigError for what is no data set. */
export function checkDataset(operation: string, given: unknown): asserts given is Dataset {
  const { length, get } = (given ?? {}) as Partial<Dataset>;
  if (Number.isSafeInteger(length) && length! >= 0 && typeof get === 'function') return;
  throw new ConfigError('not a data set', {
    operation,
    argument: 'dataset',
    expected: 'an object with a length and a function get(index)',
    given: showGiven(given),
    hint: given instanceof Promise ? 'Await it first' : undefined,
  });
}

/** The data set of a module, made in this thread. */
export async function makeDataset({ module, options }: DatasetSource): Promise<Dataset> {
  const { default: factory } = (await import(module)) as { default?: unknown };
  if (typeof factory !== 'function') {
    throw new DataError('the module of a data set has no factory', {
      operation: 'openDataset',
      argument: 'module',
      expected: 'export default (options) => ({ length, get(index) { ... } })',
      given: `${module} with ${typeof factory}`,
    });
  }
  const dataset: unknown = await (factory as DatasetFactory)(options);
  checkDataset('openDataset', dataset);
  return dataset;
}

const takesOpen = takes('openDataset', { module: value, options: optional(value) });

/**
 * The data set that a module makes, by its default export, from `options`. Workers of a DataLoader load the same module with a
 * copy of the options: `await openDataset(new URL('./digits.js', import.meta.url), { folder })`. Rejects with what the module
 * throws, and with DataError where it exports no factory.
 */
export async function openDataset<Sample, Options>(
  ...args: [module: URL | string, options?: Options]
): Promise<Dataset<Sample>> {
  const [module, options] = takesOpen(args);
  const source = { module: String(module), options };
  const dataset = await makeDataset(source);
  sources.set(dataset, source);
  return dataset as Dataset<Sample>;
}
