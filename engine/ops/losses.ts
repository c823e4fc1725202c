// Losses with the definitions of torch.nn.functional. All reduce by mean unless told otherwise.
import { numberWithin } from '../checks.ts';
import { ShapeError, showShape } from '../errors.ts';
import { defineComposite } from '../operation.ts';
import { broadcasts } from '../shape.ts';
import { float, number, optionsWith, type Signature, text } from '../signature.ts';
import { noGrad } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, ge, mul, ne, sub, where } from './binary.ts';
import {
  checkReduction,
  checkSame,
  checkTarget,
  classified,
  type LossOptions,
  type LossReduction,
  type NllOptions,
  positionWeights,
  reduceLoss,
} from './loss-options.ts';
import { gather } from './indexing.ts';
import { sum } from './reduction.ts';
import { reshape, unsqueeze } from './reshape.ts';
import { abs, affine, neg, softplus, square } from './unary.ts';

export type { LossOptions, LossReduction, NllOptions };

const family = 'losses';
const elementwise: Signature = { x: float, target: float, options: optionsWith<LossOptions>({ reduction: text }) };

/** (x - target)^2 */
export const mseLoss = defineComposite(
  'mseLoss',
  (x: Tensor, target: Tensor, options: LossOptions = {}): Tensor => {
    checkReduction('mseLoss', options);
    checkSame('mseLoss', x, target);
    return reduceLoss(square(sub(x, target)), options.reduction);
  },
  { family, signature: elementwise },
);

/** |x - target|; gradient 0 where they are equal. */
export const l1Loss = defineComposite(
  'l1Loss',
  (x: Tensor, target: Tensor, options: LossOptions = {}): Tensor => {
    checkReduction('l1Loss', options);
    checkSame('l1Loss', x, target);
    return reduceLoss(abs(sub(x, target)), options.reduction);
  },
  { family, signature: elementwise },
);

/**
 * square(d) scale below `limit`, else linear(d); of NaN the square. Large d do not enter the square, whose slope there would
 * be 0 times infinity for infinite d.
 */
function squareBelow(d: Tensor, limit: number, scale: number, linear: (d: Tensor) => Tensor): Tensor {
  const far = ge(d, limit);
  return where(far, linear(d), affine(square(where(far, 0, d)), scale, 0));
}

export interface HuberOptions extends LossOptions {
  delta?: number;
}

/** d^2 / 2 for d = |x - target| below delta, else delta (d - delta / 2). */
export const huberLoss = defineComposite(
  'huberLoss',
  (x: Tensor, target: Tensor, { reduction, delta = 1 }: HuberOptions = {}): Tensor => {
    checkReduction('huberLoss', { reduction });
    numberWithin('huberLoss', 'delta', delta, { above: 0 });
    checkSame('huberLoss', x, target);
    const d = abs(sub(x, target));
    return reduceLoss(
      squareBelow(d, delta, 0.5, (far) => affine(far, delta, -0.5 * delta * delta)),
      reduction,
    );
  },
  { family, signature: { ...elementwise, options: optionsWith<HuberOptions>({ reduction: text, delta: number }) } },
);

export interface SmoothL1Options extends LossOptions {
  beta?: number;
}

/** d^2 / (2 beta) for d = |x - target| below beta, else d - beta / 2; with beta 0 the L1 loss. */
export const smoothL1Loss = defineComposite(
  'smoothL1Loss',
  (x: Tensor, target: Tensor, { reduction, beta = 1 }: SmoothL1Options = {}): Tensor => {
    checkReduction('smoothL1Loss', { reduction });
    numberWithin('smoothL1Loss', 'beta', beta, { from: 0 });
    checkSame('smoothL1Loss', x, target);
    const d = abs(sub(x, target));
    if (beta === 0) return reduceLoss(d, reduction);
    return reduceLoss(
      squareBelow(d, beta, 0.5 / beta, (far) => affine(far, 1, -0.5 * beta)),
      reduction,
    );
  },
  { family, signature: { ...elementwise, options: optionsWith<SmoothL1Options>({ reduction: text, beta: number }) } },
);

export interface BceOptions extends LossOptions {
  weight?: Tensor | undefined;
  posWeight?: Tensor | undefined;
}

/** -weight (posWeight target log(sigmoid x) + (1 - target) log(1 - sigmoid x)), without overflow. */
export const bceWithLogits = defineComposite(
  'bceWithLogits',
  (x: Tensor, target: Tensor, { weight, posWeight, reduction }: BceOptions = {}): Tensor => {
    checkReduction('bceWithLogits', { reduction });
    checkSame('bceWithLogits', x, target);
    for (const [argument, given] of Object.entries({ weight, posWeight })) {
      if (!given || broadcasts(given.shape, x.shape)) continue;
      throw new ShapeError('does not broadcast to the prediction', {
        operation: 'bceWithLogits',
        argument,
        expected: `a shape that broadcasts to ${showShape(x.shape)}`,
        given: showShape(given.shape),
      });
    }
    const outside = softplus(neg(x));
    const slope = posWeight ? affine(mul(affine(posWeight, 1, -1), target), 1, 1) : undefined;
    const loss = add(mul(affine(target, -1, 1), x), slope ? mul(slope, outside) : outside);
    return reduceLoss(weight ? mul(loss, weight) : loss, reduction);
  },
  {
    family,
    signature: {
      x: float,
      target: float,
      options: optionsWith<BceOptions>({ reduction: text, weight: float, posWeight: float }),
    },
  },
);

/** Sum over positions of loss, divided by the sum of the weights for the mean. */
function reduceWeighted(loss: Tensor, weights: Tensor, reduction: LossReduction = 'mean'): Tensor {
  return reduction === 'mean' ? div(sum(loss), sum(weights)) : reduceLoss(loss, reduction);
}

function nll(logProbabilities: Tensor, target: Tensor, weights: Tensor): Tensor {
  const picked = reshape(gather(logProbabilities, 1, unsqueeze(target, 1)), target.shape);
  // `where` rather than a product: an ignored position may hold an infinity.
  return where(ne(weights, 0), neg(mul(picked, weights)), 0);
}

/** Minus the log-probability x (N, C, ...) of the target class (int32, N, ...). */
export const nllLoss = defineComposite(
  'nllLoss',
  (x: Tensor, target: Tensor, options: NllOptions = {}): Tensor => {
    checkTarget('nllLoss', x, target, options);
    const weights = noGrad(() => positionWeights(target, options));
    return reduceWeighted(nll(x, target, weights), weights, options.reduction);
  },
  { family, signature: classified },
);
