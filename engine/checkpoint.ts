// Activation checkpointing (Chen et al., "Training deep nets with sublinear memory cost", 2016): what a function computes
// is let go of after the forward pass and computed again when backward first needs it. The function leaves its usual nodes
// on the tape, only that they hold recipes in the place of values, so parameters, hooks, `grad` and `createGraph` work as
// ever and every gradient has the same bits. Leaves out choosing what to checkpoint.
import { takes } from './call-check.ts';
import type { DType } from '../kernels/index.ts';
import { RecomputationError, showShape } from './errors.ts';
import { anyType, callback, listOf } from './parameters.ts';
import { type Random, watchRandom } from './random.ts';
import { changedInPlace, currentSaver, type Saved, SavedTensor, type Saver, saveTensor, withSaver } from './saved.ts';
import { scope, tidy } from './scope.ts';
import { sameShape, type Shape } from './shape.ts';
import { gradEnabled, type TapeNode, withGradMode } from './tape.ts';
import { Parameter, type Tensor } from './tensor.ts';

let depth = 0;

/**
 * True while backward runs a checkpointed function again. What a forward pass changes besides its result, such as running
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

class Checkpoint {
  readonly #f: (...inputs: Tensor[]) => unknown;
  readonly #inputs: readonly Saved[];
  readonly #slots: Slot[] = [];
  /** What the function's nodes read from outside, in order, and the versions of the parameters among it. */
  readonly #sources: unknown[] = [];
  readonly #versions = new Map<Parameter, number>();
  /** Where the streams that the function draws from stood at their first use. */
  readonly #streams = new Map<Random, number>();
  /** Slots that are still wanted, and one more during the forward pass. */
  #users = 1;
  #isForward = true;

  constructor(f: (...inputs: Tensor[]) => unknown, inputs: readonly Tensor[]) {
    this.#f = f;
    this.#inputs = inputs.map(keepInput);
  }

  /** Runs `body`, which calls the function on the inputs as they were given. */
  forward<R>(inputs: readonly Tensor[], body: () => R): R {
    const around = currentSaver();
    const sources = new Sources(inputs);
    const saver: Saver = {
      save: (tensor) => this.#reserve(tensor),
      recorded: (node) => {
        around?.recorded(node);
        this.#sources.push(...sources.of(node));
        for (const edge of node.edges) {
          if (edge && 'leaf' in edge && edge.leaf instanceof Parameter)
            this.#versions.set(edge.leaf, edge.leaf.version);
        }
      },
    };
    const watch = (stream: Random): void => {
      if (!this.#streams.has(stream)) this.#streams.set(stream, stream.position);
    };
    try {
      return watchRandom(watch, () => withSaver(saver, body));
    } finally {
      this.#isForward = false;
      this.#leave();
    }
  }

  #reserve({ shape, dtype }: Tensor): Saved {
    const slot: Slot = { shape, dtype, value: undefined, released: false };
    this.#slots.push(slot);
    this.#users++;
    return {
      open: (operation) => {
        if (!slot.value) this.#recompute(operation);
        return slot.value!;
      },
      dispose: () => {
        slot.released = true;
        slot.value?.dispose();
        this.#leave();
      },
    };
  }

  /** Runs the function again and fills every slot that is still wanted. */
  #recompute(operation: string): void {
    if (this.#isForward) {
      throw new RecomputationError('backward cannot run inside of the function that is checkpointed', {
        operation: 'checkpoint',
        hint: 'Put the checkpoint inside, around the part whose gradient is taken',
      });
    }
    for (const [parameter, version] of this.#versions) {
      if (parameter.version !== version) throw changedInPlace(operation);
    }
    // Opened first: within another checkpoint this may run that one again.
    const inputs = this.#inputs.map((input) => input.open('checkpoint'));
    const replay = new Replay(this.#slots, this.#sources, inputs);
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

/** A second run of a checkpointed function: fills the slots, and checks that it goes as the first one did. */
class Replay implements Saver {
  readonly #slots: readonly Slot[];
  readonly #expected: readonly unknown[];
  readonly #sources: Sources;
  readonly #nodes: TapeNode[] = [];
  // In a recorded backward the values must lead back to the inputs, so that the nodes of this run stay.
  readonly #keepsGraph = gradEnabled();
  #filled = 0;
  #read = 0;

  constructor(slots: readonly Slot[], expected: readonly unknown[], inputs: readonly Tensor[]) {
    this.#slots = slots;
    this.#expected = expected;
    this.#sources = new Sources(inputs);
  }

  run(body: () => unknown): void {
    using inner = scope();
    try {
      withGradMode(true, () => withSaver(this, body));
      if (this.#filled !== this.#slots.length) throw differs(countOf(this.#slots), String(this.#filled));
    } catch (error) {
      for (const slot of this.#slots) {
        slot.value?.dispose();
        slot.value = undefined;
      }
      throw error;
    }
    if (this.#keepsGraph) for (const node of this.#nodes) inner.keep(node);
  }

  save(tensor: Tensor): Saved {
    const slot = this.#slots[this.#filled++];
    if (!slot) throw differs(countOf(this.#slots), 'more');
    if (slot.dtype !== tensor.dtype || !sameShape(slot.shape, tensor.shape)) {
      throw differs(`${slot.dtype} ${showShape(slot.shape)}`, `${tensor.dtype} ${showShape(tensor.shape)}`);
    }
    slot.value?.dispose();
    slot.value = slot.released ? undefined : tensor.alias();
    return this.#keepsGraph ? new SavedTensor(tensor) : nothing;
  }

  recorded(node: TapeNode): void {
    this.#nodes.push(node);
    for (const source of this.#sources.of(node)) {
      if (source !== this.#expected[this.#read++])
        throw differs('the tensors that it read first', `others in '${node.name}'`);
    }
  }
}

/** Tells what nodes read from outside of the function: inputs by their number, other leaves and nodes by themselves. */
class Sources {
  readonly #numbers = new Map<unknown, number>();
  readonly #own = new Set<TapeNode>();

  constructor(inputs: readonly Tensor[]) {
    inputs.forEach(({ node, leaf }, i) => {
      if (!this.#numbers.has(node ?? leaf)) this.#numbers.set(node ?? leaf, i);
    });
  }

  of(node: TapeNode): unknown[] {
    this.#own.add(node);
    const sources: unknown[] = [];
    for (const edge of node.edges) {
      if (!edge) continue;
      const source = 'leaf' in edge ? edge.leaf : edge.node;
      if (!this.#own.has(source as TapeNode)) sources.push(this.#numbers.get(source) ?? source);
    }
    return sources;
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
  new RecomputationError('the function did not compute the same again', {
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
 * was changed in place since. Cost: one more forward pass of `f`, and while it is differentiated the memory of `f` alone.
 */
export function checkpoint<T extends Tensor[], R extends Result>(f: (...inputs: T) => R, ...inputs: T): R {
  takesFunction([f, inputs]);
  const run = (): R => tidy<R>(() => f(...inputs));
  if (!gradEnabled()) return run();
  return new Checkpoint(f as unknown as (...inputs: Tensor[]) => R, inputs).forward(inputs, run);
}
