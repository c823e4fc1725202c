// Pretrained weights from other people's files into a backbone: PyTorch's, Keras's, or safetensors. One function reads a file and
// says what fitted; nothing is loaded unless all that the backbone needs is there, in its shapes.
import {
  ConfigError,
  createDevice,
  DataError,
  defaultDevice,
  type Device,
  type nn,
  type SafetensorsEntry,
  setDefaultDevice,
  type StateDict,
  toStateDict,
} from '../../engine/index.ts';
import { readWeights, type WeightsFile, type WeightsFormat } from '../../engine/io/weights/index.ts';
import { suggestion } from '../runner/suggestion.ts';
import { makeForWeights, type WeightsName, weightsNames } from './backbones.ts';
import { isLeftOut, kerasNameOf, nameOfTorchEntry } from './names.ts';

/** What an import has found. */
export interface ImportReport {
  readonly format: WeightsFormat;
  /** SHA-256 of the file. */
  readonly checksum: string;
  /** Entries of the backbone that the file has. */
  readonly loaded: readonly string[];
  /** Entries of the backbone that the file lacks; counts of batches may be missing. */
  readonly missing: readonly string[];
  /** Entries of the file that neither the backbone nor its classifier has. */
  readonly unexpected: readonly string[];
  /** Entries of the classifier, and of a scaling of pictures, which the backbone leaves out. */
  readonly leftOut: readonly string[];
}

/** The state of a backbone, and where it came from. */
export interface ImportedWeights {
  readonly state: StateDict;
  readonly report: ImportReport;
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** What a file has of a backbone, by the backbone's names. */
interface Matched {
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  readonly report: ImportReport;
}

/** What of a file is whose: under the backbone's names. */
function match(file: WeightsFile, backbone: WeightsName, shapes: Shapes): Matched {
  const { format, tensors } = file;
  const named = new Map<string, SafetensorsEntry>();
  const [leftOut, unexpected]: [string[], string[]] = [[], []];
  const byKerasName = new Map([...shapes.keys()].map((name) => [kerasNameOf(backbone, name), name]));
  for (const [key, entry] of tensors) {
    const name = format === 'Keras, HDF5' ? byKerasName.get(key) : nameOfTorchEntry(backbone, key);
    if (name !== undefined && shapes.has(name)) named.set(name, entry);
    else (isLeftOut(name ?? key) ? leftOut : unexpected).push(key);
  }
  const missing = [...shapes.keys()].filter((name) => !named.has(name) && !name.endsWith('.num_batches_tracked'));
  const found = new Map([...shapes.keys()].flatMap((name) => (named.has(name) ? [[name, named.get(name)!]] : [])));
  const checksum = file.sha256!;
  return { tensors: found, report: { format, checksum, loaded: [...found.keys()], missing, unexpected, leftOut } };
}

const misfitsOf = ({ tensors }: Matched, shapes: Shapes): string[] =>
  [...tensors].flatMap(([name, { shape }]) => (shape.join() === shapes.get(name)!.join() ? [] : [name]));

const shapesOf = (module: nn.Module): Shapes =>
  new Map([...module.namedState()].map(([name, { shape }]) => [name, shape]));

const fits = (imported: Matched, shapes: Shapes): boolean => {
  const { missing, unexpected } = imported.report;
  return !missing.length && !unexpected.length && !misfitsOf(imported, shapes).length;
};

/** The default device, if there is one. */
function deviceInUse(): Device | undefined {
  try {
    return defaultDevice();
  } catch {
    return undefined;
  }
}

const known = new Map<WeightsName, Shapes>();

/** The shapes of a backbone, which is made on a device that keeps no numbers. */
async function shapesOfBackbone(name: WeightsName): Promise<Shapes> {
  const meta = await createDevice('meta');
  const before = deviceInUse();
  setDefaultDevice(meta);
  const shapes = known.get(name) ?? shapesOf(makeForWeights(name));
  setDefaultDevice(before);
  known.set(name, shapes);
  return shapes;
}

const few = (names: readonly string[]): string =>
  names.slice(0, 3).join(', ') + (names.length > 3 ? `, and ${names.length - 3} more` : '');

/** The backbone whose weights these are, other than `backbone`, if there is one. */
export async function ownerOf(read: WeightsFile, backbone?: WeightsName): Promise<WeightsName | undefined> {
  for (const name of weightsNames) {
    if (name === backbone) continue;
    if (read.metadata['backbone'] === name) return name;
    if (read.metadata['backbone'] !== undefined) continue;
    const shapes = await shapesOfBackbone(name);
    if (fits(match(read, name, shapes), shapes)) return name;
  }
  return undefined;
}

/** Throws DataError, in one line, unless the file has all that the backbone needs and nothing else. */
async function check(
  file: string,
  read: WeightsFile,
  imported: Matched,
  backbone: WeightsName,
  shapes: Shapes,
): Promise<void> {
  if (fits(imported, shapes) && (read.metadata['backbone'] ?? backbone) === backbone) return;
  const whose = await ownerOf(read, backbone);
  if (whose) {
    throw new DataError(`${file} holds the weights of ${whose}, not of ${backbone}`, { hint: `Pass --for ${whose}` });
  }
  const { missing, unexpected, loaded } = imported.report;
  const misfits = misfitsOf(imported, shapes);
  const details = { given: `${loaded.length} of ${shapes.size} entries found` };
  if (missing.length) throw new DataError(`${file} lacks weights of ${backbone}: ${few(missing)}`, details);
  if (misfits.length)
    throw new DataError(`${file} has weights of other shapes than ${backbone}: ${few(misfits)}`, details);
  throw new DataError(`${file} has weights that ${backbone} has not: ${few(unexpected)}`, details);
}

function checkName(name: string): asserts name is WeightsName {
  const names: readonly string[] = weightsNames;
  if (names.includes(name)) return;
  throw new ConfigError(`there is no backbone '${name}'`, {
    expected: names.join(', '),
    hint: suggestion(name, names),
  });
}

/**
 * Reads a file of weights for a backbone: a state dict of PyTorch (`.pth`, zip or older), weights of Keras (`.h5`) or
 * safetensors, with its own names or those of the backbone. Throws DataError for a file that is damaged, incomplete or of another backbone, and ConfigError for a name that is not known.
 */
export async function importWeights(file: string, backbone: string): Promise<ImportedWeights> {
  checkName(backbone);
  const read = await readWeights(file);
  const shapes = await shapesOfBackbone(backbone);
  const imported = match(read, backbone, shapes);
  await check(file, read, imported, backbone, shapes);
  return { state: toStateDict(imported.tensors, file), report: imported.report };
}

/**
 * Loads a file of weights, as `importWeights` reads it, into a backbone of this name. Throws the same errors, and changes
 * nothing then. Returns what was found.
 */
export async function loadBackbone(module: nn.Module, backbone: string, file: string): Promise<ImportReport> {
  checkName(backbone);
  const read = await readWeights(file);
  const shapes = shapesOf(module);
  const imported = match(read, backbone, shapes);
  await check(file, read, imported, backbone, shapes);
  module.loadStateDict(toStateDict(imported.tensors, file), { source: file });
  return imported.report;
}
