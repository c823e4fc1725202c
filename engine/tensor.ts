// Tensor: an immutable value with a shape, an element type, a device and the tape node that made it.
// Parameter: a leaf that an optimiser may replace in place. Handles share storages by counting references.
// Arithmetic methods are attached by engine/ops/methods.ts.
import type { DType } from '../kernels/index.ts';
import type { Device, HostArray, Storage } from './devices/device.ts';
import { takes } from './call-check.ts';
import { callSite, ConfigError, DTypeError, ShapeError, showShape, UseAfterFreeError } from './errors.ts';
import { addHook, type GradientHook, OutputHooks } from './hooks.ts';
import { LiveList, type LivePlace } from './live-list.ts';
import { callback, flag, float, number, optional, optionsWith } from './parameters.ts';
import { disown, own, type Owned, type Scope } from './scope.ts';
import { checkShape, sameShape, type Shape, sizeOf } from './shape.ts';
import { backward, type BackwardOptions } from './backward.ts';
import { nodesBehind, type TapeNode } from './tape.ts';

const live = new LiveList<Tensor>();
let tracking = false;

/** One line per group of live tensors that share a shape and, while tracking, the line that made them. */
export interface Holder {
  shape: Shape;
  count: number;
  bytes: number;
  site: string | undefined;
}

const takesTrack = takes('trackTensors', { on: flag });
const takesHolders = takes('largestHolders', { count: optional(number) });

/** Records the source line of every tensor made from now on, for `largestHolders`. Slow: for hunting leaks. */
export function trackTensors(...args: [on: boolean]): void {
  tracking = takesTrack(args)[0];
}

/** Tensors that have not been released. */
export const liveTensorCount = (): number => live.size;

/** The largest groups of live tensors, by bytes. */
export function largestHolders(...args: [count?: number]): Holder[] {
  const [count = 10] = takesHolders(args);
  const groups = new Map<string, Holder>();
  for (const tensor of live) {
    const key = `${tensor.shape.join('x')} ${tensor.site ?? ''}`;
    const group = groups.get(key) ?? { shape: tensor.shape, count: 0, bytes: 0, site: tensor.site };
    group.count++;
    group.bytes += 4 * sizeOf(tensor.shape);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.bytes - a.bytes).slice(0, count);
}

const takesRequireGrad = takes('requireGrad', { on: optional(flag) });
const takesHook = takes('registerHook', { hook: callback });
const takesBackward = takes('backward', {
  options: optionsWith<BackwardOptions>({ gradient: float, retainGraph: flag, createGraph: flag }),
});

/** An immutable array of numbers on a device, with its place on the tape. */
export class Tensor implements Owned {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly device: Device;
  /** The operation that made this tensor, and which of its outputs it is. */
  node: TapeNode | undefined;
  outputIndex = 0;
  /** True where backward leaves a gradient in `grad`: for a leaf, or for a result by `requireGrad()`. */
  requiresGrad = false;
  /** The tensor that receives the gradient: itself, or for an alias of a leaf the leaf. */
  leaf: Tensor = this;
  /** Gradient accumulated by `backward`, where `requiresGrad`. Owned by the tensor. */
  grad: Tensor | undefined;
  owner: Scope | undefined;
  /** Where it was made, while `trackTensors(true)`. */
  readonly site: string | undefined;
  /** Of a leaf; those of a result are its node's. */
  hooks: GradientHook[] | undefined;
  #storage: Storage | undefined;
  readonly #place: LivePlace<Tensor>;

  /** Takes over one reference to the storage. Use `tensor`, `zeros`, ... to make tensors. */
  constructor(storage: Storage, shape: Shape, dtype: DType) {
    this.#storage = storage;
    this.shape = shape;
    this.dtype = dtype;
    this.device = storage.device;
    this.site = tracking ? callSite() : undefined;
    this.#place = live.add(this);
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  get rank(): number {
    return this.shape.length;
  }

  /** True if a gradient can flow through this tensor. */
  get tracked(): boolean {
    return this.requiresGrad || this.node !== undefined;
  }

  get disposed(): boolean {
    return this.#storage === undefined;
  }

  /** The buffer. Throws UseAfterFreeError when the tensor has been released. */
  get storage(): Storage {
    return this.#live('storage');
  }

  /** The storage, or UseAfterFreeError under the name of what was asked for. */
  #live(operation: string): Storage {
    if (this.#storage) return this.#storage;
    throw new UseAfterFreeError(`the tensor of shape ${showShape(this.shape)} has been released`, {
      operation,
      argument: 'this',
      expected: 'a live tensor',
      given: 'a released one',
      hint: 'Its scope has ended or it was disposed of; `scope.keep(t)` lets a tensor out of its scope',
    });
  }

  /** A second handle to the same values, with the same place on the tape, outside of any scope. */
  alias(): Tensor {
    const storage = this.#live('alias');
    storage.references++;
    const other = new Tensor(storage, this.shape, this.dtype);
    other.node = this.node;
    other.outputIndex = this.outputIndex;
    if (this.node) return other;
    other.requiresGrad = this.requiresGrad;
    if (this.requiresGrad) other.leaf = this.leaf;
    return other;
  }

  /** True for handles to the same values at the same place on the tape. */
  isAliasOf(other: Tensor): boolean {
    if (this === other) return true;
    const isSame = this.#storage === other.#storage && this.node === other.node && sameShape(this.shape, other.shape);
    if (!isSame || this.node) return isSame;
    return this.requiresGrad === other.requiresGrad && (!this.requiresGrad || this.leaf === other.leaf);
  }

  /** The same values cut off from the tape. */
  detach(): Tensor {
    const storage = this.#live('detach');
    storage.references++;
    const other = new Tensor(storage, this.shape, this.dtype);
    own(other);
    return other;
  }

  /**
   * Marks a leaf as wanting a gradient, which backward then accumulates in its `grad`. Of a result, which has a gradient
   * anyway, `grad` is kept as well, by this handle: torch's `retain_grad`. Returns itself. Throws DTypeError for other
   * elements than float32, and ConfigError where the gradient of a result is declined.
   */
  requireGrad(...args: [on?: boolean]): this {
    const [on = true] = takesRequireGrad(args);
    this.#live('requireGrad');
    if (on && this.dtype !== 'float32') {
      throw new DTypeError('only float32 tensors have gradients', {
        operation: 'requireGrad',
        argument: 'this',
        expected: 'float32',
        given: this.dtype,
      });
    }
    if (this.node && !on) {
      throw new ConfigError(
        'only a leaf can decline its gradient: that of a result goes on to what it was computed from',
        {
          operation: 'requireGrad',
          argument: 'on',
          expected: 'true for the result of an operation',
          given: 'false',
          hint: 'Use detach() for the same values off the tape',
        },
      );
    }
    if (this.node) (this.node.retained ??= new Set()).add(this);
    this.requiresGrad = on;
    return this;
  }

  /** Gradients of this scalar (or of sum(this * gradient)) into the `grad` of every leaf that wants one. */
  backward(...args: [options?: BackwardOptions]): void {
    this.#live('backward');
    backward(this, ...takesBackward(args));
  }

  /** Calls `hook` with the gradient of this tensor during backward; a tensor it returns takes the gradient's place. */
  registerHook(...args: [hook: GradientHook]): () => void {
    const [hook] = takesHook(args);
    const hooks = this.node ? (this.node.hooks ??= new OutputHooks()).of(this.outputIndex) : (this.leaf.hooks ??= []);
    return addHook(hooks, hook);
  }

  /** Copies the values to the host, row-major. */
  array(): Promise<HostArray> {
    return this.device.read(this.#live('array'));
  }

  /** The value of a tensor with one element. */
  async item(): Promise<number> {
    this.#live('item');
    if (this.size !== 1) {
      throw new ShapeError('only a tensor with one element has an item', {
        operation: 'item',
        argument: 'this',
        expected: 'one element',
        given: showShape(this.shape),
        hint: 'Reduce it first, or use array()',
      });
    }
    return (await this.array())[0]!;
  }

  /** Releases the handle now, and its gradient. Harmless when repeated. */
  dispose(): void {
    const storage = this.#storage;
    if (!storage) return;
    this.#storage = undefined;
    disown(this);
    live.remove(this.#place);
    this.grad?.dispose();
    this.grad = undefined;
    storage.device.release(storage);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** A kept tensor takes the tape behind it along. */
  *keptWith(): Iterable<Owned> {
    if (this.node) yield* nodesBehind([{ node: this.node, output: this.outputIndex }]);
  }

  toString(): string {
    return `Tensor(${showShape(this.shape)}, ${this.dtype}, ${this.device.name})`;
  }
}

/** A leaf that belongs to a module rather than to a scope, and that an optimiser changes in place. */
export class Parameter extends Tensor {
  constructor(storage: Storage, shape: Shape) {
    super(storage, shape, 'float32');
    this.requiresGrad = true;
  }

  zeroGrad(): void {
    this.grad?.dispose();
    this.grad = undefined;
  }
}

/** A tensor with unspecified values, owned by the innermost scope. */
export function emptyTensor(device: Device, shape: Shape, dtype: DType): Tensor {
  checkShape('emptyTensor', shape);
  const result = new Tensor(device.allocate(sizeOf(shape), dtype), shape, dtype);
  own(result);
  return result;
}
