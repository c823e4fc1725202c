// Losses with the definitions of torch.nn.functional. All reduce by mean unless told otherwise.
import { Ternary, ternary } from '../../kernels/index.ts';
import { numberWithin } from '../checks.ts';
import { ShapeError, showShape } from '../errors.ts';
import { defineComposite, defineOperation } from '../operation.ts';
import { broadcasts } from '../shape.ts';
import { float, number, optionsWith, type Signature, text } from '../signature.ts';
import { noGrad } from '../grad-mode.ts';
import type { Tensor } from '../tensor.ts';
import { div, eq, ge, mul, ne, sub, where } from './binary.ts';
import {
  checkReduction,
  checkSame,
  checkTarget,
  classified,
  labelOrZero,
  type LossOptions,
  type LossReduction,
  type NllOptions,
  positionWeights,
  reduceLoss,
} from './loss-options.ts';
import { gather } from './indexing.ts';
import { sum } from './reduction.ts';
import { reshape, unsqueeze } from './reshape.ts';
import { abs, affine, neg, sigmoid, softplus, square } from './unary.ts';

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
 * near(r) where |r| is below `limit`, else linear(|r|); of NaN the former. Large r do not enter it, where the slope of a square
 * would be 0 times infinity for infinite r. Nor does the sign of r, so that its second derivative holds at 0 too.
 */
function nearAndFar(
  r: Tensor,
  limit: number,
  near: (r: Tensor) => Tensor,
  linear: (distance: Tensor) => Tensor,
): Tensor {
  const distance = abs(r);
  const far = ge(distance, limit);
  return where(far, linear(distance), near(where(far, 0, r)));
}

/** Options of `huberLoss`. */
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
    const loss = nearAndFar(
      sub(x, target),
      delta,
      (r) => affine(square(r), 0.5, 0),
      (d) => affine(affine(d, 1, -0.5 * delta), delta, 0),
    );
    return reduceLoss(loss, reduction);
  },
  { family, signature: { ...elementwise, options: optionsWith<HuberOptions>({ reduction: text, delta: number }) } },
);

/** Options of `smoothL1Loss`. */
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
    const r = sub(x, target);
    if (beta === 0) return reduceLoss(abs(r), reduction);
    const loss = nearAndFar(
      r,
      beta,
      // One factor divided by beta, since a square may underflow.
      (r) => mul(r, affine(r, 0.5 / beta, 0)),
      (d) => affine(d, 1, -0.5 * beta),
    );
    return reduceLoss(loss, reduction);
  },
  { family, signature: { ...elementwise, options: optionsWith<SmoothL1Options>({ reduction: text, beta: number }) } },
);

/** negative log(1 + e^x) + positive log(1 + e^-x), elementwise: the surprise at both outcomes, by their weights. */
const binaryCrossEntropy = defineOperation({
  name: 'binaryCrossEntropy',
  family,
  arguments: ['x', 'negative', 'positive'],
  infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
  forward: (inputs, [y]) => launchTernary(inputs, y!, Ternary.bce),
  saves: {
    inputs: [0, { index: 1, for: [0] }, { index: 2, for: [0] }],
  },
  vjp({ gradients: [g], inputs, needs, createGraph }) {
    const [x, negative, positive] = inputs as [Tensor, Tensor, Tensor];
    // Without a threshold above which the loss would be treated as linear.
    const surprise = (z: Tensor): Tensor => mul(g!, softplus(z, 1, Infinity));
    const slope = (): Tensor =>
      createGraph
        ? sub(mul(negative, sigmoid(x)), mul(positive, sigmoid(neg(x))))
        : binaryCrossEntropySlope([x, negative, positive])[0]!;
    return [
      needs[0] ? mul(g!, slope()) : undefined,
      needs[1] ? surprise(x) : undefined,
      needs[2] ? surprise(neg(x)) : undefined,
    ];
  },
});

/** negative sigmoid(x) - positive sigmoid(-x) */
const binaryCrossEntropySlope = defineOperation({
  name: 'binaryCrossEntropySlope',
  family,
  noGradient: 'gradients of gradients of binaryCrossEntropy are made of other operations',
  arguments: ['x', 'negative', 'positive'],
  infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
  forward: (inputs, [y]) => launchTernary(inputs, y!, Ternary.bceSlope),
});

function launchTernary([x, negative, positive]: readonly Tensor[], y: Tensor, op: Ternary): void {
  const inputs = [negative!.storage, positive!.storage, x!.storage];
  if (y.size > 0) y.device.launch(ternary, inputs, [y.storage], { n: y.size, op });
}

/** Options of `bceWithLogits`. */
export interface BceOptions extends LossOptions {
  weight?: Tensor | undefined;
  posWeight?: Tensor | undefined;
}

/**
 * -weight (posWeight target log(sigmoid x) + (1 - target) log(1 - sigmoid x)), without overflow. For targets from 0 to 1 both
 * terms are positive, so that nothing cancels: of a target 0 or 1 loss and gradient keep their digits for every x.
 */
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
    // -log(sigmoid x) = log(1 + e^-x)
    const loss = binaryCrossEntropy([x, affine(target, -1, 1), posWeight ? mul(posWeight, target) : target])[0]!;
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

/** Sum over positions of loss, divided by the sum of the weights for the mean: NaN, without a gradient, if that is 0. */
function reduceWeighted(loss: Tensor, weights: Tensor, reduction: LossReduction = 'mean'): Tensor {
  if (reduction !== 'mean') return reduceLoss(loss, reduction);
  const { isNothing, divisor } = noGrad(() => {
    const total = sum(weights);
    const isNothing = eq(total, 0);
    return { isNothing, divisor: where(isNothing, 1, total) };
  });
  return where(isNothing, NaN, div(sum(loss), divisor));
}

function nll(logProbabilities: Tensor, target: Tensor, weights: Tensor): Tensor {
  const picked = reshape(gather(logProbabilities, 1, unsqueeze(target, 1)), target.shape);
  // `where` rather than a product: an ignored position may hold an infinity.
  return where(ne(weights, 0), neg(mul(picked, weights)), 0);
}

/**
 * Minus the log-probability x (N, C, ...) of the target class (int32, N, ...). As in `crossEntropy` the mean is weighted, and a
 * label outside of 0 to C - 1 that is not `ignoreIndex` makes loss and gradient NaN.
 */
export const nllLoss = defineComposite(
  'nllLoss',
  (x: Tensor, target: Tensor, options: NllOptions = {}): Tensor => {
    checkTarget('nllLoss', x, target, options);
    const { weights, inside } = noGrad(() => ({
      weights: positionWeights(target, x.shape[1]!, options),
      inside: labelOrZero(target, x.shape[1]!),
    }));
    return reduceWeighted(nll(x, inside, weights), weights, options.reduction);
  },
  { family, signature: classified },
);
