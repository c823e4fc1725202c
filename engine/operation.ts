// A differentiable operation is one declaration - name, shape rule, forward, vjp - and the declarations form a registry.
// `apply` is the only place that checks inputs, allocates outputs, runs the forward pass and writes on the tape.
import type { DType } from '../kernels/index.ts';
import { callSite, ConfigError, OutOfMemoryError, WgradError } from './errors.ts';
import { compileCheck, takes } from './call-check.ts';
import { currentTracer } from './compile/tracer.ts';
import { callback, list, optionsWith, record, requiredOptions, text } from './parameters.ts';
import { currentSaver, type Saves } from './saved.ts';
import { innermostScope, inOwnScope, own } from './scope.ts';
import { checkTensor, type Signature } from './signature.ts';
import type { Shape } from './shape.ts';
import { gradEnabled } from './grad-mode.ts';
import { TapeNode, type Vjp } from './tape.ts';
import { emptyTensor, largestHolders, Tensor } from './tensor.ts';

/** What a registration tells people beside what can be derived. */
export interface About {
  /** Group in the table of operations; for those of the engine the file in engine/ops that declares them. */
  readonly family?: string;
  /** Why there is no gradient, for an operation without a vjp. */
  readonly noGradient?: string;
}

/** Shape and element type of one output. */
export interface OutputSpec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** The declaration of a differentiable operation. */
export interface Operation<A = void> extends About {
  readonly name: string;
  /** Names of the inputs, for errors. */
  readonly arguments?: readonly string[];
  /** Element types that each input may have; the last entry serves all further inputs. Default float32. */
  readonly dtypes?: readonly (readonly DType[])[];
  /** Shapes and types of the outputs. Throws ShapeError on inputs that do not fit. */
  infer(inputs: readonly Tensor[], attrs: A): readonly OutputSpec[];
  /** Fills the outputs. Left out by operations whose single output is the input's storage under another shape. */
  forward?(inputs: readonly Tensor[], outputs: readonly Tensor[], attrs: A): void;
  /** Gradients of the inputs, written with differentiable operations. Left out where there is none. */
  readonly vjp?: Vjp<A>;
  /** Which inputs and outputs the vjp reads, and for which gradients: no other is kept for it. */
  readonly saves?: Saves;
}

/** What the documentation and the tests need to know of a registered operation. */
export interface OperationEntry extends Required<Pick<About, 'family'>>, Pick<About, 'noGradient'> {
  readonly name: string;
  readonly differentiable: boolean;
  /** Built of other operations, so that it has no kernel of its own. */
  readonly composite: boolean;
}

const registered = new Map<string, OperationEntry>();
const signatures = new Map<string, Signature>();

/** Every operation, in the order of declaration. */
export const registry = (): OperationEntry[] => [...registered.values()];

/** What each public function of tensors takes, by its name. */
export const publicSignatures = (): ReadonlyMap<string, Signature> => signatures;

function register(entry: OperationEntry): void {
  if (registered.has(entry.name)) {
    throw new ConfigError(`an operation '${entry.name}' already exists`, {
      operation: entry.composite ? 'defineComposite' : 'defineOperation',
      argument: 'name',
      expected: 'a name of its own',
      given: `'${entry.name}' of family '${registered.get(entry.name)!.family}'`,
    });
  }
  registered.set(entry.name, entry);
}

/** Which part of an operation runs: its forward pass, the body of a composite, or its vjp. */
export type OperationPart = 'forward' | 'composite' | 'vjp';

/** Told of what operations do while set. */
export interface OperationObserver {
  /**
   * Every result that was computed, in order: anomaly detection reads them later. An input's storage under another shape is not
   * one, and may be a parameter that is updated before then.
   */
  result?(name: string, output: Tensor, site: string | undefined): void;
  /** Runs one part of an operation, and so knows what happens inside. */
  around?<T>(name: string, part: OperationPart, body: () => T): T;
}

let observer: OperationObserver | undefined;

/** Whether somebody is told of what operations do. */
export const isObserved = (): boolean => observer !== undefined;

const engines = new WeakSet<object>();
let engineIsComplete = false;

/** What is declared from now on is not the engine's. */
export const completeEngine = (): void => void (engineIsComplete = true);

/** Whether the engine declared the operation, whose forward pass and vjp depend on inputs and attributes alone. */
export const isEngines = (operation: object): boolean => engines.has(operation);

/** Sets who is told, and returns who was until now. */
export function observeOperations(next: OperationObserver | undefined): OperationObserver | undefined {
  const before = observer;
  observer = next;
  return before;
}

/** Applies an operation to its inputs; undefined stands for one that is left out. */
export type Apply<A> = (inputs: readonly (Tensor | undefined)[], attrs: A) => Tensor[];

const custom = 'custom';

const takesOperation = takes('defineOperation', {
  operation: requiredOptions<Operation<never>>(
    {
      name: text,
      arguments: list,
      dtypes: list,
      infer: callback,
      forward: callback,
      vjp: callback,
      saves: record,
      family: text,
      noGradient: text,
    },
    'name',
    'infer',
  ),
});

/**
 * Registers a differentiable operation and returns the function that applies it to tensors and attributes. Throws
 * ConfigError where the name is taken. The cube, with a kernel that is there and a vjp of differentiable operations:
 *
 *     const cubeOp = defineOperation({
 *       name: 'cube',
 *       infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
 *       forward([x], [y]) {
 *         const params = { n: x!.size, op: kernels.Unary.powScalar, a: 3, b: 0 };
 *         x!.device.launch(kernels.unary, [x!.storage], [y!.storage], params);
 *       },
 *       saves: { inputs: [0] },
 *       vjp: ({ gradients: [g], inputs: [x] }) => [mul(g!, affine(square(x!), 3, 0))],
 *     });
 *     const cube = (x: Tensor): Tensor => cubeOp([x])[0]!;
 *
 * Inputs are checked (alive, element type, one device) and outputs allocated before `forward` runs; a launch of nothing is
 * the operation's own to skip. A kernel of one's own comes from `kernels.defineKernel`, with `plans` for the devices that it
 * runs on. `gradcheck` and `gradgradcheck` tell whether the vjp is right.
 */
export function defineOperation<A = void>(...args: [operation: Operation<A>]): Apply<A> {
  const [operation] = takesOperation(args);
  const { name, family = custom, noGradient, vjp } = operation;
  register({ name, family, differentiable: vjp !== undefined, composite: false, ...(noGradient && { noGradient }) });
  const observed = vjp ? { ...operation, vjp: observable(name, vjp) } : operation;
  if (!engineIsComplete) engines.add(observed);
  return (inputs, attrs) => apply(observed, inputs, attrs);
}

type AnyFunction = (...args: never[]) => unknown;

interface AboutComposite {
  family?: string;
  /** What it takes; without one its arguments are not looked at. */
  signature?: Signature;
}

const takesComposite = takes('defineComposite', {
  name: text,
  implementation: callback,
  about: optionsWith<AboutComposite>({ family: text, signature: record }),
});

/**
 * Registers a function that is made of operations and is differentiable through them. With a signature its arguments are
 * checked before it runs; errors inside carry its name.
 */
export function defineComposite<F extends AnyFunction>(
  ...args: [name: string, implementation: F, about?: AboutComposite]
): F {
  const [name, implementation, { family = custom, signature } = {}] = takesComposite(args);
  register({ name, family, differentiable: true, composite: true });
  const body = implementation as unknown as (...args: unknown[]) => unknown;
  const observed = (...args: unknown[]): unknown =>
    observer?.around ? observer.around(name, 'composite', () => body(...args)) : body(...args);
  return defineFunction(name, observed as unknown as F, signature);
}

/** The public function that is being called, the outermost where one calls another. */
let calling: string | undefined;

/**
 * Makes a public function: its arguments are checked against the signature first, if there is one, errors inside carry its
 * name, and a call that fails leaves no tensors behind.
 */
export function defineFunction<F extends AnyFunction>(name: string, implementation: F, signature?: Signature): F {
  if (signature) signatures.set(name, signature);
  const check = signature && compileCheck(name, signature);
  const body = implementation as unknown as (...args: unknown[]) => unknown;
  const call = (...args: unknown[]): unknown => {
    if (calling !== undefined) return body(...args);
    calling = name;
    const around = innermostScope();
    const before = around ? around.size : 0;
    try {
      check?.(args);
      return around ? body(...args) : inOwnScope(() => body(...args));
    } catch (error) {
      around?.releaseFrom(before);
      throw underName(error, name);
    } finally {
      calling = undefined;
    }
  };
  return call as unknown as F;
}

/** An error of an operation inside as one of the function that was called. */
function underName(error: unknown, name: string): unknown {
  if (!(error instanceof WgradError)) return error;
  const { operation, argument, ...rest } = error.details;
  if (operation === name) return error;
  const place = [operation, argument && `'${argument}'`].filter(Boolean).join(', ');
  const Same = error.constructor as typeof WgradError;
  return new Same(place ? `${error.reason} (in ${place})` : error.reason, { ...rest, operation: name });
}

function apply<A>(operation: Operation<A>, given: readonly (Tensor | undefined)[], attrs: A): Tensor[] {
  const tracer = currentTracer();
  if (!tracer) return compute(operation, given, attrs);
  return tracer.apply(operation as Operation<never>, given, attrs, () => compute(operation, given, attrs));
}

function compute<A>(operation: Operation<A>, given: readonly (Tensor | undefined)[], attrs: A): Tensor[] {
  const { name, forward } = operation;
  const inputs = checkInputs(operation as Operation<never>, given);
  const specs = operation.infer(given as readonly Tensor[], attrs);
  const saver = currentSaver();
  if (saver) for (const input of inputs) saver.reads(input.storage);
  const outputs: Tensor[] = [];
  try {
    for (const spec of specs) outputs.push(forward ? allocate(inputs[0]!, name, spec) : reuse(inputs[0]!, spec));
    if (observer?.around) observer.around(name, 'forward', () => forward?.(given as readonly Tensor[], outputs, attrs));
    else forward?.(given as readonly Tensor[], outputs, attrs);
    putOnTape(operation, given, outputs, attrs);
  } catch (error) {
    for (const output of outputs) output.dispose();
    throw error;
  }
  if (forward && observer?.result) for (const output of outputs) observer.result(name, output, callSite());
  return outputs;
}

/** The node of an operation whose outputs are there, if a gradient can flow through it. */
export function putOnTape<A>(
  { name, vjp, saves = {} }: Operation<A>,
  given: readonly (Tensor | undefined)[],
  outputs: readonly Tensor[],
  attrs: A,
): TapeNode | undefined {
  if (!vjp || !gradEnabled() || !given.some((input) => input?.tracked)) return undefined;
  return new TapeNode(name, attrs, vjp, given, outputs, saves) as TapeNode;
}

/** The vjp, told to the observer there is when it runs. */
const observable =
  <A>(name: string, vjp: Vjp<A>): Vjp<A> =>
  (context) =>
    observer?.around ? observer.around(name, 'vjp', () => vjp(context)) : vjp(context);

const floatOnly: readonly DType[] = ['float32'];

function checkInputs(operation: Operation<never>, given: readonly (Tensor | undefined)[]): Tensor[] {
  const { name, dtypes } = operation;
  const inputs: Tensor[] = [];
  for (let i = 0; i < given.length; i++) {
    const input = given[i];
    if (input === undefined) continue;
    const allowed = dtypes ? (dtypes[i] ?? dtypes[dtypes.length - 1]!) : floatOnly;
    checkTensor(name, operation.arguments?.[i] ?? `inputs[${i}]`, input, allowed, inputs[0]?.device);
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
