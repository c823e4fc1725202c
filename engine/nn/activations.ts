// Elementwise functions as layers.
import { takes } from '../call-check.ts';
import { numberWithin, oneOf, wholeNumber } from '../checks.ts';
import { defaultDevice } from '../creation.ts';
import * as ops from '../ops/index.ts';
import { axis, device, number, optional, optionsWith, size, text } from '../signature.ts';
import type { Parameter, Tensor } from '../tensor.ts';
import { constant, type LayerOptions } from './layer-options.ts';
import { type Layer, Module } from './module.ts';

const takesReLU = takes('ReLU', {});

/** max(x, 0) */
export class ReLU extends Module implements Layer {
  constructor(...args: []) {
    super();
    takesReLU(args);
  }

  forward(x: Tensor): Tensor {
    return ops.relu(x);
  }
}

const takesSigmoid = takes('Sigmoid', {});

/** 1 / (1 + e^-x) */
export class Sigmoid extends Module implements Layer {
  constructor(...args: []) {
    super();
    takesSigmoid(args);
  }

  forward(x: Tensor): Tensor {
    return ops.sigmoid(x);
  }
}

const takesTanh = takes('Tanh', {});

/** Hyperbolic tangent. */
export class Tanh extends Module implements Layer {
  constructor(...args: []) {
    super();
    takesTanh(args);
  }

  forward(x: Tensor): Tensor {
    return ops.tanh(x);
  }
}

const takesSiLU = takes('SiLU', {});

/** x sigmoid(x) */
export class SiLU extends Module implements Layer {
  constructor(...args: []) {
    super();
    takesSiLU(args);
  }

  forward(x: Tensor): Tensor {
    return ops.silu(x);
  }
}

const takesGELU = takes('GELU', { approximate: optional(text) });

/** x Phi(x), exactly or by the tanh approximation. */
export class GELU extends Module implements Layer {
  readonly #approximate: 'none' | 'tanh';

  constructor(...args: [approximate?: 'none' | 'tanh']) {
    super();
    const [approximate = 'none'] = takesGELU(args);
    oneOf('GELU', 'approximate', approximate, ['none', 'tanh']);
    this.#approximate = approximate;
  }

  forward(x: Tensor): Tensor {
    return ops.gelu(x, this.#approximate);
  }
}

const takesLeakyReLU = takes('LeakyReLU', { negativeSlope: optional(number) });

/** x for x > 0, else negativeSlope * x; 0.01 unless given. */
export class LeakyReLU extends Module implements Layer {
  readonly #slope: number;

  constructor(...args: [negativeSlope?: number]) {
    super();
    const [negativeSlope = 0.01] = takesLeakyReLU(args);
    this.#slope = numberWithin('LeakyReLU', 'negativeSlope', negativeSlope);
  }

  forward(x: Tensor): Tensor {
    return ops.leakyRelu(x, this.#slope);
  }
}

/** Options of nn.PReLU. */
export interface PReLUOptions extends LayerOptions {
  /** Slope at the beginning. Default 0.25. */
  init?: number;
}

const takesPReLU = takes('PReLU', {
  parameters: optional(size),
  options: optionsWith<PReLUOptions>({ init: number, device }),
});

/** x for x > 0, else weight x, with one weight (the default) or one per channel. */
export class PReLU extends Module implements Layer {
  readonly weight: Parameter;

  constructor(...args: [parameters?: number, options?: PReLUOptions]) {
    super();
    const [parameters = 1, { init = 0.25, device = defaultDevice() } = {}] = takesPReLU(args);
    wholeNumber('PReLU', 'parameters', parameters, 1);
    this.weight = constant(parameters, numberWithin('PReLU', 'init', init), device);
  }

  forward(x: Tensor): Tensor {
    return ops.prelu(x, this.weight);
  }
}

const takesSoftmax = takes('Softmax', { axis });

/** Softmax along one axis. */
export class Softmax extends Module implements Layer {
  readonly #axis: number;

  constructor(...args: [axis: number]) {
    super();
    const [axis] = takesSoftmax(args);
    this.#axis = axis;
  }

  forward(x: Tensor): Tensor {
    return ops.softmax(x, this.#axis);
  }
}
