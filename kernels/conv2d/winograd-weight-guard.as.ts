// Which channels of x and of the gradient g Winograd's algorithm may take for a weight gradient, by the error model of
// ../shared/error-model.ts: the argument stands there. A channel is described by how many of its elements count, (sum of
// magnitudes)^2 / sum of squares; a pair of channels by the product of both.
import { words } from '../shared/addresses.as';
import { loadLanes, madd } from '../shared/simd.as';
import { isOutside, SIGNIFICAND, significantBits, unionOf } from './winograd-guard.as';

/** Terms of a weight's gradient that count, at least, if x and g are independent. */
const LEAST_TERMS: f32 = 12;
/** Of the elements that are not zero so many count at most, which of equal ones would be all. */
const COUNTED_PART: f32 = 2.0 / 3.0;
/** With fewer elements that count than this part of all, those that are not zero are counted. */
const FEW_PART: f32 = 0.25;

/** Whether a pair of channels is left to plain sums, by how many elements of each count; `places`: elements of a channel of g. */
export function isPlainPair(elementsX: f32, elementsG: f32, places: i32): bool {
  const part = max<f32>(elementsX, elementsG) / <f32>places;
  const together = min<f32>(elementsX, elementsG) * part * (1 + part * (<f32>0.5 + part / 3));
  // Zeros and what must not be taken make NaN.
  return !(together >= LEAST_TERMS);
}

@inline
function sumLanes(value: v128): f32 {
  const two = f32x4.add(value, v128.shuffle<i32>(value, value, 2, 3, 2, 3));
  return f32x4.extract_lane(two, 0) + f32x4.extract_lane(two, 1);
}

/** How many of `count` elements in each of `images` runs are not zero. */
function countElements(from: usize, images: i32, step: usize, count: i32): i32 {
  let sum = 0;
  for (let image = 0; image < images; image++) {
    let negative = i32x4.splat(0);
    let at = from;
    const end = from + words(count);
    while (at < end) {
      // Lanes beyond the last are zeros.
      const x = loadLanes(at, min(4, (<i32>(end - at)) >> 2));
      negative = i32x4.add(negative, f32x4.ne(x, f32x4.splat(0)));
      at += 16;
    }
    const two = i32x4.add(negative, v128.shuffle<i32>(negative, negative, 2, 3, 2, 3));
    sum -= i32x4.extract_lane(two, 0) + i32x4.extract_lane(two, 1);
    from += step;
  }
  return sum;
}

/**
 * How many elements count of the `count` in each of `images` runs, `step` bytes apart: infinity if all are zero, 0 if Winograd's
 * algorithm must not take them.
 */
export function elementsOf(from: usize, images: i32, step: usize, count: i32): f32 {
  const start = from;
  // Chains whose sums do not wait for each other.
  let sum0 = i32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  let squares0 = sum0;
  let squares1 = sum0;
  let squares2 = sum0;
  let squares3 = sum0;
  for (let image = 0; image < images; image++) {
    let at = from;
    const end = from + words(count);
    while (at + 64 <= end) {
      const x0 = v128.load(at);
      const x1 = v128.load(at, 16);
      const x2 = v128.load(at, 32);
      const x3 = v128.load(at, 48);
      sum0 = f32x4.add(sum0, f32x4.abs(x0));
      sum1 = f32x4.add(sum1, f32x4.abs(x1));
      sum2 = f32x4.add(sum2, f32x4.abs(x2));
      sum3 = f32x4.add(sum3, f32x4.abs(x3));
      squares0 = madd(x0, x0, squares0);
      squares1 = madd(x1, x1, squares1);
      squares2 = madd(x2, x2, squares2);
      squares3 = madd(x3, x3, squares3);
      at += 64;
    }
    while (at < end) {
      const x = loadLanes(at, min(4, (<i32>(end - at)) >> 2));
      sum0 = f32x4.add(sum0, f32x4.abs(x));
      squares0 = madd(x, x, squares0);
      at += 16;
    }
    from += step;
  }
  const magnitudes = sumLanes(f32x4.add(f32x4.add(sum0, sum1), f32x4.add(sum2, sum3)));
  const squares = sumLanes(f32x4.add(f32x4.add(squares0, squares1), f32x4.add(squares2, squares3)));
  // Zeros make zeros; squares of 0 may be those of tiny numbers.
  if (magnitudes == 0) return Infinity;
  if (isOutside(squares)) return 0;
  const elements = (magnitudes * magnitudes) / squares;
  const all = <f32>(images * count);
  if (elements >= FEW_PART * all) return min<f32>(elements, COUNTED_PART * all);
  return min<f32>(elements, COUNTED_PART * <f32>countElements(start, images, step, count));
}

/** Words that are looked at first. */
const FIRST_WORDS: i32 = 1024;

/** Whether all products of two arrays' elements are so simple that a plain sum of them may be exact. */
export function areFewBits(a: usize, countA: i32, b: usize, countB: i32): bool {
  // The first of them mostly tell already: more words only need more bits.
  const first = significantBits(unionOf(a, min(countA, FIRST_WORDS)));
  if (first + significantBits(unionOf(b, min(countB, FIRST_WORDS))) > SIGNIFICAND) return false;
  const bits = significantBits(unionOf(a, countA));
  return bits < SIGNIFICAND && bits + significantBits(unionOf(b, countB)) <= SIGNIFICAND;
}
