// Pooling and resizing as layers.
import { takes } from '../call-check.ts';
import { wholePair } from '../checks.ts';
import * as ops from '../ops/index.ts';
import { type Pair } from '../shape.ts';
import { factors, flag, optionsWith, orNull, requiredOptions, sizes, text } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { type Layer, Module } from './module.ts';

const takesMaxPool2d = takes('MaxPool2d', {
  kernel: sizes,
  options: optionsWith<ops.MaxPoolOptions>({ stride: orNull(sizes), padding: sizes, ceilMode: flag, dilation: sizes }),
});

/** Windowed maximum. */
export class MaxPool2d extends Module implements Layer {
  readonly #kernel: number | Pair;
  readonly #options: ops.MaxPoolOptions;

  constructor(...args: [kernel: number | Pair, options?: ops.MaxPoolOptions]) {
    super();
    const [kernel, options = {}] = takesMaxPool2d(args);
    this.#kernel = wholePair('MaxPool2d', 'kernel', kernel, 1);
    wholePair('MaxPool2d', 'stride', options.stride ?? kernel, 1);
    wholePair('MaxPool2d', 'padding', options.padding ?? 0, 0);
    wholePair('MaxPool2d', 'dilation', options.dilation ?? 1, 1);
    this.#options = options;
  }

  forward(x: Tensor): Tensor {
    return ops.maxPool2d(x, this.#kernel, this.#options);
  }
}

const takesAvgPool2d = takes('AvgPool2d', {
  kernel: sizes,
  options: optionsWith<ops.AveragePoolOptions>({
    ...{ stride: orNull(sizes), padding: sizes, ceilMode: flag },
    countIncludePad: flag,
  }),
});

/** Windowed mean. */
export class AvgPool2d extends Module implements Layer {
  readonly #kernel: number | Pair;
  readonly #options: ops.AveragePoolOptions;

  constructor(...args: [kernel: number | Pair, options?: ops.AveragePoolOptions]) {
    super();
    const [kernel, options = {}] = takesAvgPool2d(args);
    this.#kernel = wholePair('AvgPool2d', 'kernel', kernel, 1);
    wholePair('AvgPool2d', 'stride', options.stride ?? kernel, 1);
    wholePair('AvgPool2d', 'padding', options.padding ?? 0, 0);
    this.#options = options;
  }

  forward(x: Tensor): Tensor {
    return ops.avgPool2d(x, this.#kernel, this.#options);
  }
}

const takesAdaptive = takes('AdaptiveAvgPool2d', { outputSize: sizes });

/** Mean over windows of which there are [height, width], or as many both ways. */
export class AdaptiveAvgPool2d extends Module implements Layer {
  readonly #outputSize: Pair;

  constructor(...args: [outputSize: number | Pair]) {
    super();
    const [outputSize] = takesAdaptive(args);
    this.#outputSize = wholePair('AdaptiveAvgPool2d', 'outputSize', outputSize, 1);
  }

  forward(x: Tensor): Tensor {
    return ops.adaptiveAvgPool2d(x, this.#outputSize);
  }
}

const takesUpsample = takes('Upsample', {
  options: requiredOptions<ops.InterpolateOptions>({
    ...{ mode: text, size: orNull(sizes), scaleFactor: orNull(factors) },
    alignCorners: orNull(flag),
  }),
});

/** `interpolate` as a layer. */
export class Upsample extends Module implements Layer {
  readonly #options: ops.InterpolateOptions;

  constructor(...args: [options: ops.InterpolateOptions]) {
    super();
    const [options] = takesUpsample(args);
    this.#options = options;
  }

  forward(x: Tensor): Tensor {
    return ops.interpolate(x, this.#options);
  }
}
