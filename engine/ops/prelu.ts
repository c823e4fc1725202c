// The rectifier whose slope below 0 is learned.
import { ShapeError, showShape } from '../errors.ts';
import { defineComposite } from '../operation.ts';
import { float } from '../signature.ts';
import { noGrad } from '../grad-mode.ts';
import type { Tensor } from '../tensor.ts';
import { add, gt, mul, where } from './binary.ts';
import { reshape } from './reshape.ts';

/** x for x > 0, else weight x, with one weight, or one for each channel of x (N, C, ...). */
export const prelu = defineComposite(
  'prelu',
  (x: Tensor, weight: Tensor): Tensor => {
    const channels = x.rank > 1 ? x.shape[1]! : 1;
    if (weight.rank > 1 || (weight.size !== 1 && weight.size !== channels)) {
      const details = { operation: 'prelu', argument: 'weight', expected: `[1] or [${channels}]` };
      throw new ShapeError('neither one weight nor one per channel', { ...details, given: showShape(weight.shape) });
    }
    const perChannel = weight.size === 1 ? [] : [channels, ...x.shape.slice(2).map(() => 1)];
    const isPositive = noGrad(() => gt(x, 0));
    // The part that is not taken is 0, so that an infinite x does not enter the gradient of the weight.
    return add(where(isPositive, x, 0), mul(where(isPositive, 0, x), reshape(weight, perChannel)));
  },
  { family: 'prelu', signature: { x: float, weight: float } },
);
