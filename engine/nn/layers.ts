// Layers with the parameter names, shapes, orders and default initialisation of torch.nn.
import { takes } from '../call-check.ts';
import { numberWithin, wholeNumber, wholePair } from '../checks.ts';
import { isRecomputing } from '../checkpoint.ts';
import { defaultDevice, parameter } from '../creation.ts';
import type { Device } from '../devices/device.ts';
import { ShapeError } from '../errors.ts';
import * as ops from '../ops/index.ts';
import { type Pair, type Shape, sizeOf } from '../shape.ts';
import { device, flag, number, optionsWith, orNull, size, sizes } from '../signature.ts';
import type { Parameter, Tensor } from '../tensor.ts';
import { defaultWeight, fanIn, uniformInit } from './init.ts';
import { Buffer, Counter, type Layer, Module } from './module.ts';

/** What every layer with parameters takes. */
export interface LayerOptions {
  device?: Device;
}

/** Options of nn.Linear. */
export interface LinearOptions extends LayerOptions {
  bias?: boolean;
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
    return ops.linear(x, this.weight, this.bias);
  }
}

/** Refuses sizes that make no convolution; returns the kernel's height and width. */
function checkConvolution(
  layer: string,
  inChannels: number,
  outChannels: number,
  kernel: number | Pair,
  options: ops.ConvTranspose2dOptions,
): Pair {
  const groups = wholeNumber(layer, 'groups', options.groups ?? 1, 1);
  for (const [argument, channels] of Object.entries({ inChannels, outChannels })) {
    wholeNumber(layer, argument, channels, 1);
    if (channels % groups === 0) continue;
    const details = { operation: layer, argument: 'groups', expected: `a divisor of ${argument}, ${channels}` };
    throw new ShapeError('the channels do not divide into groups', { ...details, given: String(groups) });
  }
  wholePair(layer, 'stride', options.stride ?? 1, 1);
  wholePair(layer, 'padding', options.padding ?? 0, 0);
  wholePair(layer, 'dilation', options.dilation ?? 1, 1);
  wholePair(layer, 'outputPadding', options.outputPadding ?? 0, 0);
  return wholePair(layer, 'kernel', kernel, 1);
}

/** Options of nn.Conv2d. */
export interface Conv2dLayerOptions extends ops.Conv2dOptions, LayerOptions {
  bias?: boolean;
}

const convolution = { stride: sizes, padding: sizes, dilation: sizes, groups: size, bias: flag, device };
const channels = { inChannels: size, outChannels: size, kernel: sizes };
const takesConv2d = takes('Conv2d', { ...channels, options: optionsWith<Conv2dLayerOptions>(convolution) });

/** Convolution of (N, inChannels, H, W). */
export class Conv2d extends Module implements Layer {
  readonly weight: Parameter;
  declare readonly bias?: Parameter;
  readonly #options: ops.Conv2dOptions;

  constructor(...args: [inChannels: number, outChannels: number, kernel: number | Pair, options?: Conv2dLayerOptions]) {
    super();
    const [inChannels, outChannels, kernel, options = {}] = takesConv2d(args);
    const { bias = true, device = defaultDevice(), ...convolution } = options;
    const size = checkConvolution('Conv2d', inChannels, outChannels, kernel, convolution);
    const shape = [outChannels, inChannels / (convolution.groups ?? 1), ...size];
    this.#options = convolution;
    this.weight = parameter(defaultWeight(shape), shape, device);
    if (bias) this.bias = biasOf(outChannels, fanIn(shape), device);
  }

  forward(x: Tensor): Tensor {
    return ops.conv2d(x, this.weight, this.bias, this.#options);
  }
}

/** Options of nn.ConvTranspose2d. */
export interface ConvTranspose2dLayerOptions extends ops.ConvTranspose2dOptions, LayerOptions {
  bias?: boolean;
}

const takesConvTranspose2d = takes('ConvTranspose2d', {
  ...channels,
  options: optionsWith<ConvTranspose2dLayerOptions>({ ...convolution, outputPadding: sizes }),
});

/** Transposed convolution of (N, inChannels, H, W). */
export class ConvTranspose2d extends Module implements Layer {
  readonly weight: Parameter;
  declare readonly bias?: Parameter;
  readonly #options: ops.ConvTranspose2dOptions;

  constructor(
    ...args: [inChannels: number, outChannels: number, kernel: number | Pair, options?: ConvTranspose2dLayerOptions]
  ) {
    super();
    const [inChannels, outChannels, kernel, options = {}] = takesConvTranspose2d(args);
    const { bias = true, device = defaultDevice(), ...convolution } = options;
    const size = checkConvolution('ConvTranspose2d', inChannels, outChannels, kernel, convolution);
    const shape = [inChannels, outChannels / (convolution.groups ?? 1), ...size];
    this.#options = convolution;
    this.weight = parameter(defaultWeight(shape), shape, device);
    if (bias) this.bias = biasOf(outChannels, fanIn(shape), device);
  }

  forward(x: Tensor): Tensor {
    return ops.convTranspose2d(x, this.weight, this.bias, this.#options);
  }
}

/** Options of nn.BatchNorm2d. */
export interface BatchNorm2dOptions extends LayerOptions {
  /** Share of the new batch in the running statistics; null makes them the plain average over all batches. Default 0.1. */
  momentum?: number | null;
  eps?: number;
}

const takesBatchNorm2d = takes('BatchNorm2d', {
  channels: size,
  options: optionsWith<BatchNorm2dOptions>({ momentum: orNull(number), eps: number, device }),
});

/** Batch normalisation of (N, channels, H, W), with running statistics for inference. */
export class BatchNorm2d extends Module implements Layer {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly running_mean: Buffer;
  readonly running_var: Buffer;
  readonly num_batches_tracked = new Counter();
  readonly #momentum: number | null;
  readonly #eps: number;

  constructor(...args: [channels: number, options?: BatchNorm2dOptions]) {
    super();
    const [channels, options = {}] = takesBatchNorm2d(args);
    wholeNumber('BatchNorm2d', 'channels', channels, 1);
    const { momentum = 0.1 } = options;
    this.#momentum = momentum === null ? null : numberWithin('BatchNorm2d', 'momentum', momentum, { from: 0, to: 1 });
    this.#eps = numberWithin('BatchNorm2d', 'eps', options.eps ?? 1e-5, { from: 0 });
    const device = options.device ?? defaultDevice();
    this.weight = parameter(new Float32Array(channels).fill(1), [channels], device);
    this.bias = parameter(new Float32Array(channels), [channels], device);
    this.running_mean = buffer([channels], 0, device);
    this.running_var = buffer([channels], 1, device);
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

const takesMaxPool2d = takes('MaxPool2d', {
  kernel: sizes,
  options: optionsWith<ops.MaxPoolOptions>({ stride: orNull(sizes), padding: sizes, ceilMode: flag, dilation: sizes }),
});

/** Windowed maximum without its indices. */
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
