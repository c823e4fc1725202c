// What the losses share: how they are reduced, and the refusal of predictions, targets and weights that do not fit.
import { oneOf } from '../checks.ts';
import { ShapeError, showShape } from '../errors.ts';
import { sameShape } from '../shape.ts';
import { float, int, number, optionsWith, type Signature, text } from '../signature.ts';
import { noGrad } from '../grad-mode.ts';
import type { Tensor } from '../tensor.ts';
import { eq, ge, lt, where } from './binary.ts';
import { indexSelect } from './indexing.ts';
import { mean, sum } from './reduction.ts';
import { reshape } from './reshape.ts';
import { sqrt } from './unary.ts';

/** What becomes of the losses of single elements. */
export type LossReduction = 'mean' | 'sum' | 'none';

const reducers: Record<LossReduction, (loss: Tensor) => Tensor> = {
  mean: (loss) => mean(loss),
  sum: (loss) => sum(loss),
  none: (loss) => loss,
};

export function reduceLoss(loss: Tensor, reduction: LossReduction = 'mean'): Tensor {
  return reducers[reduction](loss);
}

/** Square root whose gradient at 0 is 0: that of a distance, which has a kink there. */
export function rootOrZero(x: Tensor): Tensor {
  const isZero = noGrad(() => eq(x, 0));
  return where(isZero, 0, sqrt(where(isZero, 1, x)));
}

/** Refuses an unknown reduction. */
export const checkReduction = (operation: string, { reduction = 'mean' }: LossOptions): void =>
  oneOf(operation, 'reduction', reduction, Object.keys(reducers));

/** Options of every loss. */
export interface LossOptions {
  reduction?: LossReduction;
}

/** Refuses a target of another shape than the prediction. */
export function checkSame(operation: string, x: Tensor, target: Tensor): void {
  if (!sameShape(x.shape, target.shape)) {
    throw new ShapeError('prediction and target differ in shape', {
      operation,
      argument: 'target',
      expected: showShape(x.shape),
      given: showShape(target.shape),
      hint: 'Expand one of them if broadcasting is meant',
    });
  }
}

/** Options of losses of class indices. */
export interface NllOptions extends LossOptions {
  /** Weight of each class (C). */
  weight?: Tensor | undefined;
  /** Positions with this target do not count. */
  ignoreIndex?: number;
}

const isClass = (target: Tensor, classes: number): Tensor => where(ge(target, 0), lt(target, classes), 0);

/** The labels, with class 0 in place of those that are not one of `classes`, so that all can be looked up. */
export const labelOrZero = (target: Tensor, classes: number): Tensor => where(isClass(target, classes), target, 0);

/** Weight of each position: that of its target class, 0 where ignored, NaN for any other label that is not a class. */
export function positionWeights(target: Tensor, classes: number, { weight, ignoreIndex = -100 }: NllOptions): Tensor {
  const labels = reshape(labelOrZero(target, classes), [target.size]);
  const ofClass = weight ? reshape(indexSelect(weight, 0, labels), target.shape) : 1;
  return where(eq(target, ignoreIndex), 0, where(isClass(target, classes), ofClass, NaN));
}

/** What losses of class indices take. */
export const classOptions = { reduction: text, weight: float, ignoreIndex: number };
export const classified: Signature = { x: float, target: int, options: optionsWith<NllOptions>(classOptions) };

/** Refuses scores and class indices that do not fit each other, and weights that do not fit the classes. */
export function checkTarget(operation: string, x: Tensor, target: Tensor, options: NllOptions): void {
  checkReduction(operation, options);
  const expected = [x.shape[0]!, ...x.shape.slice(2)];
  if (x.rank < 2 || !sameShape(target.shape, expected)) {
    throw new ShapeError('the target does not fit', {
      operation,
      argument: x.rank < 2 ? 'x' : 'target',
      expected: x.rank < 2 ? 'scores (N, C, ...)' : showShape(expected),
      given: showShape(x.rank < 2 ? x.shape : target.shape),
    });
  }
  checkClasses(operation, x, options.weight);
}

/** Refuses scores without classes, and weights that do not fit them. */
export function checkClasses(operation: string, x: Tensor, weight: Tensor | undefined): void {
  if (x.rank < 2) {
    const details = { operation, argument: 'x', expected: 'scores (N, C, ...)', given: showShape(x.shape) };
    throw new ShapeError('there are no classes', details);
  }
  if (weight && !sameShape(weight.shape, [x.shape[1]!])) {
    const details = { operation, argument: 'weight', expected: `[${x.shape[1]}]`, given: showShape(weight.shape) };
    throw new ShapeError('one weight per class', details);
  }
}

export function checkImage(operation: string, x: Tensor): void {
  if (x.rank === 4 && x.shape[2]! > 0 && x.shape[3]! > 0) return;
  const expected = '(N, C, H, W) with H and W from 1';
  throw new ShapeError('not an image', { operation, argument: 'x', expected, given: showShape(x.shape) });
}
