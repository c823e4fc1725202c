// What a public function takes, as data: its arguments by name and in order, with the tensors, host values and options among
// them. One table serves the check of calls (call-check.ts), `wgrad ops` and the tests that walk the registry. Limits of a
// single number, and what depends on the shapes, are the functions' own affair (checks.ts).
import type { DType } from '../kernels/index.ts';
import { ConfigError, DeviceError, ShapeError, type WgradError } from './errors.ts';

/** An argument that is a tensor. */
export interface TensorParameter {
  readonly dtypes: readonly DType[];
  /** A plain number will do. */
  readonly orNumber?: true;
  readonly optional?: true;
  /** An array of such tensors. */
  readonly list?: true;
}

/** An argument on the host, known by its JavaScript type. */
export interface HostParameter {
  /** For people: what it is. */
  readonly expected: string;
  /** What an error says of another value, and its class. */
  readonly reason: string;
  readonly error: typeof WgradError;
  accepts(given: unknown): boolean;
  readonly optional?: true;
}

/** An object of options. */
export interface OptionsParameter {
  readonly options: Readonly<Record<string, TensorParameter | HostParameter>>;
  /** Set where the object itself must be there; names the options without a default. */
  readonly needed?: readonly string[];
}

/** Arguments by name, in order. */
export type Signature = Readonly<Record<string, TensorParameter | HostParameter | OptionsParameter>>;

export const float: TensorParameter = { dtypes: ['float32'] };
export const int: TensorParameter = { dtypes: ['int32'] };
export const bool: TensorParameter = { dtypes: ['bool'] };
export const anyType: TensorParameter = { dtypes: ['float32', 'int32', 'bool'] };
export const orNumber = (parameter: TensorParameter): TensorParameter => ({ ...parameter, orNumber: true });
export const listOf = (parameter: TensorParameter): TensorParameter => ({ ...parameter, list: true });
export const optional = <P extends TensorParameter | HostParameter>(parameter: P): P => ({
  ...parameter,
  optional: true,
});

/** The options of an interface: every one of its names, and no others. */
type OptionTable<O> = { readonly [name in keyof O]-?: TensorParameter | HostParameter };

export const optionsWith = <O extends object>(options: OptionTable<O>): OptionsParameter => ({
  options: Object.assign(Object.create(null) as object, options),
});
/** Options that must be given as an object, and of which those named must be in it. */
export const requiredOptions = <O extends object>(
  options: OptionTable<O>,
  ...needed: (keyof O & string)[]
): OptionsParameter => ({ ...optionsWith<O>(options), needed });

const isNumber = (given: unknown): boolean => typeof given === 'number';
function isNumbers(given: unknown): boolean {
  if (!Array.isArray(given)) return false;
  for (let i = 0; i < given.length; i++) if (typeof given[i] !== 'number') return false;
  return true;
}
const isOneOrTwo = (given: unknown): boolean =>
  isNumber(given) || (isNumbers(given) && (given as number[]).length === 2);
const isObject = (given: unknown): given is object => typeof given === 'object' && given !== null;

const host = (
  expected: string,
  accepts: (given: unknown) => boolean,
  error: typeof WgradError = ConfigError,
  reason = `not ${expected}`,
): HostParameter => ({ expected, accepts, error, reason });

/** An argument that the function looks at by itself. */
export const value = host('a value', () => true);
export const number = host('a number', isNumber);
export const flag = host('true or false', (given) => typeof given === 'boolean');
export const text = host('a text', (given) => typeof given === 'string');
export const callback = host('a function', (given) => typeof given === 'function');
export const list = host('an array', (given) => Array.isArray(given));
export const numbers = host('an array of numbers', isNumbers);
export const pairOfNumbers = host('two numbers', (given) => isNumbers(given) && (given as number[]).length === 2);
export const bytes = host(
  'bytes in a Uint8Array or ArrayBuffer',
  (given) => given instanceof Uint8Array || given instanceof ArrayBuffer,
);

export const axis = host('a whole number', isNumber, ShapeError, 'no such axis');
export const axes = host(
  'a whole number or an array of them',
  (given) => isNumber(given) || isNumbers(given),
  ShapeError,
  'no such axes',
);
export const size = host('a whole number', isNumber, ShapeError, 'not a size');
/** One number for both image axes, or [height, width]. */
export const sizes = host('a whole number, or two of them', isOneOrTwo, ShapeError, 'not a size');
/** The same, or what gives an output as large as the input. */
export const padding = host(
  "a whole number, two of them, or 'same'",
  (given) => given === 'same' || isOneOrTwo(given),
  ShapeError,
  'not a size',
);
export const shape = host('an array of whole numbers', isNumbers, ShapeError, 'not a shape');
export const wholeNumbers = host('an array of whole numbers', isNumbers, ShapeError);
/** A size along one axis, or what gives an output as large as the input. */
export const padding1d = host(
  "a whole number or 'same'",
  (given) => given === 'same' || isNumber(given),
  ShapeError,
  'not a size',
);
/** [start, stop, step] or null for each axis. */
export const slices = host(
  'an array of [start, stop, step] or null',
  (given) => Array.isArray(given) && given.every((each) => each === undefined || each === null || Array.isArray(each)),
  ShapeError,
);
/** One factor for both image axes, or [height, width]. */
export const factors = host('a number, or two of them', isOneOrTwo);

/** A device, known by its door. */
export const device = host(
  'a device',
  (given) => isObject(given) && typeof (given as { allocate?: unknown }).allocate === 'function',
  DeviceError,
);

/** Anything that has a method of this name. */
export const withMethod = (method: string, expected: string): HostParameter =>
  host(expected, (given) => isObject(given) && typeof (given as Record<string, unknown>)[method] === 'function');

/** A Map, or what reads like one. */
export const mapping = withMethod('get', 'a Map');
/** An object whose values go by name. */
export const gpuDevice = host('a GPUDevice', (given) => isObject(given) && 'createBuffer' in given, DeviceError);
export const gpuBuffer = host('a GPUBuffer', (given) => isObject(given) && 'mapState' in given, DeviceError);
export const record = host('an object', (given) => isObject(given) && !Array.isArray(given));

/** An object of texts by name. */
export const texts = host(
  'an object of strings',
  (given) => record.accepts(given) && Object.values(given as object).every((each) => typeof each === 'string'),
);

/** null as well. */
export const orNull = (parameter: HostParameter): HostParameter => ({
  ...parameter,
  expected: `${parameter.expected}, or null`,
  accepts: (given) => given === null || parameter.accepts(given),
});

const showTensor = (name: string, { dtypes, orNumber, optional, list }: TensorParameter): string =>
  `${name}${optional ? '?' : ''}: ${dtypes.length === 3 ? 'any' : dtypes.join(' | ')}${list ? '[]' : ''}${orNumber ? ' | number' : ''}`;

const showParameter = (name: string, parameter: TensorParameter | HostParameter): string =>
  'dtypes' in parameter ? showTensor(name, parameter) : `${name}${parameter.optional ? '?' : ''}`;

/** A signature as one line: `(x: float32, axis, index: int32, options?: { keepdim })`. */
export function showSignature(signature: Signature): string {
  const parts = Object.entries(signature).map(([name, parameter]) => {
    if (!('options' in parameter)) return showParameter(name, parameter);
    const options = Object.entries(parameter.options).map(([key, option]) => showParameter(key, option));
    return `${name}${parameter.needed ? '' : '?'}: { ${options.join(', ')} }`;
  });
  return `(${parts.join(', ')})`;
}

const hostSignatures = new Map<string, Signature>();

/** What each public function and constructor takes that is not an operation, by its name. */
export const declaredSignatures = (): ReadonlyMap<string, Signature> => hostSignatures;

export function declareSignature(operation: string, signature: Signature): void {
  hostSignatures.set(operation, signature);
}
