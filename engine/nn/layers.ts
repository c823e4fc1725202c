// Layers with the parameter names, shapes, orders and default initialisation of torch.nn.
import { isRecomputing } from '../checkpoint.ts';
import { defaultDevice, parameter } from '../creation.ts';
import type { Device } from '../devices/device.ts';
import * as ops from '../ops/index.ts';
import { type Pair, pair, type Shape, sizeOf } from '../shape.ts';
import type { Parameter, Tensor } from '../tensor.ts';
import { defaultWeight, fanIn, uniformInit } from './init.ts';
import { Buffer, Counter, type Layer, Module } from './module.ts';

export interface LayerOptions {
  device?: Device;
}

/** Adds a bias to a layer after its weight: uniform in +-1 / sqrt(fan-in), as torch. */
function biasOf(size: number, fan: number, device: Device): Parameter {
  return parameter(uniformInit([size], 1 / Math.sqrt(Math.max(1, fan))), [size], device);
}

/** State of one value, saved but not trained. */
function buffer(shape: Shape, value: number, device: Device): Buffer {
  const storage = device.allocate(sizeOf(shape), 'float32');
  device.write(storage, new Float32Array(sizeOf(shape)).fill(value));
  return new Buffer(storage, shape);
}

/** y = x weight^T + bias, x (..., inFeatures). */
export class Linear extends Module implements Layer {
  readonly weight: Parameter;
  declare readonly bias?: Parameter;

  constructor(inFeatures: number, outFeatures: number, options: LayerOptions & { bias?: boolean } = {}) {
    super();
    const device = options.device ?? defaultDevice();
    const shape = [outFeatures, inFeatures];
    this.weight = parameter(defaultWeight(shape), shape, device);
    if (options.bias ?? true) this.bias = biasOf(outFeatures, inFeatures, device);
  }

  forward(x: Tensor): Tensor {
    return ops.linear(x, this.weight, this.bias);
  }
}

export interface Conv2dLayerOptions extends ops.Conv2dOptions, LayerOptions {
  bias?: boolean;
}

/** Convolution of (N, inChannels, H, W). */
export class Conv2d extends Module implements Layer {
  readonly weight: Parameter;
  declare readonly bias?: Parameter;
  readonly #options: ops.Conv2dOptions;

  constructor(inChannels: number, outChannels: number, kernel: number | Pair, options: Conv2dLayerOptions = {}) {
    super();
    const { bias = true, device = defaultDevice(), ...convolution } = options;
    const shape = [outChannels, inChannels / (convolution.groups ?? 1), ...pair(kernel)];
    this.#options = convolution;
    this.weight = parameter(defaultWeight(shape), shape, device);
    if (bias) this.bias = biasOf(outChannels, fanIn(shape), device);
  }

  forward(x: Tensor): Tensor {
    return ops.conv2d(x, this.weight, this.bias, this.#options);
  }
}

export interface ConvTranspose2dLayerOptions extends ops.ConvTranspose2dOptions, LayerOptions {
  bias?: boolean;
}

/** Transposed convolution of (N, inChannels, H, W). */
export class ConvTranspose2d extends Module implements Layer {
  readonly weight: Parameter;
  declare readonly bias?: Parameter;
  readonly #options: ops.ConvTranspose2dOptions;

  constructor(
    inChannels: number,
    outChannels: number,
    kernel: number | Pair,
    options: ConvTranspose2dLayerOptions = {},
  ) {
    super();
    const { bias = true, device = defaultDevice(), ...convolution } = options;
    const shape = [inChannels, outChannels / (convolution.groups ?? 1), ...pair(kernel)];
    this.#options = convolution;
    this.weight = parameter(defaultWeight(shape), shape, device);
    if (bias) this.bias = biasOf(outChannels, fanIn(shape), device);
  }

  forward(x: Tensor): Tensor {
    return ops.convTranspose2d(x, this.weight, this.bias, this.#options);
  }
}

export interface BatchNorm2dOptions extends LayerOptions {
  /** Share of the new batch in the running statistics; null makes them the plain average over all batches. Default 0.1. */
  momentum?: number | null;
  eps?: number;
}

/** Batch normalisation of (N, channels, H, W), with running statistics for inference. */
export class BatchNorm2d extends Module implements Layer {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly running_mean: Buffer;
  readonly running_var: Buffer;
  readonly num_batches_tracked = new Counter();
  readonly #momentum: number | null;
  readonly #eps: number;

  constructor(channels: number, options: BatchNorm2dOptions = {}) {
    super();
    const device = options.device ?? defaultDevice();
    this.weight = parameter(new Float32Array(channels).fill(1), [channels], device);
    this.bias = parameter(new Float32Array(channels), [channels], device);
    this.running_mean = buffer([channels], 0, device);
    this.running_var = buffer([channels], 1, device);
    this.#momentum = options.momentum === undefined ? 0.1 : options.momentum;
    this.#eps = options.eps ?? 1e-5;
  }

  forward(x: Tensor): Tensor {
    const count = this.num_batches_tracked;
    // Counted when the batch has been found to fit, and not again when a checkpoint runs a second time.
    const batches = count.value + 1;
    const y = ops.batchNorm(x, {
      weight: this.weight,
      bias: this.bias,
      runningMean: this.running_mean,
      runningVar: this.running_var,
      training: this.training,
      momentum: this.#momentum ?? 1 / batches,
      eps: this.#eps,
    });
    if (this.training && !isRecomputing()) count.value = batches;
    return y;
  }
}

/** max(x, 0) */
export class ReLU extends Module implements Layer {
  forward(x: Tensor): Tensor {
    return ops.relu(x);
  }
}

/** Windowed maximum without its indices. */
export class MaxPool2d extends Module implements Layer {
  readonly #kernel: number | Pair;
  readonly #options: Parameters<typeof ops.maxPool2d>[2];

  constructor(kernel: number | Pair, options: Parameters<typeof ops.maxPool2d>[2] = {}) {
    super();
    this.#kernel = kernel;
    this.#options = options;
  }

  forward(x: Tensor): Tensor {
    return ops.maxPool2d(x, this.#kernel, this.#options).values;
  }
}
