// The Kullback-Leibler divergence, as torch's: of predicted log-probabilities, without an axis of classes.
import { oneOf } from '../checks.ts';
import { defineComposite } from '../operation.ts';
import { flag, float, optionsWith, text } from '../signature.ts';
import { noGrad } from '../grad-mode.ts';
import type { Tensor } from '../tensor.ts';
import { eq, mul, sub, where } from './binary.ts';
import { checkSame, type LossReduction, reduceLoss } from './loss-options.ts';
import { sum } from './reduction.ts';
import { affine, exp, log } from './unary.ts';

/** Options of `klDivLoss`. */
export interface KlDivOptions {
  /** 'batchmean', the divergence proper, divides the sum by the size of the first axis. Default 'mean', over all elements. */
  reduction?: LossReduction | 'batchmean';
  /** The target is given as logarithms too. */
  logTarget?: boolean;
}

/** t (log t - x), with 0 log 0 = 0. */
function divergence(x: Tensor, target: Tensor): Tensor {
  const isZero = noGrad(() => eq(target, 0));
  const entropy = where(isZero, 0, mul(target, log(where(isZero, 1, target))));
  return sub(entropy, mul(target, x));
}

/** target (log target - x) of log-probabilities x and probabilities `target` of the same shape. */
export const klDivLoss = defineComposite(
  'klDivLoss',
  (x: Tensor, target: Tensor, { reduction = 'mean', logTarget = false }: KlDivOptions = {}): Tensor => {
    oneOf('klDivLoss', 'reduction', reduction, ['mean', 'sum', 'none', 'batchmean']);
    checkSame('klDivLoss', x, target);
    const loss = logTarget ? mul(exp(target), sub(target, x)) : divergence(x, target);
    return reduction === 'batchmean' ? affine(sum(loss), 1 / (x.shape[0] ?? 1), 0) : reduceLoss(loss, reduction);
  },
  {
    family: 'kl-divergence',
    signature: { x: float, target: float, options: optionsWith<KlDivOptions>({ reduction: text, logTarget: flag }) },
  },
);
