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

/** The name that typed arrays have, whatever class is derived of them and in whichever realm. */
const kindOfTyped = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)!;

/** What kind of typed array these values are, or undefined if they are none. */
export const arrayKind = (values: unknown): string | undefined => kindOfTyped.get!.call(values) as string | undefined;

/** Whether every value is an int32 because of the kind of typed array. */
export function isSmallWhole(kind: string | undefined): boolean {
  switch (kind) {
    case 'Int32Array':
    case 'Uint8Array':
    case 'Int8Array':
    case 'Int16Array':
    case 'Uint16Array':
    case 'Uint8ClampedArray':
      return true;
    default:
      return false;
  }
}

// Large arrays pass here, so what fits is handed on as it is, numbers of another kind are converted and looked at in one pass,
// and every loop is for arrays of one kind: one that meets lists and two kinds of typed arrays takes up to twenty times as long.

/** Up to so many words are kept. */
const MOST_KEPT = 2 ** 20;
/** Up to so many are made anew. */
const FEW = 16;

/**
 * Where values are converted for someone who copies them at once. Fresh memory takes about as long as a conversion, so the same
 * is given again.
 */
export class Room {
  readonly #Floats: Float32ArrayConstructor | Float64ArrayConstructor;
  #words = new Int32Array(0);
  #floats: Float32Array | Float64Array;

  /** `Floats` are what the elements of float32 are kept as. */
  constructor(Floats: Float32ArrayConstructor | Float64ArrayConstructor) {
    this.#Floats = Floats;
    this.#floats = new Floats(0);
  }

  words(length: number): Int32Array {
    if (length <= FEW || length > MOST_KEPT) return new Int32Array(length);
    if (this.#words.length < length) this.#words = new Int32Array(Math.min(MOST_KEPT, 2 * length));
    return this.#words.subarray(0, length);
  }

  floats(length: number): Float32Array | Float64Array {
    if (length <= FEW || length > MOST_KEPT) return new this.#Floats(length);
    if (this.#floats.length < length) this.#floats = new this.#Floats(Math.min(MOST_KEPT, 2 * length));
    return this.#floats.subarray(0, length);
  }
}

function ofTyped(values: ArrayLike<unknown>, dtype: DType, room: Room): ArrayLike<number> | undefined {
  const kind = arrayKind(values);
  if (kind === undefined || kind === 'BigInt64Array' || kind === 'BigUint64Array') return undefined;
  return ofNumbers(values as NumberArray, kind, dtype, room);
}

/** Numbers as elements, or undefined if one of them cannot be an element. */
function ofNumbers(values: NumberArray, kind: string, dtype: DType, room: Room): ArrayLike<number> | undefined {
  if (dtype === 'float32' || (dtype === 'int32' && isSmallWhole(kind))) return values;
  const words = room.words(values.length);
  if (isSmallWhole(kind)) return flagsOfWords(values, words);
  if (values instanceof Float32Array) {
    return dtype === 'bool' ? flagsOfSingles(values, words) : wordsOfSingles(values, words);
  }
  const doubles = values instanceof Float64Array ? values : new Float64Array(values);
  return dtype === 'bool' ? flagsOfDoubles(doubles, words) : wordsOfDoubles(doubles, words);
}

// Four at a time, which takes three quarters of the time. A function for each kind of array: one that has seen two kinds is compiled for
// neither.

function wordsOfSingles(values: Float32Array, words: Int32Array): Int32Array | undefined {
  const whole = values.length & -4;
  for (let i = 0; i < whole; i += 4) {
    const a = values[i]!;
    const b = values[i + 1]!;
    const c = values[i + 2]!;
    const d = values[i + 3]!;
    if ((a | 0) !== a || (b | 0) !== b || (c | 0) !== c || (d | 0) !== d) return undefined;
    words[i] = a;
    words[i + 1] = b;
    words[i + 2] = c;
    words[i + 3] = d;
  }
  for (let i = whole; i < values.length; i++) {
    if ((values[i]! | 0) !== values[i]) return undefined;
    words[i] = values[i]!;
  }
  return words;
}

function wordsOfDoubles(values: Float64Array, words: Int32Array): Int32Array | undefined {
  const whole = values.length & -4;
  for (let i = 0; i < whole; i += 4) {
    const a = values[i]!;
    const b = values[i + 1]!;
    const c = values[i + 2]!;
    const d = values[i + 3]!;
    if ((a | 0) !== a || (b | 0) !== b || (c | 0) !== c || (d | 0) !== d) return undefined;
    words[i] = a;
    words[i + 1] = b;
    words[i + 2] = c;
    words[i + 3] = d;
  }
  for (let i = whole; i < values.length; i++) {
    if ((values[i]! | 0) !== values[i]) return undefined;
    words[i] = values[i]!;
  }
  return words;
}

function flagsOfSingles(values: Float32Array, flags: Int32Array): Int32Array {
  for (let i = 0; i < values.length; i++) flags[i] = Number(values[i] !== 0);
  return flags;
}

function flagsOfDoubles(values: Float64Array, flags: Int32Array): Int32Array {
  for (let i = 0; i < values.length; i++) flags[i] = Number(values[i] !== 0);
  return flags;
}

function flagsOfWords(values: NumberArray, flags: Int32Array): Int32Array {
  flags.set(values);
  // The sign of x | -x is set unless x is 0.
  for (let i = 0; i < flags.length; i++) flags[i] = (flags[i]! | -flags[i]!) >>> 31;
  return flags;
}

/** The numbers of a list as elements; undefined also where it holds something else than numbers. */
function ofList(values: readonly unknown[], dtype: DType, room: Room): ArrayLike<number> | undefined {
  if (values.length <= FEW) return areElements(values, dtype) ? values : undefined;
  if (dtype === 'float32') return floatsOfList(values, room.floats(values.length));
  const words = room.words(values.length);
  return dtype === 'int32' ? wordsOfList(values, words) : flagsOfList(values, words);
}

/** Whether all are numbers that are elements as they are. */
function areElements(values: readonly unknown[], dtype: DType): values is readonly number[] {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'number') return false;
    if (dtype === 'int32' ? (value | 0) !== value : dtype === 'bool' && value !== 0 && value !== 1) return false;
  }
  return true;
}

function floatsOfList(values: readonly unknown[], floats: Float32Array | Float64Array): ArrayLike<number> | undefined {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'number') return undefined;
    floats[i] = value;
  }
  return floats;
}

function wordsOfList(values: readonly unknown[], words: Int32Array): Int32Array | undefined {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'number') return undefined;
    const word = value | 0;
    if (word !== value) return undefined;
    words[i] = word;
  }
  return words;
}

function flagsOfList(values: readonly unknown[], flags: Int32Array): Int32Array | undefined {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'number') return undefined;
    flags[i] = Number(value !== 0);
  }
  return flags;
}

/**
 * The values as elements of a type, row-major; in a room of the caller's they stay until the next call. Throws DTypeError with the
 * index of the first that cannot be one.
 */
export function elementsOf(
  values: ArrayLike<unknown>,
  dtype: DType,
  context: ElementsContext,
  room = new Room(Float64Array),
): ArrayLike<number> {
  const fitting = Array.isArray(values)
    ? ofList(values as readonly unknown[], dtype, room)
    : ofTyped(values, dtype, room);
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
