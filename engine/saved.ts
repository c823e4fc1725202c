// What the tape keeps of tensors until a vjp has read them: as a rule the tensor, within `checkpoint` a recipe for it.
import type { Storage } from './devices/device.ts';
import { UseAfterFreeError } from './errors.ts';
import type { TapeNode } from './tape.ts';
import { Parameter, type Tensor } from './tensor.ts';

/**
 * A tensor that a vjp reads, by its place among the inputs or outputs: for the gradient of any input, or for those of the
 * inputs `for` alone.
 */
export type Read = number | { readonly index: number; readonly for: readonly number[] };

/** The inputs of an operation that is linear in each of the first two: the gradient of one reads the other. */
export const eachReadsOther: readonly Read[] = [
  { index: 0, for: [1] },
  { index: 1, for: [0] },
];

/** What the vjp of an operation reads. */
export interface Saves {
  readonly inputs?: readonly Read[];
  readonly outputs?: readonly Read[];
  /** The vjp does with the inputs or with the outputs: it is given those of which none has been changed in place since. */
  readonly either?: true;
}

export interface Saved {
  open(operation: string): Tensor;
  /** Whether `open` would refuse, because of a change in place. */
  readonly isChanged?: boolean;
  /** Lets go of what can be computed again. */
  forget?(): void;
  dispose(): void;
}

/** The tensor itself, by a handle of its own. Its storage must still hold what the forward pass read there. */
export class SavedTensor implements Saved {
  readonly #tensor: Tensor;
  readonly #version: number;

  constructor(tensor: Tensor) {
    this.#tensor = tensor.alias();
    this.#version = tensor.storage.version;
  }

  get isChanged(): boolean {
    return this.#tensor.storage.version !== this.#version;
  }

  open(operation: string): Tensor {
    if (this.isChanged) throw changedInPlace(operation);
    return this.#tensor;
  }

  dispose(): void {
    this.#tensor.dispose();
  }
}

export const changedInPlace = (operation: string): UseAfterFreeError =>
  new UseAfterFreeError(`a parameter or another tensor that '${operation}' read has been changed in place since`, {
    operation: 'backward',
    hint: 'Call backward before the optimiser steps, or run the forward pass again',
  });

type Needs = readonly unknown[];

const isRead = (read: Read, needs: Needs): boolean =>
  typeof read === 'number' || read.for.some((input) => needs[input]);

type Entries = readonly (Saved | undefined)[];

const nothing: Entries = [];

const isChanged = (saved: Entries): boolean => saved.some((entry) => entry?.isChanged === true);

/** Keeps what `reads` names of `tensors`, entry by entry, if it is read for the gradient of an input that needs one. */
function saveReads(
  tensors: readonly (Tensor | undefined)[],
  reads: readonly Read[] | undefined,
  needs: Needs,
): Entries {
  if (!reads) return nothing;
  let saved: (Saved | undefined)[] | undefined;
  try {
    for (let i = 0; i < reads.length; i++) {
      const read = reads[i]!;
      const tensor = tensors[typeof read === 'number' ? read : read.index];
      if (tensor && isRead(read, needs)) (saved ??= [])[i] = saveTensor(tensor);
    }
  } catch (error) {
    for (const entry of saved ?? nothing) entry?.dispose();
    throw error;
  }
  return saved ?? nothing;
}

/** What `saveReads` kept, as far as it is read for the gradients that are needed now, in the places that it had. */
function openReads(saved: Entries, reads: readonly Read[] | undefined, needs: Needs, operation: string): Tensor[] {
  const tensors: Tensor[] = [];
  for (let i = 0; i < saved.length; i++) {
    const read = reads![i]!;
    const entry = saved[i];
    if (entry && isRead(read, needs)) tensors[typeof read === 'number' ? read : read.index] = entry.open(operation);
  }
  return tensors;
}

/** What a node of the tape keeps of its inputs and outputs for its vjp. */
export class SavedReads {
  readonly #saves: Saves;
  readonly #inputs: Entries;
  #outputs = nothing;
  #released = false;

  /** Of `needs`, those inputs that may want a gradient are not undefined. */
  constructor(saves: Saves, inputs: readonly (Tensor | undefined)[], needs: Needs) {
    this.#saves = saves;
    this.#inputs = saveReads(inputs, saves.inputs, needs);
  }

  /** Kept later than the inputs: their handles must point at the node already. */
  keepOutputs(outputs: readonly Tensor[], needs: Needs): void {
    this.#outputs = saveReads(outputs, this.#saves.outputs, needs);
  }

  /** What the gradients that are needed read, each in its place. Throws UseAfterFreeError for what is gone or was changed in place. */
  open(needs: Needs, operation: string): { inputs: Tensor[]; outputs: Tensor[] } {
    if (this.#released) {
      throw new UseAfterFreeError(`the tape of '${operation}' has already been used or its scope has ended`, {
        operation: 'backward',
        hint: 'Pass { retainGraph: true } to the first backward to walk the same graph twice',
      });
    }
    const { inputs, outputs, either } = this.#saves;
    const byOutputs = either && isChanged(this.#inputs);
    const byInputs = either && !byOutputs && isChanged(this.#outputs);
    return {
      inputs: byOutputs ? [] : openReads(this.#inputs, inputs, needs, operation),
      outputs: byInputs ? [] : openReads(this.#outputs, outputs, needs, operation),
    };
  }

  /** Whether there was something to keep, and it has been let go. */
  get isReleased(): boolean {
    return this.#released;
  }

  /** Lets go of what has been recomputed and could be once more. */
  forget(): void {
    for (const saved of this.#inputs) saved?.forget?.();
    for (const saved of this.#outputs) saved?.forget?.();
  }

  /** Lets go of the tensors. Where there are none, the vjp has all that it reads, and `open` goes on working. */
  dispose(): void {
    this.#released = this.#inputs.length + this.#outputs.length > 0;
    for (const saved of this.#inputs) saved?.dispose();
    for (const saved of this.#outputs) saved?.dispose();
  }
}

/** Takes the place of `SavedTensor` while set: how recomputation keeps a recipe instead of values. */
export interface Saver {
  save(tensor: Tensor): Saved;
  /** Told of each buffer that an operation is about to read. */
  reads(storage: Storage): void;
  /** Told of each new node. */
  recorded(node: TapeNode): void;
}

let saver: Saver | undefined;

export const currentSaver = (): Saver | undefined => saver;

export function withSaver<T>(next: Saver, body: () => T): T {
  const before = saver;
  saver = next;
  try {
    return body();
  } finally {
    saver = before;
  }
}

/** Keeps a tensor for later in the way of the moment. Parameters are kept as they are: they live on anyway. */
export const saveTensor = (tensor: Tensor): Saved =>
  saver && !(tensor.leaf instanceof Parameter) ? saver.save(tensor) : new SavedTensor(tensor);
