// A differentiable operation is one declaration - name, shape rule, forward, vjp - and the declarations form a registry.
// `apply` is the only place that checks inputs, allocates outputs, runs the forward pass and writes on the tape.
import type { DType } from '../kernels/index.ts';
import { callSite, DeviceError, DTypeError, OutOfMemoryError, UseAfterFreeError } from './errors.ts';
import { own } from './scope.ts';
import type { Shape } from './shape.ts';
import { gradEnabled, TapeNode, type Vjp } from './tape.ts';
import { emptyTensor, largestHolders, Tensor } from './tensor.ts';

export interface OutputSpec {
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface Operation<A = void> {
  readonly name: string;
  /** Element types that each input may have; the last entry serves all further inputs. Default float32. */
  readonly dtypes?: readonly (readonly DType[])[];
  /** Shapes and types of the outputs. Throws ShapeError on inputs that do not fit. */
  infer(inputs: readonly Tensor[], attrs: A): readonly OutputSpec[];
  /** Fills the outputs. Left out by operations whose single output is the input's storage under another shape. */
  forward?(inputs: readonly Tensor[], outputs: readonly Tensor[], attrs: A): void;
  /** Gradients of the inputs, written with differentiable operations. Left out where there is none. */
  readonly vjp?: Vjp<A>;
  /** Which inputs and outputs the vjp reads. */
  readonly saves?: { readonly inputs?: readonly number[]; readonly outputs?: readonly number[] };
}

/** What the documentation and the tests need to know of a registered operation. */
export interface OperationEntry {
  readonly name: string;
  readonly differentiable: boolean;
  /** Built of other operations, so that it has no kernel of its own. */
  readonly composite: boolean;
}

const registered = new Map<string, OperationEntry>();

/** Every operation, in the order of declaration. */
export const registry = (): OperationEntry[] => [...registered.values()];

function register(entry: OperationEntry): void {
  if (registered.has(entry.name)) throw new Error(`operation ${entry.name} is declared twice`);
  registered.set(entry.name, entry);
}

/** Told of every result while set: anomaly detection reads them later, in order. */
export interface OperationObserver {
  result(name: string, output: Tensor, site: string | undefined): void;
}

let observer: OperationObserver | undefined;

export function observeOperations(next: OperationObserver | undefined): void {
  observer = next;
}

export type Apply<A> = (inputs: readonly (Tensor | undefined)[], attrs: A) => Tensor[];

/** Registers a differentiable operation and returns the function that applies it. */
export function defineOperation<A = void>(operation: Operation<A>): Apply<A> {
  register({ name: operation.name, differentiable: operation.vjp !== undefined, composite: false });
  return (inputs, attrs) => apply(operation, inputs, attrs);
}

/** Registers a function that is made of operations and is differentiable through them. */
export function defineComposite<F>(name: string, implementation: F): F {
  register({ name, differentiable: true, composite: true });
  return implementation;
}

function apply<A>(operation: Operation<A>, given: readonly (Tensor | undefined)[], attrs: A): Tensor[] {
  const inputs = checkInputs(operation as Operation<never>, given);
  const specs = operation.infer(given as readonly Tensor[], attrs);
  const outputs = operation.forward
    ? specs.map((spec) => allocate(inputs[0]!, operation.name, spec))
    : [reuse(inputs[0]!, specs[0]!)];
  operation.forward?.(given as readonly Tensor[], outputs, attrs);
  if (operation.vjp && gradEnabled() && inputs.some((input) => input.tracked)) {
    new TapeNode(operation.name, attrs, operation.vjp, given, outputs, operation.saves ?? {});
  }
  if (observer) for (const output of outputs) observer.result(operation.name, output, callSite());
  return outputs;
}

const floatOnly: readonly DType[] = ['float32'];

function checkInputs(operation: Operation<never>, given: readonly (Tensor | undefined)[]): Tensor[] {
  const inputs: Tensor[] = [];
  for (let i = 0; i < given.length; i++) {
    const input = given[i];
    if (input === undefined) continue;
    if (!(input instanceof Tensor)) {
      throw new DTypeError(`input ${i} is not a tensor`, {
        operation: operation.name,
        given: typeof input,
        hint: 'Make one with tensor(values, shape)',
      });
    }
    if (input.disposed) {
      throw new UseAfterFreeError(`input ${i} of shape [${input.shape.join(', ')}] has been released`, {
        operation: operation.name,
        hint: 'Its scope has ended or it was disposed of; `scope.keep(t)` lets a tensor out of its scope',
      });
    }
    const { dtypes } = operation;
    const allowed = dtypes ? (dtypes[i] ?? dtypes[dtypes.length - 1]!) : floatOnly;
    if (!allowed.includes(input.dtype)) {
      throw new DTypeError(`input ${i} has the wrong element type`, {
        operation: operation.name,
        expected: allowed.join(' or '),
        given: input.dtype,
        hint: 'Convert it with cast(x, dtype)',
      });
    }
    if (inputs.length && input.device !== inputs[0]!.device) {
      throw new DeviceError('all inputs must be on one device', {
        operation: operation.name,
        expected: inputs[0]!.device.name,
        given: input.device.name,
        hint: 'Copy the tensor with await toDevice(x, device)',
      });
    }
    inputs.push(input);
  }
  return inputs;
}

function allocate(like: Tensor, name: string, { shape, dtype }: OutputSpec): Tensor {
  try {
    return emptyTensor(like.device, shape, dtype);
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error;
    const holders = largestHolders(5).map(
      ({ shape, count, bytes, site }) =>
        `${count} x [${shape.join(', ')}] ${(bytes / 2 ** 20).toFixed(1)} MiB${site ? ` made at ${site}` : ''}`,
    );
    throw new OutOfMemoryError(error.message, {
      operation: name,
      hint: `Largest holders: ${holders.join('; ')}. trackTensors(true) adds the lines that made them`,
      cause: error,
    });
  }
}

function reuse(input: Tensor, { shape, dtype }: OutputSpec): Tensor {
  const storage = input.storage;
  storage.references++;
  const output = new Tensor(storage, shape, dtype);
  own(output);
  return output;
}
