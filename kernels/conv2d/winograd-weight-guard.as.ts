// Which channels of x and of the gradient g Winograd's algorithm may take for a weight gradient, by the error model of
// ../shared/error-model.ts: the argument stands there. A channel is described by how many of its elements count, (sum of
// magnitudes)^2 / sum of squares. With many places the magnitudes of some of them give a lower bound; channels for which it does not
// suffice are looked at again.
import { words } from '../shared/addresses.as';
import { loadLanes, madd } from '../shared/simd.as';
import { isOutside, SIGNIFICAND, significantBits, unionOf } from './winograd-guard.as';

/** Terms of a weight's gradient that count, at least, if x and g are independent. */
const LEAST_TERMS: f32 = 12;

/** Two groups of numbers of elements: of x and of g. What is below its limit is left to the plain sum. */
@unmanaged
export class Limits {
  x: f32;
  g: f32;
}

/** Where the mean of `count` numbers of elements is meant; zero and infinity do not count. 0 if there is none. */
function meanElements(elements: usize, count: i32): f32 {
  let sum: f32 = 0;
  let finite = 0;
  for (let i = 0; i < count; i++) {
    const own = load<f32>(elements + words(i));
    if (own > 0 && own < Infinity) {
      sum += own;
      finite++;
    }
  }
  return finite > 0 ? sum / <f32>finite : 0;
}

/**
 * Limits whose product is LEAST_TERMS `places`, in the proportion of the means. `elements`: numbers of elements of `channels` channels
 * of x and of `outputs` channels of g.
 */
export function findLimits(limits: Limits, elements: usize, channels: i32, outputs: i32, places: i32): void {
  const product = LEAST_TERMS * <f32>places;
  const x = meanElements(elements, channels);
  const g = meanElements(elements + words(channels), outputs);
  // A side of zeros, or that must not be taken, needs nothing of the other.
  limits.x = x > 0 && g > 0 ? sqrt<f32>((product * x) / g) : 1;
  limits.g = x > 0 && g > 0 ? product / limits.x : 1;
}

/** How many elements count, of a channel's sums of magnitudes and of squares; 0 if the channel must not be taken. */
export function elementsOf(magnitudes: f32, squares: f32, isZero: bool): f32 {
  // Zeros make zeros.
  if (isZero) return Infinity;
  return isOutside(squares) ? 0 : (magnitudes * magnitudes) / squares;
}

@inline
function sumLanes(value: v128): f32 {
  const two = f32x4.add(value, v128.shuffle<i32>(value, value, 2, 3, 2, 3));
  return f32x4.extract_lane(two, 0) + f32x4.extract_lane(two, 1);
}

/** As sumChannel. `vectors` is a constant. */
@inline
function sumVectors(vectors: i32, from: usize, images: i32, step: usize, count: i32, to: usize): void {
  // Chains whose sums do not wait for each other.
  let sum0 = i32x4.splat(0);
  let sum1 = sum0;
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
      if (vectors > 1) sum1 = f32x4.add(sum1, f32x4.abs(x2));
      if (vectors > 2) {
        sum0 = f32x4.add(sum0, f32x4.abs(x1));
        sum1 = f32x4.add(sum1, f32x4.abs(x3));
      }
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
  store<f32>(to, sumLanes(f32x4.add(sum0, sum1)));
  store<f32>(to, sumLanes(f32x4.add(f32x4.add(squares0, squares1), f32x4.add(squares2, squares3))), 4);
}

/**
 * Stores at `to` the sum of the magnitudes, of 1, 2 or 4 `vectors` of four, and that of the squares of `count` elements in each of
 * `images` runs, `step` bytes apart.
 */
export function sumChannel(from: usize, images: i32, step: usize, count: i32, vectors: i32, to: usize): void {
  if (vectors == 1) sumVectors(1, from, images, step, count, to);
  else if (vectors == 2) sumVectors(2, from, images, step, count, to);
  else sumVectors(4, from, images, step, count, to);
}

/** Whether all products of two arrays' elements are so simple that a plain sum of them may be exact. */
export function areFewBits(a: usize, countA: i32, b: usize, countB: i32): bool {
  const bits = significantBits(unionOf(a, countA));
  return bits < SIGNIFICAND && bits + significantBits(unionOf(b, countB)) <= SIGNIFICAND;
}
