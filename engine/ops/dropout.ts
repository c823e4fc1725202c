// Dropout of elements or whole channels, with masks drawn from a counter-based stream: the same on every device.
import { tensor } from '../creation.ts';
import { numberWithin } from '../checks.ts';
import { ConfigError, ShapeError, showShape } from '../errors.ts';
import { defineComposite } from '../operation.ts';
import type { Random } from '../random.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { flag, float, number, optionsWith, withMethod } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { mul } from './binary.ts';

/** Options of `dropout` and `dropout2d`. */
export interface DropoutOptions {
  /** Probability of dropping, 0 to 1. */
  p?: number;
  training?: boolean;
  /** Where the mask comes from; needed while training. */
  stream?: Random;
}

function drop(
  operation: string,
  x: Tensor,
  maskShape: Shape,
  { p = 0.5, training = false, stream }: DropoutOptions,
): Tensor {
  numberWithin(operation, 'p', p, { from: 0, to: 1 });
  if (!training || p === 0) return x;
  if (!stream) {
    const details = { operation, argument: 'stream', expected: 'random(seed, purpose)', given: 'none' };
    throw new ConfigError('training needs a random stream', details);
  }
  const keep = p === 1 ? 0 : 1 / (1 - p);
  const mask = stream.uniformArray(sizeOf(maskShape)).map((u) => (u < p ? 0 : keep));
  return mul(x, tensor(mask, maskShape, { device: x.device }));
}

const options = optionsWith<DropoutOptions>({
  p: number,
  training: flag,
  stream: withMethod('uniformArray', 'random(seed, purpose)'),
});
const about = { family: 'dropout', signature: { x: float, options } };

/** Sets elements to 0 with probability p and scales the rest by 1 / (1 - p); the identity outside of training. */
export const dropout = defineComposite(
  'dropout',
  (x: Tensor, options: DropoutOptions = {}): Tensor => drop('dropout', x, x.shape, options),
  about,
);

/** The same for whole channels of (N, C, ...). */
export const dropout2d = defineComposite(
  'dropout2d',
  (x: Tensor, options: DropoutOptions = {}): Tensor => {
    if (x.rank < 2) {
      const details = { operation: 'dropout2d', argument: 'x', expected: '(N, C, ...)', given: showShape(x.shape) };
      throw new ShapeError('needs channels', details);
    }
    const channels = x.shape.map((n, axis) => (axis < 2 ? n : 1));
    return drop('dropout2d', x, channels, options);
  },
  about,
);
