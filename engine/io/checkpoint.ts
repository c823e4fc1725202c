// Checkpoints of modules as safetensors files, to and from other frameworks: one file, or several with an index that says
// which tensor is in which. Leaves out the state of optimisers: `optimizer.stateDict()` goes through saveCheckpoint too.
import { takes } from '../call-check.ts';
import { DataError } from '../errors.ts';
import { type LoadReport, Module, type StateDict, type StateEntry } from '../nn/module.ts';
import { flag, optionsWith, text, texts, value, withMethod } from '../parameters.ts';
import { readWhole, writeWhole } from './files.ts';
import { readIndex } from './shards.ts';
import { readStateDict, writeStateDict } from './state-dict.ts';

/** What is saved beside the parameters. */
export interface SaveCheckpointOptions {
  /** Texts for the file's `__metadata__`. Default: `format: pt`. */
  metadata?: Readonly<Record<string, string>>;
}

const takesSave = takes('saveCheckpoint', {
  file: text,
  source: value,
  options: optionsWith<SaveCheckpointOptions>({ metadata: texts }),
});

/** Writes the state of a module, or a state dict, to a safetensors file, whole or not at all. Makes its folder. */
export async function saveCheckpoint(
  ...args: [file: string, source: Module | ReadonlyMap<string, StateEntry>, options?: SaveCheckpointOptions]
): Promise<void> {
  const [file, source, { metadata } = {}] = takesSave(args);
  const state = source instanceof Module ? await source.stateDict() : source;
  await writeWhole(file, writeStateDict(state, metadata));
}

/** What a checkpoint file holds. */
export interface CheckpointFile {
  readonly state: StateDict;
  readonly metadata: Readonly<Record<string, string>>;
}

const takesRead = takes('readCheckpoint', { file: text });

/**
 * The tensors of a safetensors file, or of all files of an index (`model.safetensors.index.json`). Throws DataError naming
 * the file, and the byte where it is damaged.
 */
export async function readCheckpoint(...args: [file: string]): Promise<CheckpointFile> {
  const [file] = takesRead(args);
  const content = await readWhole(file);
  return file.endsWith('.json') ? readShards(file, content) : readStateDict(content, file);
}

/** How strictly a checkpoint is loaded. */
export interface LoadCheckpointOptions {
  /** false: load what matches, and report the rest. */
  strict?: boolean;
}

const takesLoad = takes('loadCheckpoint', {
  file: text,
  module: withMethod('loadStateDict', 'a module'),
  options: optionsWith<LoadCheckpointOptions>({ strict: flag }),
});

/**
 * Loads a safetensors file or an index of such files into a module. Throws StateDictError, which lists the keys, and changes
 * nothing when a key is missing or unexpected (unless `strict` is false) or when a shape or the kind of numbers differs.
 * Returns what did not match, and the file's metadata.
 */
export async function loadCheckpoint(
  ...args: [file: string, module: Module, options?: LoadCheckpointOptions]
): Promise<LoadReport & { metadata: Readonly<Record<string, string>> }> {
  const [file, module, { strict = true } = {}] = takesLoad(args);
  const { state, metadata } = await readCheckpoint(file);
  return { ...module.loadStateDict(state, { strict, source: file }), metadata };
}

async function readShards(file: string, content: Uint8Array): Promise<CheckpointFile> {
  const state: StateDict = new Map();
  let metadata: Readonly<Record<string, string>> = {};
  for (const [shard, names] of readIndex(file, content)) {
    const path = file.replace(/[^/\\]*$/, shard);
    const read = readStateDict(await readWhole(path), path);
    metadata = { ...metadata, ...read.metadata };
    for (const name of names) {
      const entry = read.state.get(name);
      if (!entry) throw new DataError(`${path} lacks '${name}', which ${file} lists`);
      state.set(name, entry);
    }
  }
  return { state, metadata };
}
