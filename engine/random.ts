// Counter-based random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
// A stream is named by (seed, purpose, step); word i of it is a pure function of that name and i, so any part can be drawn
// again after a restart. Everything is integer arithmetic or + - * / sqrt in float64, which IEEE fixes to the last bit:
// no Math.log or Math.cos, whose last digits differ between engines. Leaves out cryptographic strength.
import { takes } from './call-check.ts';
import { countWithin } from './checks.ts';
import { number, optional, text } from './parameters.ts';

const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
/** Weyl steps of the key: the golden ratio and sqrt(3) - 1. */
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;

/** The upper 32 bits of the 64-bit product, from 16-bit halves; nothing passes 32 bits, so that engines keep to integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const first = Math.imul(aHigh, bLow);
  const second = Math.imul(aLow, bHigh);
  const carry = (first & 0xffff) + (second & 0xffff) + (Math.imul(aLow, bLow) >>> 16);
  return (Math.imul(aHigh, bHigh) + (first >>> 16) + (second >>> 16) + (carry >>> 16)) | 0;
}

/** Four random words for a 128-bit counter and a 64-bit key, written to `into`. */
export function philox4x32(
  [c0, c1, c2, c3]: readonly [number, number, number, number],
  [k0, k1]: readonly [number, number],
  into = new Uint32Array(4),
): Uint32Array {
  philoxRounds(c0, c1, c2, c3, k0, k1, into);
  return into;
}

/** Takes plain numbers: networks begin with millions of blocks, and arrays for each would cost more than the rounds. */
function philoxRounds(c0: number, c1: number, c2: number, c3: number, k0: number, k1: number, into: Uint32Array): void {
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + KEY_STEP_0) | 0;
    k1 = (k1 + KEY_STEP_1) | 0;
  }
  into[0] = c0;
  into[1] = c1;
  into[2] = c2;
  into[3] = c3;
}

/** 64 bits of a text: its UTF-8 bytes go through Philox 16 at a time, each output being the key of the next. */
function digest(text: string): [number, number] {
  const bytes = new TextEncoder().encode(text);
  const padded = new Uint8Array(16 * Math.ceil(bytes.length / 16));
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  let key: [number, number] = [bytes.length, 0];
  for (let at = 0; at < padded.length; at += 16) {
    const word = (i: number): number => view.getUint32(at + 4 * i, true);
    const [a, b] = philox4x32([word(0), word(1), word(2), word(3)], key);
    key = [a, b];
  }
  return key;
}

/** Natural logarithm of (word + 1) / 2^32 by ln m = 2 artanh((m - 1) / (m + 1)), m in [sqrt(1/2), sqrt(2)). */
function logOfWord(word: number): number {
  let mantissa = word + 1;
  let exponent = -32;
  while (mantissa >= 65536 * Math.SQRT2) {
    mantissa /= 65536;
    exponent += 16;
  }
  while (mantissa >= Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const s2 = s * s;
  let sum = 0;
  // |s| < 0.172, so s^23 is below the last bit.
  for (let k = 21; k >= 1; k -= 2) sum = sum * s2 + 1 / k;
  return 2 * s * sum + exponent * Math.LN2;
}

/** Cosine and sine of x in [-pi/4, pi/4] by their Taylor polynomials up to x^17. */
function cosine(x: number): number {
  let sum = 1;
  for (let k = 16; k >= 2; k -= 2) sum = 1 - (sum * x * x) / (k * (k - 1));
  return sum;
}
function sine(x: number): number {
  let sum = 1;
  for (let k = 17; k >= 3; k -= 2) sum = 1 - (sum * x * x) / (k * (k - 1));
  return sum * x;
}

/** Box-Muller: two independent normal numbers from two words. The angle's top two bits choose its quadrant. */
function normalPair(word0: number, word1: number): [number, number] {
  const radius = Math.sqrt(-2 * logOfWord(word0));
  const x = ((word1 & 0x3fffffff) / 2 ** 30 - 0.5) * (Math.PI / 2);
  const c = Math.fround(radius * cosine(x));
  const s = Math.fround(radius * sine(x));
  switch (word1 >>> 30) {
    case 0:
      return [c, s];
    case 1:
      return [-s, c];
    case 2:
      return [-c, -s];
    default:
      return [s, -c];
  }
}

const uniformOf = (word: number): number => (word >>> 8) / 2 ** 24;

let watcher: ((stream: Random) => void) | undefined;

/** Tells `watch` of every stream that `body` moves, before it moves. The watcher around it is told too. */
export function watchRandom<T>(watch: (stream: Random) => void, body: () => T): T {
  const before = watcher;
  watcher = (stream) => {
    before?.(stream);
    watch(stream);
  };
  try {
    return body();
  } finally {
    watcher = before;
  }
}

const takesRandom = takes('Random', { seed: number, purpose: text, step: optional(number) });

/** One stream of random numbers. Reading moves `position`, the number of 32-bit words used so far. */
export class Random {
  position = 0;
  readonly #key: readonly [number, number];
  readonly #purpose: readonly [number, number];
  readonly #step: number;
  readonly #block = new Uint32Array(4);
  #blockIndex = -1;

  /** Whole numbers: `seed` from 0 to 2^53 - 1, `step` from 0 to 2^32 - 1. Throws ConfigError for others. */
  constructor(...args: [seed: number, purpose: string, step?: number]) {
    const [seed, purpose, step = 0] = takesRandom(args);
    countWithin('Random', 'seed', seed, { from: 0 });
    countWithin('Random', 'step', step, { from: 0, below: 2 ** 32 });
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
    this.#purpose = digest(purpose);
    this.#step = step;
  }

  /** Moves on as if `words` words had been read; negative moves back. */
  skip(words: number): this {
    countWithin('skip', 'words', words, { from: -this.position });
    watcher?.(this);
    this.position += words;
    return this;
  }

  /** The next 32 bits, as a number from 0 to 2^32 - 1. A stream has 2^34 of them. */
  word(): number {
    watcher?.(this);
    this.#reach(Math.floor(this.position / 4));
    return this.#block[this.position++ % 4];
  }

  /** n times `word()`. */
  #words(n: number): Uint32Array {
    if (n > 0) watcher?.(this);
    const words = new Uint32Array(n);
    let lane = this.position % 4;
    for (let i = 0, index = Math.floor(this.position / 4); i < n; index++) {
      this.#reach(index);
      for (; lane < 4 && i < n; lane++) words[i++] = this.#block[lane];
      lane = 0;
    }
    this.position += n;
    return words;
  }

  /** Makes the block of this number the one at hand. */
  #reach(index: number): void {
    if (index === this.#blockIndex) return;
    philoxRounds(index, this.#step, this.#purpose[0], this.#purpose[1], this.#key[0], this.#key[1], this.#block);
    this.#blockIndex = index;
  }

  /** Uniform in [0, 1), a multiple of 2^-24: a float32 exactly. Uses one word. */
  uniform(): number {
    return uniformOf(this.word());
  }

  /** Standard normal, rounded to float32. Uses two words; within 6.7 of 0. */
  normal(): number {
    return normalPair(this.word(), this.word())[0];
  }

  /** A whole number from 0 to n - 1, all equally likely. Uses one word, seldom more. n is from 1 to 2^32. */
  integer(n: number): number {
    countWithin('integer', 'n', n, { from: 1, to: 2 ** 32 });
    // Words of the last, incomplete run of n would favour small results.
    const limit = 2 ** 32 - (2 ** 32 % n);
    let word = this.word();
    while (word >= limit) word = this.word();
    return word % n;
  }

  /** The numbers 0 .. n - 1 in random order (Fisher-Yates). */
  permutation(n: number): Int32Array {
    countWithin('permutation', 'n', n, { from: 0, below: 2 ** 31 });
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  /** n times `uniform()`. */
  uniformArray(n: number): Float32Array {
    countWithin('uniformArray', 'n', n, { from: 0 });
    const words = this.#words(n);
    const values = new Float32Array(n);
    for (let i = 0; i < n; i++) values[i] = uniformOf(words[i]);
    return values;
  }

  /** n standard normal numbers. Takes both numbers of a pair, so it uses n words (n + 1 if n is odd), half of `normal()`. */
  normalArray(n: number): Float32Array {
    countWithin('normalArray', 'n', n, { from: 0 });
    const values = new Float32Array(n);
    const words = this.#words(n + (n % 2));
    for (let i = 0; i < n; i += 2) {
      const [first, second] = normalPair(words[i], words[i + 1]);
      values[i] = first;
      // Writing past the end of a typed array does nothing.
      values[i + 1] = second;
    }
    return values;
  }
}

/** The stream of (seed, purpose, step). Streams of different names are independent. */
export const random = (...args: ConstructorParameters<typeof Random>): Random => new Random(...args);
