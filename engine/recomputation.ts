// Recomputation, which PyTorch calls activation checkpointing (Chen et al., "Training deep nets with sublinear memory cost",
// 2016): what a function computes is let go of after the forward pass and computed again when backward first needs it. The
// function leaves its usual nodes on the tape, only that they hold recipes in the place of values, so parameters, hooks, `grad`
// and `createGraph` work as ever and every gradient has the same bits. Leaves out choosing what to recompute. The checkpoints
// that are files, of weights and of runs, have nothing to do with it.
import { takes } from './call-check.ts';
import type { DType } from '../kernels/index.ts';
import type { Storage } from './devices/device.ts';
import { RecomputationError, showShape } from './errors.ts';
import { anyType, callback, listOf } from './parameters.ts';
import { type Random, watchRandom } from './random.ts';
import { changedInPlace, currentSaver, type Saved, type Saver, saveTensor, withSaver } from './saved.ts';
import { scope, tidy } from './scope.ts';
import { sameShape, type Shape } from './shape.ts';
import { gradEnabled, withGradMode } from './grad-mode.ts';
import type { Edge, TapeNode } from './tape.ts';
import { Parameter, type Tensor } from './tensor.ts';

let depth = 0;

/**
 * True while backward runs a function under `checkpoint` again. What a forward pass changes besides its result, such as running
 * statistics, must be left alone then.
 */
export const isRecomputing = (): boolean => depth > 0;

type Result = Tensor | readonly Tensor[];

/** One tensor that the function's nodes want back. */
interface Slot {
  readonly shape: Shape;
  readonly dtype: DType;
  value: Tensor | undefined;
  released: boolean;
}

class Recomputation {
  readonly #f: (...inputs: Tensor[]) => unknown;
  readonly #inputs: readonly Saved[];
  readonly #slots: Slot[] = [];
  /** The function's nodes, and the versions of the buffers that its operations read and did not make. */
  readonly #nodes: TapeNode[] = [];
  readonly #versions = new Map<Storage, number>();
  /** Where the streams that the function draws from stood at their first use. */
  readonly #streams = new Map<Random, number>();
  /** Slots that are still wanted, and one more during the forward pass. */
  #users = 1;
  #isForward = true;

  constructor(f: (...inputs: Tensor[]) => unknown, inputs: readonly Tensor[]) {
    this.#f = f;
    // An input that is given twice is one tensor in the second run too.
    const kept = new Map<Tensor, Saved>();
    for (const input of inputs) if (!kept.has(input)) kept.set(input, keepInput(input));
    this.#inputs = inputs.map((input) => kept.get(input)!);
  }

  /** Runs `body`, which calls the function on the inputs as they were given. */
  forward<R>(body: () => R): R {
    const around = currentSaver();
    const saver: Saver = {
      save: (tensor) => this.#reserve(tensor),
      reads: (storage) => {
        around?.reads(storage);
        if (!this.#versions.has(storage)) this.#versions.set(storage, storage.version);
      },
      recorded: (node) => {
        around?.recorded(node);
        this.#nodes.push(node);
      },
    };
    const watch = (stream: Random): void => {
      if (!this.#streams.has(stream)) this.#streams.set(stream, stream.position);
    };
    try {
      return watchRandom(watch, () => withSaver(saver, body));
    } finally {
      this.#isForward = false;
      // What the function made and let go of is no longer anybody's to change.
      for (const storage of this.#versions.keys()) if (storage.references <= 0) this.#versions.delete(storage);
      this.#leave();
    }
  }

  #reserve({ shape, dtype }: Tensor): Saved {
    const slot: Slot = { shape, dtype, value: undefined, released: false };
    this.#slots.push(slot);
    this.#users++;
    const empty = (): void => {
      slot.value?.dispose();
      slot.value = undefined;
    };
    return {
      open: (operation) => {
        if (!slot.value) this.#recompute(operation);
        return slot.value!;
      },
      // Within another recomputation the inputs have been recomputed too.
      forget: () => {
        empty();
        for (const input of this.#inputs) input.forget?.();
      },
      dispose: () => {
        if (slot.released) return;
        slot.released = true;
        empty();
        this.#leave();
      },
    };
  }

  /** Runs the function again and fills every slot that is still wanted. */
  #recompute(operation: string): void {
    if (this.#isForward) {
      throw new RecomputationError('backward cannot run inside a checkpointed function', {
        operation: 'checkpoint',
        hint: 'Put the checkpoint inside, around the part whose gradient is taken',
      });
    }
    for (const [storage, version] of this.#versions) {
      if (storage.version !== version) throw changedInPlace(operation);
    }
    // Opened first: within another recomputation this may run that one again.
    const inputs = this.#inputs.map((input) => input.open('checkpoint'));
    const replay = new Replay(this.#slots, this.#nodes);
    const positions = [...this.#streams.keys()].map((stream) => [stream, stream.position] as const);
    for (const [stream, position] of this.#streams) stream.position = position;
    depth++;
    try {
      replay.run(() => this.#f(...inputs));
    } finally {
      depth--;
      for (const [stream, position] of positions) stream.position = position;
    }
  }

  #leave(): void {
    if (--this.#users === 0) for (const input of this.#inputs) input.dispose();
  }
}

/**
 * A second run of a function: fills the slots, and checks that it goes as the first one did. Its values take
 * the places on the tape of those of the first run: gradients of gradients then add up there in the same order.
 */
class Replay implements Saver {
  readonly #slots: readonly Slot[];
  readonly #nodes: readonly TapeNode[];
  /** The node of the first run for each of this one. */
  readonly #firsts = new Map<TapeNode, TapeNode>();
  #filled = 0;

  constructor(slots: readonly Slot[], nodes: readonly TapeNode[]) {
    this.#slots = slots;
    this.#nodes = nodes;
  }

  run(body: () => unknown): void {
    using _ = scope();
    try {
      withGradMode(true, () => withSaver(this, body));
      if (this.#filled !== this.#slots.length) throw differs(countOf(this.#slots), String(this.#filled));
      const [expected, given] = [this.#nodes, [...this.#firsts.keys()]].map((run) =>
        run.map(({ name }) => name).join(', '),
      );
      if (given !== expected) throw differs(expected!, given!);
      for (const { value } of this.#slots) if (value?.node) value.node = this.#first(value.node);
    } catch (error) {
      for (const slot of this.#slots) {
        slot.value?.dispose();
        slot.value = undefined;
      }
      throw error;
    }
  }

  save(tensor: Tensor): Saved {
    const slot = this.#slots[this.#filled++];
    if (!slot) throw differs(countOf(this.#slots), 'more');
    if (slot.dtype !== tensor.dtype || !sameShape(slot.shape, tensor.shape)) {
      throw differs(`${slot.dtype} ${showShape(slot.shape)}`, `${tensor.dtype} ${showShape(tensor.shape)}`);
    }
    slot.value?.dispose();
    slot.value = slot.released ? undefined : tensor.alias();
    return nothing;
  }

  /** Whatever it reads has been checked before. */
  reads(): void {}

  recorded(node: TapeNode): void {
    const first = this.#nodes[this.#firsts.size];
    if (!first) throw differs(`${this.#nodes.length} operations on the tape`, 'more');
    const { name, edges } = node;
    if (first.edges.length !== edges.length || !first.edges.every((edge, i) => this.#isSameEdge(edge, edges[i]))) {
      throw differs('the tensors that it read first', `others in '${name}'`);
    }
    this.#firsts.set(node, first);
  }

  #first(node: TapeNode): TapeNode {
    return this.#firsts.get(node) ?? node;
  }

  #isSameEdge(first: Edge | undefined, again: Edge | undefined): boolean {
    if (!first || !again) return first === again;
    if ('leaf' in first) return 'leaf' in again && first.leaf === again.leaf;
    return 'node' in again && first.node === this.#first(again.node) && first.output === again.output;
  }
}

const keepInput = (input: Tensor): Saved =>
  input instanceof Parameter ? { open: () => input, dispose: () => undefined } : saveTensor(input);

/** For nodes that no backward will reach. */
const nothing: Saved = {
  open: () => {
    throw new Error('a node of a second run has been used');
  },
  dispose: () => undefined,
};

const countOf = (slots: readonly Slot[]): string => `${slots.length} saved tensors`;

const differs = (expected: string, given: string): RecomputationError =>
  new RecomputationError('the function did not compute the same result the second time', {
    operation: 'checkpoint',
    expected,
    given,
    hint:
      'Between forward and backward, nothing that the function reads may change: no variable or option that it captures, ' +
      'no training mode, no parameters put in by functionalCall around it',
  });

const takesFunction = takes('checkpoint', { f: callback, inputs: listOf(anyType) });

/**
 * Computes `f(...inputs)` without keeping what its operations save; backward computes it again, once. Gradients, random
 * numbers of the streams it draws from and running statistics are those of `f(...inputs)` alone, to the bit. Tensors that
 * `f` makes and does not return are released at its end. Checkpoints nest. Tensors that `f` captures instead of taking as
 * inputs must live until backward.
 *
 * Backward throws RecomputationError if `f` computes something else the second time, and UseAfterFreeError if a parameter
 * or another tensor that it reads was changed in place since. Cost: one more forward pass of `f`, and while it is
 * differentiated the memory of `f` alone.
 */
export function checkpoint<T extends Tensor[], R extends Result>(f: (...inputs: T) => R, ...inputs: T): R {
  takesFunction([f, inputs]);
  const run = (): R => tidy<R>(() => f(...inputs));
  if (!gradEnabled()) return run();
  return new Recomputation(f as unknown as (...inputs: Tensor[]) => R, inputs).forward(run);
}
