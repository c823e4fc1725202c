// The one-dimensional transforms of Winograd's F(4, 3), minimal filtering: four outputs y of a three-tap filter w over six
// inputs d with six multiplications, y = A' [(G w) . (B' d)] (Lavin and Gray, "Fast algorithms for convolutional neural
// networks", 2016). The gradient of w follows from that: G' [sum over tiles of (A g) . (B' d)].
// The matrices are Cook and Toom's for the points 0, +-a, +-b and infinity. a and b lie near sqrt(1/2) and sqrt(2), which
// keeps the rounding error of a sum at about twice that of the plain loop (the usual 1 and 2: four to seven times), and
// their squares and cubes are float32 numbers.
// Every function turns one line of vectors; a step is the distance between its elements in bytes.
import { madd } from '../shared/simd.as';

const A: f32 = 0.6875;
const B: f32 = 1.4375;
const A2: f32 = A * A;
const B2: f32 = B * B;
const A3: f32 = A * A2;
const B3: f32 = B * B2;
/** Rows of G: divisors of the interpolation at 0, +-a and +-b. */
const G0: f32 = <f32>(1.0 / (A2 * B2));
const GA: f32 = <f32>(1.0 / (2.0 * A2 * (A2 - B2)));
const GB: f32 = <f32>(1.0 / (2.0 * B2 * (B2 - A2)));

/** Inputs of a tile along one axis, the outputs that they make, and the products of a tile. */
export const INPUTS: i32 = 6;
export const OUTPUTS: i32 = 4;
export const PRODUCTS: i32 = INPUTS * INPUTS;
/** Of a filter's channel. */
export const TAPS: i32 = 9;

// Two kinds of images are turned in tiles. `span` elements of an axis make six.

/** B' d: what the filters meet. Neighbouring tiles share two of their inputs. */
@unmanaged
export class SourceLine {
  @inline
  get span(): i32 {
    return INPUTS;
  }

  @inline
  turn(from: usize, fromStep: usize, to: usize, toStep: usize): void {
    const d1 = v128.load(from + fromStep);
    const d2 = v128.load(from + 2 * fromStep);
    const d3 = v128.load(from + 3 * fromStep);
    const d4 = v128.load(from + 4 * fromStep);
    const product = f32x4.splat(A2 * B2);
    const sum = f32x4.splat(-(A2 + B2));
    v128.store(to, madd(sum, d2, madd(product, v128.load(from), d4)));
    const evenA = madd(f32x4.splat(-B2), d2, d4);
    const oddA = f32x4.mul(f32x4.splat(A), madd(f32x4.splat(-B2), d1, d3));
    v128.store(to + toStep, f32x4.add(evenA, oddA));
    v128.store(to + 2 * toStep, f32x4.sub(evenA, oddA));
    const evenB = madd(f32x4.splat(-A2), d2, d4);
    const oddB = f32x4.mul(f32x4.splat(B), madd(f32x4.splat(-A2), d1, d3));
    v128.store(to + 3 * toStep, f32x4.add(evenB, oddB));
    v128.store(to + 4 * toStep, f32x4.sub(evenB, oddB));
    v128.store(to + 5 * toStep, madd(sum, d3, madd(product, d1, v128.load(from + 5 * fromStep))));
  }
}

/** A g: the gradient of the outputs. */
@unmanaged
export class GradientLine {
  @inline
  get span(): i32 {
    return OUTPUTS;
  }

  @inline
  turn(from: usize, fromStep: usize, to: usize, toStep: usize): void {
    const g0 = v128.load(from);
    const g1 = v128.load(from + fromStep);
    const g2 = v128.load(from + 2 * fromStep);
    const g3 = v128.load(from + 3 * fromStep);
    v128.store(to, g0);
    const evenA = madd(f32x4.splat(A2), g2, g0);
    const oddA = madd(f32x4.splat(A3), g3, f32x4.mul(f32x4.splat(A), g1));
    v128.store(to + toStep, f32x4.add(evenA, oddA));
    v128.store(to + 2 * toStep, f32x4.sub(evenA, oddA));
    const evenB = madd(f32x4.splat(B2), g2, g0);
    const oddB = madd(f32x4.splat(B3), g3, f32x4.mul(f32x4.splat(B), g1));
    v128.store(to + 3 * toStep, f32x4.add(evenB, oddB));
    v128.store(to + 4 * toStep, f32x4.sub(evenB, oddB));
    v128.store(to + 5 * toStep, g3);
  }
}

// The four outputs of six products m, from the sums (even) and differences (odd) of m1 and m2 (A) and of m3 and m4 (B).

@inline
export function turned0(m0: v128, evenA: v128, evenB: v128): v128 {
  return f32x4.add(m0, f32x4.add(evenA, evenB));
}

@inline
export function turned1(oddA: v128, oddB: v128): v128 {
  return madd(f32x4.splat(A), oddA, f32x4.mul(f32x4.splat(B), oddB));
}

@inline
export function turned2(evenA: v128, evenB: v128): v128 {
  return madd(f32x4.splat(A2), evenA, f32x4.mul(f32x4.splat(B2), evenB));
}

@inline
export function turned3(oddA: v128, oddB: v128, m5: v128): v128 {
  return madd(f32x4.splat(A3), oddA, madd(f32x4.splat(B3), oddB, m5));
}

/** A' m: six products to four outputs. */
@inline
export function turnProducts(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const m1 = v128.load(from + fromStep);
  const m2 = v128.load(from + 2 * fromStep);
  const m3 = v128.load(from + 3 * fromStep);
  const m4 = v128.load(from + 4 * fromStep);
  const evenA = f32x4.add(m1, m2);
  const oddA = f32x4.sub(m1, m2);
  const evenB = f32x4.add(m3, m4);
  const oddB = f32x4.sub(m3, m4);
  v128.store(to, turned0(v128.load(from), evenA, evenB));
  v128.store(to + toStep, turned1(oddA, oddB));
  v128.store(to + 2 * toStep, turned2(evenA, evenB));
  v128.store(to + 3 * toStep, turned3(oddA, oddB, v128.load(from + 5 * fromStep)));
}

/** G w: three taps. */
@inline
export function turnTaps(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const w0 = v128.load(from);
  const w1 = v128.load(from + fromStep);
  const w2 = v128.load(from + 2 * fromStep);
  v128.store(to, f32x4.mul(f32x4.splat(G0), w0));
  const evenA = madd(f32x4.splat(A2), w2, w0);
  const oddA = f32x4.mul(f32x4.splat(A), w1);
  v128.store(to + toStep, f32x4.mul(f32x4.splat(GA), f32x4.add(evenA, oddA)));
  v128.store(to + 2 * toStep, f32x4.mul(f32x4.splat(GA), f32x4.sub(evenA, oddA)));
  const evenB = madd(f32x4.splat(B2), w2, w0);
  const oddB = f32x4.mul(f32x4.splat(B), w1);
  v128.store(to + 3 * toStep, f32x4.mul(f32x4.splat(GB), f32x4.add(evenB, oddB)));
  v128.store(to + 4 * toStep, f32x4.mul(f32x4.splat(GB), f32x4.sub(evenB, oddB)));
  v128.store(to + 5 * toStep, w2);
}

/** G' m: the gradient of three taps from six sums. */
@inline
export function turnSums(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const m1 = v128.load(from + fromStep);
  const m2 = v128.load(from + 2 * fromStep);
  const m3 = v128.load(from + 3 * fromStep);
  const m4 = v128.load(from + 4 * fromStep);
  const evenA = f32x4.mul(f32x4.splat(GA), f32x4.add(m1, m2));
  const oddA = f32x4.mul(f32x4.splat(GA), f32x4.sub(m1, m2));
  const evenB = f32x4.mul(f32x4.splat(GB), f32x4.add(m3, m4));
  const oddB = f32x4.mul(f32x4.splat(GB), f32x4.sub(m3, m4));
  v128.store(to, madd(f32x4.splat(G0), v128.load(from), f32x4.add(evenA, evenB)));
  v128.store(to + toStep, madd(f32x4.splat(A), oddA, f32x4.mul(f32x4.splat(B), oddB)));
  const even = madd(f32x4.splat(A2), evenA, f32x4.mul(f32x4.splat(B2), evenB));
  v128.store(to + 2 * toStep, f32x4.add(even, v128.load(from + 5 * fromStep)));
}
