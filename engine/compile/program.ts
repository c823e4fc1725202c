// A recorded step: what it asked of the engine and of the device, in order, and the buffers that it did so with. Buffers are numbered
// ("slots"), since each run has others: those that come from outside, such as parameters and batches, are bound when they are
// met; those made inside are planned (memory.ts). Plain data, printed by text.ts.
import type { DType, Kernel, ParamValues } from '../../kernels/kernel.ts';
import type { PreparedLaunch } from '../devices/device.ts';
import type { Operation } from '../operation.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** A buffer of the step. */
export interface Slot {
  readonly length: number;
  readonly dtype: DType;
  /** Number of the call that makes it; -1 for one from outside. */
  readonly from: number;
  /** Number of the first call after its release; Infinity if it outlives the step. */
  to: number;
  /** Whether the host writes into it. */
  isWritten: boolean;
}

/** A tensor as an operation was given it: its buffer, and its place on the tape. */
export interface Place {
  readonly slot: number;
  readonly shape: Shape;
  readonly dtype: DType;
  /** The call whose node made it; undefined for a leaf and for what is off the tape. */
  readonly node: number | undefined;
  readonly output: number;
  /** Where its gradient would be left, if it is a leaf that wants one. */
  readonly leaf: Tensor | undefined;
  /** The node is not of this run. */
  readonly isForeign: boolean;
}

export interface AllocateCall {
  readonly kind: 'allocate';
  readonly slot: number;
}

export interface WriteCall {
  readonly kind: 'write';
  readonly slot: number;
}

export interface LaunchCall {
  readonly kind: 'launch';
  /** The operation that launched it, `backward` or `update` where there is none. */
  readonly operation: string;
  readonly kernel: Kernel<never>;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  params: ParamValues;
  /** For the buffers that its slots are bound to now. */
  prepared: PreparedLaunch | undefined;
}

/** What a call consists of: the calls behind it up to `end`. */
interface Part {
  /** Whether it need not be run, as long as its inputs are those that were recorded. */
  skips: boolean;
  end: number;
  allocates: readonly number[];
  launches: readonly LaunchCall[];
}

export interface ApplyCall extends Part {
  readonly kind: 'apply';
  readonly operation: Operation<never>;
  readonly attrs: unknown;
  readonly inputs: readonly (Place | undefined)[];
  outputs: readonly Pick<Place, 'slot' | 'shape' | 'dtype'>[];
  /** Whether it left a node on the tape of which all is known. */
  hasNode: boolean;
}

/** A leaf that a backward pass leaves a gradient in. */
export interface LeafGradient {
  readonly leaf: Tensor;
  /** The slot of the gradient that it had, which the new one was added to. */
  readonly before: number | undefined;
  readonly after: number;
}

export interface BackwardCall extends Part {
  readonly kind: 'backward';
  readonly root: Place;
  readonly gradient: Place | undefined;
  readonly retainGraph: boolean;
  /** Calls that left the nodes behind the root, newest first, and whether the pass let go of what they had saved. */
  nodes: readonly { readonly call: number; readonly isReleased: boolean }[];
  leaves: readonly LeafGradient[];
  /** Slots from outside that its launches name. */
  outside: readonly number[];
}

export type Call = AllocateCall | WriteCall | LaunchCall | ApplyCall | BackwardCall;

export interface Program {
  readonly slots: readonly Slot[];
  readonly calls: readonly Call[];
  /** What the host read, and before which call. */
  readonly reads: readonly { readonly slot: number; readonly before: number }[];
}

/** A copy of plain data, which whoever gave it may change later; other objects are kept. */
export function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyOf) as T;
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, copyOf(each)])) as T;
}

/** `copyOf` of parameters: numbers and lists of them. */
export function copyOfParams(params: ParamValues): ParamValues {
  const copy: Record<string, number | readonly number[]> = {};
  for (const name in params) {
    const value = params[name]!;
    copy[name] = typeof value === 'number' ? value : value.slice();
  }
  return copy;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** Whether plain data is the same, number by number (NaN is NaN, and -0 is not 0); other objects by identity. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!isSame(a[i], b[i])) return false;
    return true;
  }
  if (!isPlain(a) || !isPlain(b)) return false;
  let count = 0;
  for (const name in a) {
    if (!isSame(a[name], b[name])) return false;
    count++;
  }
  for (const name in b) if (name in b) count--;
  return count === 0;
}

/** A call in a few words, for people. */
export function describe(call: Call): string {
  switch (call.kind) {
    case 'apply':
      return `the operation ${call.operation.name}`;
    case 'launch':
      return `a launch of ${call.kernel.name}`;
    case 'backward':
      return 'a backward pass';
    case 'allocate':
      return 'a new buffer';
    case 'write':
      return 'values from the host';
  }
}
