// Bounds on gradients between backward and step, as torch.nn.utils.clip_grad_norm_ and clip_grad_value_. The norm stays on
// the device, so that clipping does not wait for it.
import { takes } from '../call-check.ts';
import { full } from '../creation.ts';
import { parametersIn } from '../checks.ts';
import { ConfigError, NonFiniteError } from '../errors.ts';
import { div, gt, lt, minimum, mul, pow, where } from '../ops/binary.ts';
import { stack } from '../ops/joining.ts';
import { amax, sum } from '../ops/reduction.ts';
import { abs, affine, clamp, sqrt, square } from '../ops/unary.ts';
import { anyType, flag, number, optionsWith, value } from '../parameters.ts';
import { disown, tidy } from '../scope.ts';
import { checkTensor } from '../signature.ts';
import { noGrad } from '../grad-mode.ts';
import { Tensor } from '../tensor.ts';

/** Options of `clipGradNorm`. */
export interface ClipGradNormOptions {
  /** p of the p-norm, above 0; Infinity is the largest absolute value. Default 2. */
  normType?: number;
  /** Reads the norm and throws NonFiniteError, before any gradient changes, if it is not finite. */
  errorIfNonFinite?: boolean;
}

const takesNorm = takes('clipGradNorm', {
  parameters: value,
  maxNorm: number,
  options: optionsWith<ClipGradNormOptions>({ normType: number, errorIfNonFinite: flag }),
});
const takesValue = takes('clipGradValue', { parameters: value, clipValue: number });

/** What `torch` adds to the norm before dividing by it. */
const EPSILON = 1e-6;

type Tensors = Tensor | Iterable<Tensor>;

function withGradients(operation: string, parameters: Tensors): Tensor[] {
  const all = [...new Set(parameters instanceof Tensor ? [parameters] : parametersIn(operation, parameters))];
  all.forEach((each, i) => checkTensor(operation, `parameters[${i}]`, each, anyType.dtypes, undefined));
  return all.filter(({ grad }) => grad !== undefined);
}

/** Puts `change(gradient)` in the place of the gradient. It belongs to the parameter, not to a scope. */
function replaceGradient(parameter: Tensor, change: (gradient: Tensor) => Tensor): void {
  const before = parameter.grad!;
  const after = tidy(() => change(before));
  disown(after);
  parameter.grad = after;
  before.dispose();
}

const sizeOfLargest = (x: Tensor): Tensor => (x.size ? amax(abs(x)) : full([], 0, { device: x.device }));

/** 1 for a scale by which nothing can be divided. */
const usable = (scale: Tensor): Tensor => where(gt(scale, 0), where(lt(scale, Infinity), scale, 1), 1);

/** (sum |x / scale|^p) over all values of all gradients. */
function powerSum(gradients: readonly Tensor[], p: number, scale?: Tensor): Tensor {
  const sumOf = (gradient: Tensor): Tensor => {
    const x = scale ? div(gradient, scale) : gradient;
    if (p === 1) return sum(abs(x));
    return sum(p === 2 ? square(x) : pow(abs(x), p));
  };
  const sums = gradients.map((gradient) => tidy(() => sumOf(gradient)));
  return sum(stack(sums, 0));
}

/** The p-norm of all values together. They are divided by the largest first: its power may overflow, and all may underflow. */
function totalNorm(parameters: readonly Tensor[], p: number): Tensor {
  const gradients = parameters.map(({ grad }) => grad!);
  return tidy(() => {
    if (p === 1) return powerSum(gradients, p);
    const largest = gradients.map((gradient) => tidy(() => sizeOfLargest(gradient)));
    const top = amax(stack(largest, 0));
    if (p === Infinity) return top;
    const scale = usable(top);
    const power = powerSum(gradients, p, scale);
    return mul(scale, p === 2 ? sqrt(power) : pow(power, 1 / p));
  });
}

const scaleTo = (parameters: readonly Tensor[], total: Tensor, maxNorm: number): void =>
  tidy(() => {
    // Multiplying by 1 where the norm is small enough costs less than asking the device whether it is.
    const factor = minimum(div(maxNorm, affine(total, 1, EPSILON)), 1);
    for (const parameter of parameters) replaceGradient(parameter, (gradient) => mul(gradient, factor));
  });

/**
 * Scales the gradients of `parameters` by min(1, maxNorm / (norm + 1e-6)), where `norm` is that of all of them together, and
 * returns the norm before, a scalar on their device. Those without a gradient are left out; of none the norm is 0. A norm
 * that is not finite makes every gradient 0 (infinity) or NaN; with `errorIfNonFinite` the norm is read first, and the
 * promise rejects with NonFiniteError instead.
 */
export function clipGradNorm(
  parameters: Tensors,
  maxNorm: number,
  options: ClipGradNormOptions & { errorIfNonFinite: true },
): Promise<Tensor>;
export function clipGradNorm(
  parameters: Tensors,
  maxNorm: number,
  options?: ClipGradNormOptions & { errorIfNonFinite?: false },
): Tensor;
export function clipGradNorm(
  ...args: [parameters: Tensors, maxNorm: number, options?: ClipGradNormOptions]
): Tensor | Promise<Tensor> {
  const [parameters, maxNorm, { normType = 2, errorIfNonFinite = false } = {}] = takesNorm(args);
  const operation = 'clipGradNorm';
  if (!(normType > 0)) {
    throw new ConfigError('no such norm', {
      operation,
      argument: 'normType',
      expected: 'above 0',
      given: `${normType}`,
    });
  }
  if (!(maxNorm >= 0)) {
    throw new ConfigError('no such bound', {
      operation,
      argument: 'maxNorm',
      expected: '0 or more',
      given: `${maxNorm}`,
    });
  }
  const clipped = withGradients(operation, parameters);
  const total = noGrad(() => (clipped.length ? totalNorm(clipped, normType) : full([], 0)));
  if (!errorIfNonFinite) {
    noGrad(() => scaleTo(clipped, total, maxNorm));
    return total;
  }
  return total.item().then((value) => {
    if (!Number.isFinite(value)) {
      throw new NonFiniteError('the norm of the gradients is not finite', {
        operation,
        given: String(value),
        hint: 'detectAnomaly names the operation that made the first such value',
      });
    }
    noGrad(() => scaleTo(clipped, total, maxNorm));
    return total;
  });
}

/** Limits every value of the gradients of `parameters` to -clipValue .. clipValue. NaN stays. */
export function clipGradValue(...args: [parameters: Tensors, clipValue: number]): void {
  const [parameters, clipValue] = takesValue(args);
  if (!(clipValue >= 0)) {
    const details = { operation: 'clipGradValue', argument: 'clipValue', expected: '0 or more', given: `${clipValue}` };
    throw new ConfigError('no such bound', details);
  }
  noGrad(() => {
    for (const parameter of withGradients('clipGradValue', parameters)) {
      replaceGradient(parameter, (gradient) => clamp(gradient, { min: -clipValue, max: clipValue }));
    }
  });
}
