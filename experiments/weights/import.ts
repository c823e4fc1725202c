// Pretrained weights from other people's files into a backbone: PyTorch's, Keras's, or safetensors. One function reads a file and
// says what fitted; nothing is loaded unless all that the backbone needs is there, in its shapes.
import { createHash } from 'node:crypto';
import {
  ConfigError,
  createDevice,
  DataError,
  defaultDevice,
  type Device,
  type nn,
  readStateDict,
  setDefaultDevice,
  type StateDict,
  type StateEntry,
  writeSafetensors,
} from '../../engine/index.ts';
import { foreignFile } from '../../engine/io/content.ts';
import { readWhole } from '../../engine/io/files.ts';
import { suggestion } from '../runner/suggestion.ts';
import { makeForWeights, type WeightsName, weightsNames } from './backbones.ts';
import { readKerasWeights } from './keras-file.ts';
import { isLeftOut, kerasNameOf, nameOfTorchEntry } from './names.ts';
import { isTorchPickle, readTorchPickle, readTorchZip } from './torch-file.ts';

/** What a file turned out to be. */
export type WeightsFormat = 'PyTorch, zip' | 'PyTorch, before 1.6' | 'Keras, HDF5' | 'safetensors';

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

interface WeightsFile {
  readonly format: WeightsFormat;
  readonly checksum: string;
  /** By the file's own names. */
  readonly entries: StateDict;
  /** What `wgrad weights import` noted: whose weights they are. */
  readonly backbone?: string;
}

const isDepthwise = (name: string): boolean => name.includes('dwconv');

async function readWeightsFile(file: string): Promise<WeightsFile> {
  const bytes = await readWhole(file);
  const checksum = createHash('sha256').update(bytes).digest('hex');
  const starts = (text: string): boolean => Buffer.from(bytes.subarray(0, text.length)).toString('latin1') === text;
  const fromTorch = (format: WeightsFormat, tensors: ReturnType<typeof readTorchZip>): WeightsFile => ({
    format,
    checksum,
    entries: readStateDict(writeSafetensors({ tensors }), file).state,
  });
  if (starts('PK\x03\x04')) return fromTorch('PyTorch, zip', readTorchZip(bytes, file));
  if (isTorchPickle(bytes)) return fromTorch('PyTorch, before 1.6', readTorchPickle(bytes, file));
  if (starts('\x89HDF\r\n\x1a\n')) {
    return { format: 'Keras, HDF5', checksum, entries: await readKerasWeights(file, isDepthwise) };
  }
  // Eight bytes of length, then a JSON object.
  if (bytes.length < 9 || bytes[8] !== 0x7b)
    throw foreignFile(file, bytes, 'a .pth, .h5 or .safetensors file of weights');
  const { state, metadata } = readStateDict(bytes, file);
  return {
    format: 'safetensors',
    checksum,
    entries: state,
    ...(metadata['backbone'] && { backbone: metadata['backbone'] }),
  };
}

/** What of a file is whose: under the backbone's names. */
function match({ format, checksum, entries }: WeightsFile, backbone: WeightsName, shapes: Shapes): ImportedWeights {
  const named = new Map<string, StateEntry>();
  const [leftOut, unexpected]: [string[], string[]] = [[], []];
  const byKerasName = new Map([...shapes.keys()].map((name) => [kerasNameOf(backbone, name), name]));
  for (const [key, entry] of entries) {
    const name = format === 'Keras, HDF5' ? byKerasName.get(key) : nameOfTorchEntry(backbone, key);
    if (name !== undefined && shapes.has(name)) named.set(name, entry);
    else (isLeftOut(name ?? key) ? leftOut : unexpected).push(key);
  }
  const missing = [...shapes.keys()].filter((name) => !named.has(name) && !name.endsWith('.num_batches_tracked'));
  const state: StateDict = new Map(
    [...shapes.keys()].flatMap((name) => (named.has(name) ? [[name, named.get(name)!]] : [])),
  );
  return { state, report: { format, checksum, loaded: [...state.keys()], missing, unexpected, leftOut } };
}

const misfitsOf = ({ state }: ImportedWeights, shapes: Shapes): string[] =>
  [...state].flatMap(([name, { shape }]) => (shape.join() === shapes.get(name)!.join() ? [] : [name]));

const shapesOf = (module: nn.Module): Shapes =>
  new Map([...module.namedState()].map(([name, { shape }]) => [name, shape]));

const fits = (imported: ImportedWeights, shapes: Shapes): boolean => {
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

/** Another backbone whose weights these are, if there is one. */
async function ownerOf(read: WeightsFile, backbone: WeightsName): Promise<WeightsName | undefined> {
  for (const name of weightsNames) {
    if (name === backbone) continue;
    if (read.backbone === name) return name;
    if (read.backbone !== undefined) continue;
    const shapes = await shapesOfBackbone(name);
    if (fits(match(read, name, shapes), shapes)) return name;
  }
  return undefined;
}

/** Throws DataError, in one line, unless the file has all that the backbone needs and nothing else. */
async function check(
  file: string,
  read: WeightsFile,
  imported: ImportedWeights,
  backbone: WeightsName,
  shapes: Shapes,
): Promise<void> {
  if (fits(imported, shapes) && (read.backbone ?? backbone) === backbone) return;
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
  const read = await readWeightsFile(file);
  const shapes = await shapesOfBackbone(backbone);
  const imported = match(read, backbone, shapes);
  await check(file, read, imported, backbone, shapes);
  return imported;
}

/**
 * Loads a file of weights, as `importWeights` reads it, into a backbone of this name. Throws the same errors, and changes
 * nothing then. Returns what was found.
 */
export async function loadBackbone(module: nn.Module, backbone: string, file: string): Promise<ImportReport> {
  checkName(backbone);
  const read = await readWeightsFile(file);
  const shapes = shapesOf(module);
  const imported = match(read, backbone, shapes);
  await check(file, read, imported, backbone, shapes);
  module.loadStateDict(imported.state, { source: file });
  return imported.report;
}
