// Arithmetic of WGSL on JavaScript numbers: an f32 is a number that Math.fround leaves as it is, an i32 one of -2^31 to 2^31 - 1, a
// u32 one of 0 to 2^32 - 1. Where WGSL leaves a result open, it is the one that is nearest to what the text says.

export const f = Math.fround;
export const m = Math.imul;

const doubles = new Float64Array(1);
const halves = new Uint32Array(doubles.buffer);
const words = new Int32Array(1);
const floats = new Float32Array(words.buffer);

/** a b + c, rounded once. The product is exact in float64; its sum with c is rounded to odd, which a second rounding forgives. */
export function fma(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const part = sum - product;
  const error = product - (sum - part) + (c - part);
  if (error === 0 || !Number.isFinite(sum) || Number.isNaN(error)) return f(sum);
  doubles[0] = sum;
  if ((halves[0]! & 1) === 0) {
    if (error > 0 === sum > 0) halves[0]! |= 1;
    else if (halves[0] === 0) {
      halves[0] = 0xffffffff;
      halves[1]!--;
    } else halves[0]!--;
  }
  return f(doubles[0]);
}

export const divideI = (a: number, b: number): number => (b === 0 || (b === -1 && a === -0x80000000) ? a : (a / b) | 0);
export const remainderI = (a: number, b: number): number => (b === 0 || b === -1 ? 0 : (a % b) | 0);
export const divideU = (a: number, b: number): number => (b === 0 ? a : Math.floor(a / b));
export const remainderU = (a: number, b: number): number => (b === 0 ? 0 : a % b);
/** Operators of abstract integers. */
export const divideA = (a: number, b: number): number => Math.trunc(a / b);
export const andA = (a: number, b: number): number => Number(BigInt(a) & BigInt(b));
export const orA = (a: number, b: number): number => Number(BigInt(a) | BigInt(b));
export const xorA = (a: number, b: number): number => Number(BigInt(a) ^ BigInt(b));

/** Conversions of values: a float outside of the range becomes its nearest end, NaN 0. */
export const toI = (x: number): number => (x >= 0x7fffffff ? 0x7fffffff : x <= -0x80000000 ? -0x80000000 : x | 0);
export const toU = (x: number): number => (x >= 0xffffffff ? 0xffffffff : x > 0 ? Math.floor(x) : 0);

/** The same bits as another type. */
export function floatOf(bits: number): number {
  words[0] = bits;
  return floats[0]!;
}
export function intOf(x: number): number {
  floats[0] = x;
  return words[0]!;
}
export const uintOf = (x: number): number => intOf(x) >>> 0;

export const min = (a: number, b: number): number => (b < a ? b : a);
export const max = (a: number, b: number): number => (a < b ? b : a);
export const roundEven = (x: number): number => {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return rest < 0.5 ? copySign(down, x) : copySign(down + 1, x);
  return copySign(down % 2 === 0 ? down : down + 1, x);
};
const copySign = (value: number, of: number): number => (value === 0 && (of < 0 || Object.is(of, -0)) ? -0 : value);

/** The built-in `mix`. */
export const blend = (a: number, b: number, t: number): number => f(f(a * f(1 - t)) + f(b * t));

export const leadingZeros = (x: number): number => Math.clz32(x);
export const trailingZeros = (x: number): number => (x === 0 ? 32 : 31 - Math.clz32(x & -x));
export function oneBits(x: number): number {
  let count = 0;
  for (let rest = x >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
export const firstLeadingBitU = (x: number): number => (x === 0 ? 0xffffffff : 31 - Math.clz32(x));
export const firstLeadingBitI = (x: number): number => {
  const bits = x < 0 ? ~x : x;
  return bits === 0 ? -1 : 31 - Math.clz32(bits);
};
export function reverseBits(x: number): number {
  let result = 0;
  for (let i = 0; i < 32; i++) result = (result << 1) | ((x >>> i) & 1);
  return result >>> 0;
}
export const extractU = (x: number, offset: number, count: number): number => {
  const from = Math.min(offset, 32);
  const length = Math.min(count, 32 - from);
  return length === 0 ? 0 : (x << (32 - from - length)) >>> (32 - length);
};
export const extractI = (x: number, offset: number, count: number): number => {
  const from = Math.min(offset, 32);
  const length = Math.min(count, 32 - from);
  return length === 0 ? 0 : (x << (32 - from - length)) >> (32 - length);
};
export function insertBits(x: number, bits: number, offset: number, count: number): number {
  const from = Math.min(offset, 32);
  const length = Math.min(count, 32 - from);
  if (length === 0) return x >>> 0;
  const mask = (0xffffffff >>> (32 - length)) << from;
  return ((x & ~mask) | ((bits << from) & mask)) >>> 0;
}

/** The nearest float16's bits, ties to even, and back. */
export function halfBits(x: number): number {
  const bits = uintOf(x);
  const sign = (bits >>> 16) & 0x8000;
  const size = Math.abs(x);
  if (Number.isNaN(x)) return sign | 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | roundEven(size * 2 ** 24);
  const exponent = ((bits >>> 23) & 0xff) - 127;
  return sign | (((exponent + 14) << 10) + roundEven((size / 2 ** exponent) * 1024));
}
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** `count` parts of a word, lowest first, each with its sign or without. */
export const partsU = (word: number, count: number): number[] => {
  const bits = 32 / count;
  return Array.from({ length: count }, (_, i) => extractU(word, i * bits, bits));
};
export const partsI = (word: number, count: number): number[] => {
  const bits = 32 / count;
  return Array.from({ length: count }, (_, i) => extractI(word, i * bits, bits));
};
export const joinParts = (parts: readonly number[]): number => {
  const bits = 32 / parts.length;
  const mask = 2 ** bits - 1;
  return parts.reduce((word, part, i) => word | ((part & mask) << (i * bits)), 0) >>> 0;
};
export const dotParts = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, part, i) => sum + part * b[i]!, 0);
/** A number of [-1, 1] or [0, 1] as a whole one of up to `most`. */
export const normalized = (x: number, least: number, most: number): number =>
  Math.floor(0.5 + most * Math.min(1, Math.max(least, x)));

/** A copy of a value that has parts. */
export const copy = <T>(value: readonly T[]): T[] =>
  value.map((part) => (Array.isArray(part) ? (copy(part) as unknown as T) : part));

/** Writes the parts of `from` into those of `to`, at every depth, so that pointers into `to` stay valid. */
export function assign(to: unknown[], from: readonly unknown[]): void {
  for (let i = 0; i < from.length; i++) {
    const part = from[i];
    if (Array.isArray(part)) assign(to[i] as unknown[], part);
    else to[i] = part;
  }
}

/** What tells two ways through the text apart, down a path of calls and turns of loops. */
export const mix = (path: number, step: number): number => {
  const mixed = Math.imul(path ^ step, 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) | 0;
};
