// What the tape keeps of tensors until a vjp has read them: as a rule the tensor, within a checkpoint a recipe for it.
import { UseAfterFreeError } from './errors.ts';
import type { TapeNode } from './tape.ts';
import { Parameter, type Tensor } from './tensor.ts';

export interface Saved {
  open(operation: string): Tensor;
  dispose(): void;
}

/** The tensor itself, by a handle of its own. A parameter must still be the one that the forward pass read. */
export class SavedTensor implements Saved {
  readonly #tensor: Tensor;
  readonly #version: number | undefined;

  constructor(tensor: Tensor) {
    this.#tensor = tensor.alias();
    if (tensor.leaf instanceof Parameter) this.#version = tensor.leaf.version;
  }

  open(operation: string): Tensor {
    const { leaf } = this.#tensor;
    if (leaf instanceof Parameter && leaf.version !== this.#version) throw changedInPlace(operation);
    return this.#tensor;
  }

  dispose(): void {
    this.#tensor.dispose();
  }
}

export const changedInPlace = (operation: string): UseAfterFreeError =>
  new UseAfterFreeError(`a parameter that '${operation}' read was changed in place since`, {
    operation: 'backward',
    hint: 'Call backward before the optimiser steps, or run the forward pass again',
  });

/** Takes the place of `SavedTensor` while set: how a checkpoint keeps a recipe instead of values. */
export interface Saver {
  save(tensor: Tensor): Saved;
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
