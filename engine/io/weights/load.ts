// loadWeights: a file of PyTorch, Keras or safetensors into a module.
import { ConfigError, type nn, type SafetensorsEntry, toStateDict } from '../../index.ts';
import { namesFor, type WeightsMap } from './names.ts';
import { readWeights, type ReadWeightsOptions, type WeightsFormat, type WeightsSource } from './read.ts';

/** How weights are loaded. */
export interface LoadWeightsOptions extends ReadWeightsOptions {
  /** Which entry of the file is for which of the module; see WeightsMap. */
  map?: WeightsMap | undefined;
  /** false: load what matches, and report the rest. Default: true. */
  strict?: boolean | undefined;
}

/** What was found in a file, and where it went. */
export interface LoadWeightsReport {
  readonly format: WeightsFormat;
  /** SHA-256 of the file; undefined in a page that is not secure. */
  readonly sha256: string | undefined;
  /** The published file of that SHA-256, if it is one that is known. */
  readonly published: string | undefined;
  /** Entries of the module that the file had. */
  readonly loaded: readonly string[];
  /** Entries of the module that the file lacks; counts of batches may be missing and are not listed. */
  readonly missing: readonly string[];
  /** Entries that the module lacks, by the names that they had after the map. */
  readonly unexpected: readonly string[];
  /** Entries of the file that the map left out. */
  readonly leftOut: readonly string[];
  /** The texts of a safetensors file. */
  readonly metadata: Readonly<Record<string, string>>;
}

const optionNames = ['map', 'strict', 'name', 'shard'];

function checkOptions(options: LoadWeightsOptions): void {
  const unknown = Object.keys(options).find((key) => !optionNames.includes(key));
  if (unknown === undefined) return;
  throw new ConfigError('there is no such option', {
    operation: 'loadWeights',
    argument: unknown,
    expected: `one of ${optionNames.join(', ')}`,
  });
}

/**
 * Loads weights from a file or its content into a module, as `readWeights` reads them: PyTorch's `.pth` and `.pt`, Keras's `.h5`,
 * safetensors, and indexes of several files. Half-precision numbers become float32; wrappers' prefixes (`module.`, `_orig_mod.`) and
 * the names of torchvision's older DenseNets are understood; a layer of Keras is found under its name (`conv1/kernel` as
 * `conv1.weight`). `map` says the rest.
 *
 * Throws StateDictError, which lists the keys, and changes nothing when a key is missing or unexpected (unless `strict` is false) or
 * when a shape differs; DataError for a file that is damaged or something else; ConfigError for a map that does not fit the file.
 */
export async function loadWeights(
  module: nn.Module,
  source: WeightsSource,
  options: LoadWeightsOptions = {},
): Promise<LoadWeightsReport> {
  checkOptions(options);
  const { map, strict = true, name, shard } = options;
  const file = await readWeights(source, { name, shard });
  const own = new Set([...module.namedState()].map(([key]) => key));
  const names = namesFor(file, own, map);
  const named = new Map<string, SafetensorsEntry>();
  const leftOut: string[] = [];
  for (const [key, tensor] of file.tensors) {
    const target = names.get(key);
    if (target === undefined) leftOut.push(key);
    else named.set(target, tensor);
  }
  const report = module.loadStateDict(toStateDict(named, file.name), { strict, source: file.name });
  const { format, sha256, published, metadata } = file;
  const loaded = [...own].filter((key) => named.has(key));
  return { format, sha256, published, loaded, ...report, leftOut, metadata };
}
