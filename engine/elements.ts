// Host values as elements: the one place where numbers from outside become those of a tensor.
//
//   float32   any number, NaN and infinities too
//   int32     a whole number from -2^31 to 2^31 - 1; nothing is rounded, cut off or wrapped
//   bool      true where a number is not 0, as in PyTorch, so that masks of 0 and 255 are masks (and NaN is true)
//
// true and false are 1 and 0, and a BigInt is its number. Text, null, undefined and the holes of an array are refused. Typed
// arrays of which every value fits are handed on without a look.
import type { DType } from '../kernels/index.ts';
import { DTypeError, showGiven, showShape } from './errors.ts';
import { rowMajorStrides, type Shape } from './shape.ts';

/** Where values are told of, in errors. */
export interface ElementsContext {
  operation: string;
  argument: string;
  /** Lengths of the nested arrays that the values were in; indices are told as theirs. */
  nested?: Shape;
}

const SMALLEST = -(2 ** 31);
const LARGEST = 2 ** 31 - 1;

const expected: Readonly<Record<DType, string>> = {
  float32: 'numbers',
  int32: `whole numbers from ${SMALLEST} to ${LARGEST}`,
  bool: 'numbers or booleans',
};

type Convert = (value: unknown) => number | undefined;

const toNumber: Convert = (value) => {
  if (typeof value === 'number') return value;
  return typeof value === 'boolean' || typeof value === 'bigint' ? Number(value) : undefined;
};

/** The element that a value becomes, or undefined if the type has no such element. */
const converters: Readonly<Record<DType, Convert>> = {
  float32: toNumber,
  int32(value) {
    const number = toNumber(value);
    return Number.isInteger(number) && number! >= SMALLEST && number! <= LARGEST ? number : undefined;
  },
  bool(value) {
    const number = toNumber(value);
    return number === undefined ? undefined : Number(number !== 0);
  },
};

type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

const isNumberArray = (values: unknown): values is NumberArray =>
  ArrayBuffer.isView(values) &&
  !(values instanceof DataView || values instanceof BigInt64Array || values instanceof BigUint64Array);

const wholeArrays = [Int32Array, Uint8Array, Int8Array, Int16Array, Uint16Array, Uint8ClampedArray];
/** Whether every value is an int32 because of the kind of typed array. */
export const isSmallWhole = (values: object): boolean => wholeArrays.some((Whole) => values instanceof Whole);

// Large arrays pass here, so that what fits is handed on as it is, since a new array of a million words takes longer than a
// look at them; and every loop is for arrays of one kind, since one for all is twenty times as slow.

/** Numbers as elements, or undefined if one of them cannot be an element. */
function ofNumbers(values: NumberArray, dtype: DType): ArrayLike<number> | undefined {
  if (dtype === 'float32') return values;
  if (!isSmallWhole(values)) {
    const numbers =
      values instanceof Float32Array || values instanceof Float64Array ? values : new Float64Array(values);
    if (dtype === 'bool') return flagsOf(numbers);
    return areWhole(numbers) ? numbers : undefined;
  }
  if (dtype === 'int32') return values;
  return flagsOfWords(values instanceof Int32Array ? values : new Int32Array(values));
}

/** The same of a list; undefined also where it holds something else than numbers. */
function ofList(values: readonly unknown[], dtype: DType): ArrayLike<number> | undefined {
  if (dtype === 'int32') return areWholeInList(values) ? values : undefined;
  if (!areNumbers(values)) return undefined;
  return dtype === 'float32' || areFlags(values) ? values : flagsOfList(values);
}

// Four at a time, which takes two thirds of the time or less.

function areNumbers(values: readonly unknown[]): values is readonly number[] {
  const whole = values.length & -4;
  for (let i = 0; i < whole; i += 4) {
    if (typeof values[i] !== 'number' || typeof values[i + 1] !== 'number') return false;
    if (typeof values[i + 2] !== 'number' || typeof values[i + 3] !== 'number') return false;
  }
  for (let i = whole; i < values.length; i++) if (typeof values[i] !== 'number') return false;
  return true;
}

function areWholeInList(values: readonly unknown[]): values is readonly number[] {
  return areNumbers(values) && areWholeNumbers(values);
}

function areWholeNumbers(values: readonly number[]): boolean {
  const whole = values.length & -4;
  for (let i = 0; i < whole; i += 4) {
    const a = values[i]!;
    const b = values[i + 1]!;
    const c = values[i + 2]!;
    const d = values[i + 3]!;
    if ((a | 0) !== a || (b | 0) !== b || (c | 0) !== c || (d | 0) !== d) return false;
  }
  for (let i = whole; i < values.length; i++) if ((values[i]! | 0) !== values[i]) return false;
  return true;
}

/**
 * Looked at without a copy: the device converts them where it keeps them. Not areWholeNumbers: one loop that meets lists and typed
 * arrays is compiled for neither.
 */
function areWhole(values: Float32Array | Float64Array): boolean {
  const whole = values.length & -4;
  for (let i = 0; i < whole; i += 4) {
    const a = values[i]!;
    const b = values[i + 1]!;
    const c = values[i + 2]!;
    const d = values[i + 3]!;
    if ((a | 0) !== a || (b | 0) !== b || (c | 0) !== c || (d | 0) !== d) return false;
  }
  for (let i = whole; i < values.length; i++) if ((values[i]! | 0) !== values[i]) return false;
  return true;
}

/** Whether all are 0 or 1. */
function areFlags(values: readonly number[]): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== 0 && values[i] !== 1) return false;
  return true;
}

function flagsOf(values: Float32Array | Float64Array): Uint8Array {
  const flags = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) flags[i] = values[i] === 0 ? 0 : 1;
  return flags;
}

function flagsOfList(values: readonly number[]): Uint8Array {
  const flags = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) flags[i] = values[i] === 0 ? 0 : 1;
  return flags;
}

function flagsOfWords(words: Int32Array): Uint8Array {
  const flags = new Uint8Array(words.length);
  // The sign of x | -x is set unless x is 0.
  for (let i = 0; i < words.length; i++) flags[i] = (words[i]! | -words[i]!) >>> 31;
  return flags;
}

/** The values as elements of a type, row-major. Throws DTypeError with the index of the first that cannot be one. */
export function elementsOf(values: ArrayLike<unknown>, dtype: DType, context: ElementsContext): ArrayLike<number> {
  const list: unknown = values;
  const fitting = isNumberArray(list)
    ? ofNumbers(list, dtype)
    : Array.isArray(list)
      ? ofList(list as readonly unknown[], dtype)
      : undefined;
  if (fitting) return fitting;
  const { length } = values;
  const convert = converters[dtype];
  // float64, since that is what the reference device holds.
  const elements = dtype === 'float32' ? new Float64Array(length) : new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const element = convert(values[i]);
    if (element === undefined) throw notAnElement(values[i], dtype, context, i);
    elements[i] = element;
  }
  return elements;
}

/** A single value as an element of a type. Throws DTypeError if it cannot be one. */
export function elementOf(value: unknown, dtype: DType, context: ElementsContext): number {
  const element = converters[dtype](value);
  if (element === undefined) throw notAnElement(value, dtype, context);
  return element;
}

function notAnElement(value: unknown, dtype: DType, context: ElementsContext, index?: number): DTypeError {
  const { operation, argument, nested } = context;
  const place = index === undefined ? '' : ` at index ${nested ? showShape(indicesOf(index, nested)) : index}`;
  return new DTypeError('not a value of this type', {
    operation,
    argument,
    expected: `${expected[dtype]} for ${dtype}`,
    given: showGiven(value) + place,
    hint: hintFor(value, dtype),
  });
}

function hintFor(value: unknown, dtype: DType): string | undefined {
  if (typeof value === 'string') return 'Convert text with Number(text) first';
  if (dtype !== 'int32' || toNumber(value) === undefined) return undefined;
  return Number.isFinite(value) && Math.abs(value as number) <= LARGEST
    ? 'Round it first, or make a float32 tensor and cast it'
    : "Values as large as this fit dtype 'float32'";
}

/** A flat index as one for each axis. */
const indicesOf = (index: number, shape: Shape): number[] =>
  rowMajorStrides(shape).map((stride, axis) => Math.floor(index / stride) % shape[axis]!);
