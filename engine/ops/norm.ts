// Norms of vectors: (sum |x|^p)^(1/p) and its limits. Values are divided by the largest first, so that no power overflows or
// vanishes; the divisor is a constant to the gradient, which does not depend on it.
import { ConfigError } from '../errors.ts';
import { defineComposite } from '../operation.ts';
import { normalizeAxes, sizeOf } from '../shape.ts';
import { axes, flag, float, number, optional, optionsWith } from '../signature.ts';
import { noGrad } from '../grad-mode.ts';
import type { Tensor } from '../tensor.ts';
import { div, eq, gt, lt, mul, where } from './binary.ts';
import type { ReduceOptions } from './reduce-options.ts';
import { amax, amin, sum } from './reduction.ts';
import { reshape } from './reshape.ts';
import { abs, powScalar, sign, square } from './unary.ts';

/** Options of `norm`. */
export interface NormOptions extends ReduceOptions {
  /** Any number, Infinity and -Infinity among them. Default 2. */
  p?: number;
}

/** x^exponent, and `ofZero` without a gradient where x is 0. */
function powerOrZero(x: Tensor, exponent: number, ofZero: number): Tensor {
  const isZero = noGrad(() => eq(x, 0));
  return where(isZero, ofZero, powScalar(where(isZero, 1, x), exponent));
}

/** What to divide by: the element that dominates the sum, or 1 where that is 0 or not finite. */
const scaleOf = (distance: Tensor, over: readonly number[], p: number): Tensor =>
  noGrad(() => {
    const extreme = (p < 0 ? amin : amax)(distance, over, { keepdim: true });
    return where(gt(extreme, 0), where(lt(extreme, Infinity), extreme, 1), 1);
  });

function scaled(x: Tensor, over: readonly number[], p: number): Tensor {
  const distance = abs(x);
  const isEmpty = sizeOf(over.map((axis) => x.shape[axis]!)) === 0;
  const scale = isEmpty ? undefined : scaleOf(distance, over, p);
  const units = scale ? div(distance, scale) : distance;
  const powers = p === 2 ? square(units) : powerOrZero(units, p, p < 0 ? Infinity : 0);
  const total = sum(powers, over, { keepdim: true });
  const length = powerOrZero(total, 1 / p, p < 0 ? Infinity : 0);
  return scale ? mul(length, scale) : length;
}

function measured(x: Tensor, over: readonly number[], p: number): Tensor {
  const keep = { keepdim: true };
  if (p === 0) return sum(square(sign(x)), over, keep);
  if (p === 1) return sum(abs(x), over, keep);
  if (p === Infinity) return amax(abs(x), over, keep);
  if (p === -Infinity) return amin(abs(x), over, keep);
  return scaled(x, over, p);
}

/**
 * The p-norm over `axes` (all when undefined): the root of the sum of squares for p = 2, the number of elements other than 0
 * for p = 0, the largest (smallest) absolute value for p = Infinity (-Infinity). The gradient is 0 at 0.
 */
export const norm = defineComposite(
  'norm',
  (x: Tensor, axes?: number | readonly number[], { p = 2, keepdim = false }: NormOptions = {}): Tensor => {
    if (Number.isNaN(p)) {
      throw new ConfigError('not a norm', { operation: 'norm', argument: 'p', expected: 'a number', given: 'NaN' });
    }
    const over = normalizeAxes('norm', axes, x.rank);
    const y = measured(x, over, p);
    if (keepdim) return y;
    return reshape(
      y,
      x.shape.filter((_, axis) => !over.includes(axis)),
    );
  },
  {
    family: 'norm',
    signature: { x: float, axes: optional(axes), options: optionsWith<NormOptions>({ p: number, keepdim: flag }) },
  },
);
