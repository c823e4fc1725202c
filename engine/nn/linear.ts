// Linear and the reshape before it, as torch.nn's.
import { takes } from '../call-check.ts';
import { wholeNumber } from '../checks.ts';
import { defaultDevice, parameter } from '../creation.ts';
import { flatten, linear } from '../ops/index.ts';
import { axis, device, flag, optional, optionsWith, size } from '../signature.ts';
import type { Parameter, Tensor } from '../tensor.ts';
import { defaultWeight } from './init.ts';
import { biasOf, type LayerOptions } from './layer-options.ts';
import { type Layer, Module } from './module.ts';

/** Options of nn.Linear. */
export interface LinearOptions extends LayerOptions {
  bias?: boolean;
}

const takesLinear = takes('Linear', {
  inFeatures: size,
  outFeatures: size,
  options: optionsWith<LinearOptions>({ bias: flag, device }),
});

/** y = x weight^T + bias, x (..., inFeatures). */
export class Linear extends Module implements Layer {
  readonly weight: Parameter;
  declare readonly bias?: Parameter;

  constructor(...args: [inFeatures: number, outFeatures: number, options?: LinearOptions]) {
    super();
    const [inFeatures, outFeatures, options = {}] = takesLinear(args);
    wholeNumber('Linear', 'inFeatures', inFeatures, 0);
    wholeNumber('Linear', 'outFeatures', outFeatures, 0);
    const device = options.device ?? defaultDevice();
    const shape = [outFeatures, inFeatures];
    this.weight = parameter(defaultWeight(shape), shape, device);
    if (options.bias ?? true) this.bias = biasOf(outFeatures, inFeatures, device);
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}

const takesFlatten = takes('Flatten', { start: optional(axis) });

/** Merges the axes from `start`, 1 unless given, to the end: (N, C, H, W) to (N, C H W). */
export class Flatten extends Module implements Layer {
  readonly #start: number;

  constructor(...args: [start?: number]) {
    super();
    const [start = 1] = takesFlatten(args);
    this.#start = start;
  }

  forward(x: Tensor): Tensor {
    return flatten(x, this.#start);
  }
}
