// Losses of boxes (N, 4) given as x1, y1, x2, y2, and the learned weighting of several losses.
import { tensor } from '../creation.ts';
import { numberWithin, oneOf } from '../checks.ts';
import { ShapeError, showShape } from '../errors.ts';
import { defineComposite } from '../operation.ts';
import { flag, float, list, number, optional, optionsWith, type Signature, text } from '../signature.ts';
import { noGrad } from '../grad-mode.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, maximum, minimum, mul, sub } from './binary.ts';
import { narrow } from './layout.ts';
import { checkReduction, checkSame, type LossOptions, reduceLoss, rootOrZero } from './loss-options.ts';
import { amax, sum } from './reduction.ts';
import { squeeze } from './reshape.ts';
import { abs, affine, clamp, exp, neg, square } from './unary.ts';

const family = 'box-losses';
/** As in torchvision the mean over no box is 0. */
const reduceBoxes = (loss: Tensor, { reduction }: LossOptions): Tensor =>
  loss.size === 0 && reduction !== 'none' ? sum(loss) : reduceLoss(loss, reduction);

const boxOptions = { reduction: text, eps: number, clampSides: flag };
const boxes: Signature = { x: float, target: float, options: optionsWith<BoxLossOptions>(boxOptions) };
const centredBoxes: Signature = {
  x: float,
  target: float,
  options: optionsWith<DiouOptions>({ ...boxOptions, centerDistance: text }),
};

/** The smallest normal float32. */
const SMALLEST = 2 ** -126;

const low = (box: Tensor): Tensor => narrow(box, 1, 0, 2);
const high = (box: Tensor): Tensor => narrow(box, 1, 2, 2);
/** Product of width and height (N, 2) to area (N). */
const area = (extent: Tensor): Tensor => squeeze(mul(narrow(extent, 1, 0, 1), narrow(extent, 1, 1, 1)), 1);

/**
 * Intersection over union, the union, and width and height of the enclosing box, all in units of `scale` (N, 1), with `margin`
 * (N) for eps: areas of large boxes, and of tiny ones without eps, would leave the range of float32. The scale is the longest
 * side or sqrt(eps), and counts as a constant, on which the losses do not depend.
 */
function overlap(operation: string, x: Tensor, target: Tensor, { eps = 1e-7, clampSides = false }: BoxLossOptions) {
  if (x.rank !== 2 || x.shape[1] !== 4) {
    throw new ShapeError('not boxes', { operation, argument: 'x', expected: '(N, 4)', given: showShape(x.shape) });
  }
  checkSame(operation, x, target);
  numberWithin(operation, 'eps', eps, { from: 0 });
  const sides = (box: Tensor): Tensor => {
    const extent = sub(high(box), low(box));
    return clampSides ? clamp(extent, { min: 0 }) : extent;
  };
  const [own, other] = [sides(x), sides(target)];
  const enclosing = sub(maximum(high(x), high(target)), minimum(low(x), low(target)));
  const scale = noGrad(() => {
    const longest = maximum(abs(enclosing), maximum(abs(own), abs(other)));
    return maximum(amax(longest, 1, { keepdim: true }), Math.max(Math.sqrt(eps), SMALLEST));
  });
  const shared = clamp(sub(minimum(high(x), high(target)), maximum(low(x), low(target))), { min: 0 });
  const intersection = area(div(shared, scale));
  const union = sub(add(area(div(own, scale)), area(div(other, scale))), intersection);
  const margin = squeeze(square(div(Math.sqrt(eps), scale)), 1);
  return { iou: div(intersection, add(union, margin)), union, extent: div(enclosing, scale), scale, margin };
}

/** Options of losses of boxes. */
export interface BoxLossOptions extends LossOptions {
  eps?: number;
  /** A box with its corners in the wrong order has no area, rather than a negative one. */
  clampSides?: boolean;
}

/** Options of `diouLoss`. */
export interface DiouOptions extends BoxLossOptions {
  centerDistance?: 'squared' | 'norm';
}

/**
 * 1 - I / (U + eps) + r / (d^2 + eps), Zheng et al. 2020: d the diagonal of the enclosing box, r the squared distance of
 * the centres, or with `centerDistance` 'norm' the distance itself.
 */
export const diouLoss = defineComposite(
  'diouLoss',
  (x: Tensor, target: Tensor, options: DiouOptions = {}): Tensor => {
    const { centerDistance = 'squared' } = options;
    checkReduction('diouLoss', options);
    oneOf('diouLoss', 'centerDistance', centerDistance, ['squared', 'norm']);
    const { iou, extent, scale, margin } = overlap('diouLoss', x, target, options);
    const centre = (box: Tensor): Tensor => affine(add(low(box), high(box)), 0.5, 0);
    const squared = sum(square(div(sub(centre(x), centre(target)), scale)), 1);
    // A distance over squared lengths: one division by the scale is left over.
    const distance = centerDistance === 'norm' ? div(rootOrZero(squared), squeeze(scale, 1)) : squared;
    const penalty = div(distance, add(sum(square(extent), 1), margin));
    return reduceBoxes(add(affine(iou, -1, 1), penalty), options);
  },
  { family, signature: centredBoxes },
);

/**
 * 1 - I / (U + eps) + (A - U) / (A + eps), Rezatofighi et al. 2019: A the area of the enclosing box. The last term is computed
 * as 1 - (U + eps) / (A + eps), whose gradient is no difference of nearly equal numbers where A is much larger than U.
 */
export const giouLoss = defineComposite(
  'giouLoss',
  (x: Tensor, target: Tensor, options: BoxLossOptions = {}): Tensor => {
    checkReduction('giouLoss', options);
    const { iou, union, extent, margin } = overlap('giouLoss', x, target, options);
    const share = div(add(union, margin), add(area(extent), margin));
    return reduceBoxes(add(affine(iou, -1, 1), affine(share, -1, 1)), options);
  },
  { family, signature: boxes },
);

/** What a task predicts, which decides the form of its uncertainty. */
export type TaskKind = 'regression' | 'classification';

/**
 * Learned task weights of Kendall et al. 2018 for losses (K) and s = log sigma^2 (K): w = c exp(-s), c = 0.5 for regression
 * and 1 for classification; total = sum(w loss + s / 2). Variant 'exp(-s^2)' makes a loss without a lower
 * bound.
 */
export const uncertaintyWeighting = defineComposite(
  'uncertaintyWeighting',
  (losses: Tensor, s: Tensor, kinds: readonly TaskKind[], variant: 'exp(-s)' | 'exp(-s^2)' = 'exp(-s)') => {
    const operation = 'uncertaintyWeighting';
    const refuse = (argument: string, expected: string, given: string): never => {
      throw new ShapeError('needs one loss, one s and one kind per task', { operation, argument, expected, given });
    };
    if (losses.rank !== 1) refuse('losses', 'one axis', showShape(losses.shape));
    const tasks = losses.shape[0]!;
    if (s.rank !== 1 || s.shape[0] !== tasks) refuse('s', `[${tasks}]`, showShape(s.shape));
    if (kinds.length !== tasks) refuse('kinds', `${tasks} of them`, String(kinds.length));
    kinds.forEach((kind, i) => oneOf(operation, `kinds[${i}]`, kind, ['regression', 'classification']));
    oneOf(operation, 'variant', variant, ['exp(-s)', 'exp(-s^2)']);
    const factors = kinds.map((kind) => (kind === 'regression' ? 0.5 : 1));
    const decay = exp(neg(variant === 'exp(-s)' ? s : square(s)));
    const weights = mul(tensor(factors, [kinds.length], { device: s.device }), decay);
    return { total: sum(add(mul(weights, losses), affine(s, 0.5, 0))), weights };
  },
  { family, signature: { losses: float, s: float, kinds: list, variant: optional(text) } },
);
