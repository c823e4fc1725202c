// Dropout as layers. Each layer has a stream of its own, named by the seed of `manualSeed` and the order in which the layers were
// made. Recomputation draws the same mask again, since it takes streams back to where they stood.
import { takes } from '../call-check.ts';
import { numberWithin } from '../checks.ts';
import * as ops from '../ops/index.ts';
import type { Random } from '../random.ts';
import { nextStream } from '../seed.ts';
import { number, optional } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { type Layer, Module } from './module.ts';

const takesDropout = takes('Dropout', { p: optional(number) });
const takesDropout2d = takes('Dropout2d', { p: optional(number) });

/** While training sets elements to 0 with probability p, 0.5 unless given, and scales the others by 1 / (1 - p). */
export class Dropout extends Module implements Layer {
  /**
   * Where the masks come from. As in PyTorch, whose generator is saved apart too, its position is not part of the state dict: weights
   * load unchanged into a network with or without dropout. A run that is resumed saves `stream.position` beside its weights and
   * calls `stream.skip(position)` on the new layer.
   */
  readonly stream: Random = nextStream('dropout');
  readonly #p: number;

  constructor(...args: [p?: number]) {
    super();
    const [p = 0.5] = takesDropout(args);
    this.#p = numberWithin('Dropout', 'p', p, { from: 0, to: 1 });
  }

  forward(x: Tensor): Tensor {
    return ops.dropout(x, { p: this.#p, training: this.training, stream: this.stream });
  }
}

/** The same for whole channels of (N, C, H, W). */
export class Dropout2d extends Module implements Layer {
  /** As that of Dropout. */
  readonly stream: Random = nextStream('dropout');
  readonly #p: number;

  constructor(...args: [p?: number]) {
    super();
    const [p = 0.5] = takesDropout2d(args);
    this.#p = numberWithin('Dropout2d', 'p', p, { from: 0, to: 1 });
  }

  forward(x: Tensor): Tensor {
    return ops.dropout2d(x, { p: this.#p, training: this.training, stream: this.stream });
  }
}
