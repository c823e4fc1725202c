// Checkpoints of a run: named groups of arrays (module, optimisers, best weights) and a JSON value, as one safetensors file
// with a checksum inside. Values keep their width, so a resumed run goes on with the same bits. The checkpoint before the last
// one is kept beside it, for a disk may lose what it has said it wrote.
import { createHash } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import {
  DataError,
  readSafetensors,
  type Safetensors,
  type SafetensorsEntry,
  type StateDict,
  type StateEntry,
  writeSafetensors,
} from '../../engine/index.ts';
import { readWhole, writeWhole } from './files.ts';

export interface Checkpoint {
  /** State dicts by name. Names hold no slash. */
  readonly states: Readonly<Record<string, StateDict>>;
  /** Where the run stands: anything that JSON keeps. */
  readonly position: unknown;
}

const POSITION = 'position';
const FINGERPRINT = 'fingerprint';
const CHECKSUM = 'sha256';

/** Where the checkpoint before the last one is kept. */
const previousOf = (file: string): string => file.replace(/(\.safetensors)?$/, '.previous$1');

function entryOf({ shape, values }: StateEntry): SafetensorsEntry {
  const dtype = values instanceof Float64Array ? 'F64' : values instanceof Int32Array ? 'I32' : 'F32';
  return { dtype, shape, data: values };
}

/** Of all names, types, sizes and values, and of the other texts among the metadata. */
function checksumOf({ tensors, metadata }: Safetensors): string {
  const { [CHECKSUM]: _, ...texts } = metadata;
  const hash = createHash('sha256').update(JSON.stringify(Object.entries(texts).sort()));
  for (const name of [...tensors.keys()].sort()) {
    const { dtype, shape, data } = tensors.get(name)!;
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/** Writes one state dict under its own names, with a checksum. */
export const writeState = (
  file: string,
  state: StateDict,
  metadata: Readonly<Record<string, string>>,
): Promise<void> => {
  const tensors = new Map([...state].map(([key, entry]) => [key, entryOf(entry)]));
  const checksum = checksumOf({ tensors, metadata: { ...metadata } });
  return writeWhole(file, writeSafetensors({ tensors, metadata: { ...metadata, [CHECKSUM]: checksum } }));
};

/** Writes a checkpoint. The last one becomes the one before: there is a whole one at every instant. */
export async function writeCheckpoint(file: string, checkpoint: Checkpoint, fingerprint: string): Promise<void> {
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [group, state] of Object.entries(checkpoint.states)) {
    for (const [key, entry] of state) tensors.set(`${group}/${key}`, entryOf(entry));
  }
  const metadata: Record<string, string> = {
    [POSITION]: JSON.stringify(checkpoint.position),
    [FINGERPRINT]: fingerprint,
  };
  metadata[CHECKSUM] = checksumOf({ tensors, metadata });
  const next = `${file}.next`;
  await writeWhole(next, writeSafetensors({ tensors, metadata }));
  await rename(file, previousOf(file)).catch(ignoreAbsence);
  await rename(next, file);
}

const isAbsence = (error: unknown): boolean => (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';

function ignoreAbsence(error: unknown): undefined {
  if (isAbsence(error) || (error instanceof DataError && isAbsence(error.cause))) return undefined;
  throw error;
}

/** The content of a file, which is what was written. Throws DataError on damage. */
function readContent(bytes: Uint8Array, file: string): Safetensors {
  const content = readSafetensors(bytes, file);
  const given = checksumOf(content);
  if (content.metadata[CHECKSUM] === given) return content;
  throw new DataError(`${file}: the content is not what was written`, {
    expected: `sha256 ${content.metadata[CHECKSUM]}`,
    given,
  });
}

/** The checksum of what a file of checkpoints or weights holds. Throws DataError where it is not there, or not whole. */
export async function checkpointChecksum(file: string): Promise<string> {
  return readContent(await readWhole(file), file).metadata[CHECKSUM]!;
}

/** What is wrong with a file of checkpoints or weights; undefined where it is whole. */
export async function checkpointFault(file: string): Promise<string | undefined> {
  try {
    await checkpointChecksum(file);
    return undefined;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return error.reason;
  }
}

/** The checkpoint in one file; undefined if there is none, or if it is another configuration's. Throws DataError on damage. */
async function readOne(file: string, fingerprint: string): Promise<Checkpoint | undefined> {
  const bytes = await readWhole(file).catch(ignoreAbsence);
  if (!bytes) return undefined;
  const { tensors, metadata } = readContent(bytes, file);
  if (metadata[FINGERPRINT] !== fingerprint) return undefined;
  const states: Record<string, StateDict> = {};
  for (const [name, { shape, data }] of tensors) {
    const cut = name.indexOf('/');
    if (!(data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array)) {
      throw new DataError(`${file}: '${name}' has an element type that checkpoints do not use`);
    }
    const group = (states[name.slice(0, cut)] ??= new Map());
    group.set(name.slice(cut + 1), { shape: [...shape], values: data });
  }
  return { states, position: JSON.parse(metadata[POSITION] ?? 'null') as unknown };
}

/**
 * The last whole checkpoint of `file`: itself or the one before. Undefined if there is none, or if it is another configuration's.
 * `notice` is told of damage and of what follows from it; there is nothing that the user must do.
 */
export async function readCheckpoint(
  file: string,
  fingerprint: string,
  notice: (text: string) => void = () => undefined,
): Promise<Checkpoint | undefined> {
  const damage: string[] = [];
  for (const candidate of [file, previousOf(file)]) {
    try {
      const checkpoint = await readOne(candidate, fingerprint);
      if (!checkpoint) continue;
      if (damage.length > 0) notice(`${damage.join('; ')}: going on from the checkpoint before it`);
      return checkpoint;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      damage.push(error.reason);
    }
  }
  if (damage.length > 0) notice(`${damage.join('; ')}: the run starts again from its beginning`);
  return undefined;
}

/** Removes all that checkpoints of a run have left. */
export async function removeCheckpoint(file: string): Promise<void> {
  for (const each of [file, previousOf(file), `${file}.next`]) await rm(each, { force: true });
}
