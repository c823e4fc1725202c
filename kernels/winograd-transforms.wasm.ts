// The one-dimensional transforms of Winograd's F(2, 3), minimal filtering: two outputs y of a three-tap filter w over four
// inputs d with four multiplications, y = A' [(G w) . (B' d)] (Lavin and Gray, "Fast algorithms for convolutional neural
// networks", 2016). The gradient of w follows from that: G' [sum over tiles of (A g) . (B' d)].
// Leaves out larger tiles: F(4, 3) takes 1.8 times fewer products, but its transforms are not exact in small whole numbers
// and its rounding error is about twice that of the plain loop.

/** Inputs of a tile along one axis, the outputs that they make, and the products of a tile. */
export const INPUTS: i32 = 4;
export const OUTPUTS: i32 = 2;
export const PRODUCTS: i32 = INPUTS * INPUTS;

// Two kinds of images are turned in tiles. `span` elements of an axis make four; steps are bytes between elements.

/** B' d: what the filters meet. Neighbouring tiles share half of their inputs. */
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
    v128.store(to, f32x4.sub(v128.load(from), d2));
    v128.store(to + toStep, f32x4.add(d1, d2));
    v128.store(to + 2 * toStep, f32x4.sub(d2, d1));
    v128.store(to + 3 * toStep, f32x4.sub(d1, v128.load(from + 3 * fromStep)));
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
    v128.store(to, g0);
    v128.store(to + toStep, f32x4.add(g0, g1));
    v128.store(to + 2 * toStep, f32x4.sub(g0, g1));
    v128.store(to + 3 * toStep, f32x4.neg(g1));
  }
}

/** G w: three taps. */
@inline
export function turnTaps(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const half = f32x4.splat(0.5);
  const w0 = v128.load(from);
  const w1 = f32x4.mul(half, v128.load(from + fromStep));
  const w2 = v128.load(from + 2 * fromStep);
  const even = f32x4.mul(half, f32x4.add(w0, w2));
  v128.store(to, w0);
  v128.store(to + toStep, f32x4.add(even, w1));
  v128.store(to + 2 * toStep, f32x4.sub(even, w1));
  v128.store(to + 3 * toStep, w2);
}

/** G' m: the gradient of three taps from four sums. */
@inline
export function turnSums(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const half = f32x4.splat(0.5);
  const m1 = f32x4.mul(half, v128.load(from + fromStep));
  const m2 = f32x4.mul(half, v128.load(from + 2 * fromStep));
  const even = f32x4.add(m1, m2);
  v128.store(to, f32x4.add(v128.load(from), even));
  v128.store(to + toStep, f32x4.sub(m1, m2));
  v128.store(to + 2 * toStep, f32x4.add(even, v128.load(from + 3 * fromStep)));
}
