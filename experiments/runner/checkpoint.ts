// Checkpoints of a run: named groups of arrays (module, optimisers, best weights) and a JSON value, as one safetensors file.
// Values keep their width, so a resumed run goes on with the same bits.
import { readFile, rm } from 'node:fs/promises';
import {
  DataError,
  readSafetensors,
  type SafetensorsEntry,
  type StateDict,
  type StateEntry,
  writeSafetensors,
} from '../../engine/index.ts';
import { writeWhole } from './files.ts';

export interface Checkpoint {
  /** State dicts by name. Names hold no slash. */
  readonly states: Readonly<Record<string, StateDict>>;
  /** Where the run stands: anything that JSON keeps. */
  readonly position: unknown;
}

const POSITION = 'position';
const FINGERPRINT = 'fingerprint';

function entryOf({ shape, values }: StateEntry): SafetensorsEntry {
  const dtype = values instanceof Float64Array ? 'F64' : values instanceof Int32Array ? 'I32' : 'F32';
  return { dtype, shape, data: values };
}

/** Writes one state dict under its own names. */
export const writeState = (
  file: string,
  state: StateDict,
  metadata: Readonly<Record<string, string>>,
): Promise<void> => {
  const tensors = new Map([...state].map(([key, entry]) => [key, entryOf(entry)]));
  return writeWhole(file, writeSafetensors({ tensors, metadata: { ...metadata } }));
};

export async function writeCheckpoint(file: string, checkpoint: Checkpoint, fingerprint: string): Promise<void> {
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [group, state] of Object.entries(checkpoint.states)) {
    for (const [key, entry] of state) tensors.set(`${group}/${key}`, entryOf(entry));
  }
  const metadata = { [POSITION]: JSON.stringify(checkpoint.position), [FINGERPRINT]: fingerprint };
  await writeWhole(file, writeSafetensors({ tensors, metadata }));
}

/** The checkpoint in `file`; undefined if there is none, or if it is another configuration's. Throws DataError on damage. */
export async function readCheckpoint(file: string, fingerprint: string): Promise<Checkpoint | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { tensors, metadata } = readSafetensors(bytes, file);
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

export const removeCheckpoint = (file: string): Promise<void> => rm(file, { force: true });
