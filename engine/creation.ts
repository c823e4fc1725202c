// Making tensors from host values, and the default device they are made on.
import type { DType } from '../kernels/index.ts';
import { Cast, cast, fills } from '../kernels/index.ts';
import type { Device } from './devices/device.ts';
import { takes } from './call-check.ts';
import { oneOf } from './checks.ts';
import { arrayKind, elementOf, isSmallWhole } from './elements.ts';
import { ConfigError, DTypeError, ShapeError, showGiven, showShape } from './errors.ts';
import { defineFunction } from './operation.ts';
import { own } from './scope.ts';
import { checkShape, type Shape, sizeOf } from './shape.ts';
import {
  anyType,
  device as deviceParameter,
  flag,
  optional,
  optionsWith,
  shape as shapeParameter,
  text,
  value,
} from './signature.ts';
import { emptyTensor, Parameter, Tensor } from './tensor.ts';

let current: Device | undefined;

const takesDefault = takes('setDefaultDevice', { device: optional(deviceParameter) });

/** The device on which tensors are made when none is named. */
export function setDefaultDevice(...args: [device: Device | undefined]): void {
  current = takesDefault(args)[0];
}

/** Throws ConfigError until `setDefaultDevice` has been called. */
export function defaultDevice(): Device {
  if (!current) {
    throw new ConfigError('there is no default device', {
      operation: 'defaultDevice',
      hint: "Call setDefaultDevice(await createDevice('auto')) first, or pass { device }",
    });
  }
  return current;
}

/** Element type and device of a new tensor, and whether it asks for a gradient. */
export interface TensorOptions {
  dtype?: DType;
  device?: Device;
  requiresGrad?: boolean;
}

/** One value: what each type takes of them is in elements.ts. */
export type Value = number | boolean | bigint;
/** What a tensor can be made of. */
export type Values = Value | ArrayLike<number> | ArrayLike<bigint> | readonly Values[];

type List = ArrayLike<unknown>;

/** Nested arrays deeper than this are taken to contain themselves. */
const MAX_DEPTH = 64;

/** Arrays, typed arrays, and what has a length as they do, but not strings. */
const isList = (value: unknown): value is List =>
  typeof value === 'object' && value !== null && Number.isSafeInteger((value as Partial<List>).length);

/** Lengths of nested arrays, by the first of each. */
function shapeOf(operation: string, values: List): number[] {
  const lengths: number[] = [];
  for (let level: unknown = values; isList(level) && lengths.length <= MAX_DEPTH; level = level[0]) {
    lengths.push(level.length);
  }
  if (lengths.length > MAX_DEPTH) throw raggedError(operation);
  return lengths;
}

/** Numbers up to which nested arrays are copied to a typed one: some that are ragged claim to be larger than memory. */
const MAX_NUMBERS = 2 ** 27;

/** Copies the numbers under `axis` to `into` from `at` on, and returns where they end, or -1 where they are not as in `shape`. */
function flattenNumbers(values: unknown, shape: Shape, axis: number, into: Float64Array, at: number): number {
  if (!Array.isArray(values) || values.length !== shape[axis]) return -1;
  const list = values as readonly unknown[];
  const { length } = list;
  if (axis < shape.length - 1) {
    for (let i = 0; i < length && at >= 0; i++) at = flattenNumbers(list[i], shape, axis + 1, into, at);
    return at;
  }
  for (let i = 0; i < length; i++) {
    const value = list[i];
    if (typeof value !== 'number') return -1;
    into[at + i] = value;
  }
  return at + length;
}

/** Copies the values under `axis` to `into` from `at` on, and returns where they end. */
function flatten(operation: string, values: unknown, shape: Shape, axis: number, into: unknown[], at: number): number {
  if (!isList(values) || values.length !== shape[axis]) throw raggedError(operation);
  const { length } = values;
  if (axis < shape.length - 1) {
    for (let i = 0; i < length; i++) at = flatten(operation, values[i], shape, axis + 1, into, at);
    return at;
  }
  for (let i = 0; i < length; i++) {
    const value = values[i];
    if (typeof value === 'object' && isList(value)) throw raggedError(operation);
    into[at + i] = value;
  }
  return at + length;
}

const raggedError = (operation: string) =>
  new ShapeError('nested arrays must all have the same lengths', {
    operation,
    argument: 'values',
    expected: 'as many in each',
    given: 'different lengths',
  });

/** The values one after the other, and the shape in which they came: none where a flat list was given. */
function listed(operation: string, values: unknown): { flat: List; nested: Shape | undefined } {
  if (!isList(values)) {
    if (typeof values !== 'object' && typeof values !== 'function') return { flat: [values], nested: [] };
    throw new DTypeError('not values', {
      operation,
      argument: 'values',
      expected: 'a number, an array, nested arrays or a typed array',
      given: showGiven(values),
      hint: values instanceof Tensor ? 'It is a tensor already' : undefined,
    });
  }
  if (!isList(values[0])) return { flat: values, nested: undefined };
  const nested = shapeOf(operation, values);
  const count = sizeOf(nested);
  if (count <= MAX_NUMBERS) {
    const numbers = new Float64Array(count);
    if (flattenNumbers(values, nested, 0, numbers, 0) === count) return { flat: numbers, nested };
  }
  const flat: unknown[] = [];
  flatten(operation, values, nested, 0, flat, 0);
  return { flat, nested };
}

const isWhole = (values: unknown, flat: List): boolean => values instanceof Int32Array || typeof flat[0] === 'bigint';

function checkCount(operation: string, count: number, shape: Shape): void {
  if (count === sizeOf(shape)) return;
  throw new ShapeError('the number of values does not fit the shape', {
    operation,
    argument: 'values',
    expected: `${sizeOf(shape)} values for ${showShape(shape)}`,
    given: String(count),
  });
}

/** The options of a new tensor. */
export const creation = optionsWith<TensorOptions>({ dtype: text, device: deviceParameter, requiresGrad: flag });

/** Refuses an unknown element type, and a gradient for a type that has none. */
export function checkTensorOptions(operation: string, dtype: DType, { requiresGrad }: TensorOptions): void {
  if (dtype === 'float32') return;
  oneOf(operation, 'dtype', dtype, anyType.dtypes);
  if (!requiresGrad) return;
  const details = { operation, argument: 'requiresGrad', expected: 'false, or float32', given: dtype };
  throw new DTypeError('only float32 tensors have gradients', details);
}

/** No options. */
const none: TensorOptions = {};

const takesTensor = takes('tensor', { values: value, shape: optional(shapeParameter), options: creation });

/**
 * A tensor of the given values: a number, nested arrays, or a flat array with a shape. The values choose the type: an
 * Int32Array and BigInts give int32, every other numbers float32. Throws DTypeError with the index of the first value that is
 * none of the type (elements.ts), ShapeError where their number does not fit.
 */
export function tensor(...args: [values: Values, shape?: Shape, options?: TensorOptions]): Tensor {
  takesTensor(args);
  const values = args[0];
  const shape = args[1];
  const options = args[2] ?? none;
  const { device = defaultDevice() } = options;
  if (shape) checkShape('tensor', shape);
  const { flat, nested } = listed('tensor', values);
  const dtype = options.dtype ?? (isWhole(values, flat) ? 'int32' : 'float32');
  checkTensorOptions('tensor', dtype, options);
  const resolved = shape ?? nested ?? [flat.length];
  checkCount('tensor', flat.length, resolved);
  const result = emptyTensor(device, [...resolved], dtype);
  try {
    if (dtype === 'bool' && flat.length >= LARGE_MASK && writeFlags(result, flat)) return result;
    device.write(result.storage, flat, nested ? { ...valuesOfTensor, nested } : valuesOfTensor);
  } catch (error) {
    result.dispose();
    throw error;
  }
  return options.requiresGrad ? result.requireGrad() : result;
}

const valuesOfTensor = { operation: 'tensor', argument: 'values' };

/** Masks from this length on are worth launches. */
const LARGE_MASK = 2048;

/**
 * Typed arrays as true or false, compared with 0 by the device, for which a loop here would take several times as long. False
 * where the values are of another kind.
 */
function writeFlags({ device, storage, size }: Tensor, values: List): boolean {
  const kind = arrayKind(values);
  const isFloat = kind === 'Float32Array';
  if (!isFloat && !isSmallWhole(kind)) return false;
  const words = device.allocate(size, isFloat ? 'float32' : 'int32');
  try {
    device.write(words, values);
    device.launch(cast, [words], [storage], { n: size, kind: isFloat ? Cast.floatToBool : Cast.intToBool });
  } finally {
    device.release(words);
  }
  return true;
}

const takesFull = takes('full', { shape: shapeParameter, value: optional(value), options: creation });
const takesZeros = takes('zeros', { shape: shapeParameter, options: creation });
const takesOnes = takes('ones', { shape: shapeParameter, options: creation });

/** A tensor filled with one value, which must be one of the type. */
export function full(...args: [shape: Shape, value: Value, options?: TensorOptions]): Tensor {
  takesFull(args);
  return filled('full', args[0], args[1], args[2]);
}

function filled(operation: string, shape: Shape, value: Value, options: TensorOptions = none): Tensor {
  const { device = defaultDevice(), dtype = 'float32' } = options;
  checkShape(operation, shape);
  checkTensorOptions(operation, dtype, options);
  const isNumber = dtype === 'float32' && typeof value === 'number';
  const element = isNumber ? value : elementOf(value, dtype, { operation, argument: 'value' });
  const result = emptyTensor(device, [...shape], dtype);
  const n = sizeOf(shape);
  if (n > 0) device.launch(fills[dtype], [], [result.storage], { n, value: element });
  return options.requiresGrad ? result.requireGrad() : result;
}

/** A tensor of zeros. */
export function zeros(...args: [shape: Shape, options?: TensorOptions]): Tensor {
  takesZeros(args);
  return filled('zeros', args[0], 0, args[1]);
}

/** A tensor of ones. */
export function ones(...args: [shape: Shape, options?: TensorOptions]): Tensor {
  takesOnes(args);
  return filled('ones', args[0], 1, args[1]);
}

/** Zeros (ones) of the shape and device of `x`. */
export const zerosLike = like('zerosLike', 0);
/** Ones of the shape and device of `x`. */
export const onesLike = like('onesLike', 1);

function like(name: string, value: number) {
  const make = (x: Tensor): Tensor => filled(name, x.shape, value, { device: x.device });
  return defineFunction(name, make, { x: anyType });
}

const takesParameter = takes('parameter', {
  values: value,
  shape: shapeParameter,
  device: optional(deviceParameter),
});

/** A parameter of the given float32 values. Belongs to no scope. */
export function parameter(...args: [values: ArrayLike<number>, shape: Shape, device?: Device]): Parameter {
  const [values, shape, device = defaultDevice()] = takesParameter(args);
  checkShape('parameter', shape);
  const { flat } = listed('parameter', values);
  checkCount('parameter', flat.length, shape);
  const storage = device.allocate(flat.length, 'float32');
  try {
    device.write(storage, flat, { operation: 'parameter', argument: 'values' });
  } catch (error) {
    device.release(storage);
    throw error;
  }
  return new Parameter(storage, [...shape]);
}

const takesToDevice = takes('toDevice', { x: anyType, device: deviceParameter });

/** A copy of `x` on another device, off the tape. */
export async function toDevice(...args: [x: Tensor, device: Device]): Promise<Tensor> {
  const [x, device] = takesToDevice(args);
  if (x.device === device) return x.detach();
  const values = await x.array();
  const result = new Tensor(device.allocate(x.size, x.dtype), x.shape, x.dtype);
  device.write(result.storage, values);
  own(result);
  return result;
}
