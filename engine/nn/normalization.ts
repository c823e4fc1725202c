// Normalisation with the parameter names and defaults of torch.nn.
import { takes } from '../call-check.ts';
import { countWithin, numberWithin, wholeNumber } from '../checks.ts';
import { isRecomputing } from '../recomputation.ts';
import { defaultDevice, parameter } from '../creation.ts';
import { ShapeError } from '../errors.ts';
import * as ops from '../ops/index.ts';
import { checkShape, type Shape, sizeOf } from '../shape.ts';
import { axes, device, flag, number, optionsWith, orNull, size } from '../signature.ts';
import type { Parameter, Tensor } from '../tensor.ts';
import { buffer, type LayerOptions } from './layer-options.ts';
import { ReLU } from './activations.ts';
import { type Buffer, Counter, type Layer, Module } from './module.ts';

/** Options of nn.BatchNorm2d. */
export interface BatchNorm2dOptions extends LayerOptions {
  /** Share of the new batch in the running statistics; null makes them the plain average over all batches. Default 0.1. */
  momentum?: number | null;
  eps?: number;
  /** The running variance takes over that of a batch with the divisor n - correction: 1 (default) is PyTorch's, 0 Keras's. */
  correction?: number;
}

const takesBatchNorm2d = takes('BatchNorm2d', {
  channels: size,
  options: optionsWith<BatchNorm2dOptions>({ momentum: orNull(number), eps: number, correction: number, device }),
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
  readonly #correction: number;

  constructor(...args: [channels: number, options?: BatchNorm2dOptions]) {
    super();
    const [channels, options = {}] = takesBatchNorm2d(args);
    wholeNumber('BatchNorm2d', 'channels', channels, 1);
    const { momentum = 0.1 } = options;
    this.#momentum = momentum === null ? null : numberWithin('BatchNorm2d', 'momentum', momentum, { from: 0, to: 1 });
    this.#eps = numberWithin('BatchNorm2d', 'eps', options.eps ?? 1e-5, { from: 0 });
    this.#correction = countWithin('BatchNorm2d', 'correction', options.correction ?? 1, { from: 0, to: 1 });
    const device = options.device ?? defaultDevice();
    this.weight = parameter(new Float32Array(channels).fill(1), [channels], device);
    this.bias = parameter(new Float32Array(channels), [channels], device);
    this.running_mean = buffer([channels], 0, device);
    this.running_var = buffer([channels], 1, device);
  }

  /** With an activation, `relu(forward(x))` in the same passes over memory. */
  forward(x: Tensor, activation?: ops.Activation): Tensor {
    const count = this.num_batches_tracked;
    // Counted when the batch has been found to fit, and not again when the pass is recomputed.
    const batches = count.value + 1;
    const y = ops.batchNorm(x, {
      weight: this.weight,
      bias: this.bias,
      runningMean: this.running_mean,
      runningVar: this.running_var,
      training: this.training,
      momentum: this.#momentum ?? 1 / batches,
      eps: this.#eps,
      correction: this.#correction,
      activation,
    });
    if (this.training && !isRecomputing()) count.value = batches;
    return y;
  }

  /** A ReLU behind this one joins it, unless either has a forward of its own: a subclass, or one that somebody has wrapped. */
  forwardWith(x: Tensor, next: Layer): Tensor | undefined {
    const isOurs = this.forward === BatchNorm2d.prototype.forward && next.forward === ReLU.prototype.forward;
    return isOurs ? this.forward(x, 'relu') : undefined;
  }
}

/** Options of nn.LayerNorm, nn.GroupNorm and nn.InstanceNorm2d. */
export interface NormLayerOptions extends LayerOptions {
  eps?: number;
  /** Whether there are weights and biases to learn. Default true; false for InstanceNorm2d. */
  affine?: boolean;
}

const normOptions = optionsWith<NormLayerOptions>({ eps: number, affine: flag, device });

/** Normalisation without running statistics: a weight of ones, a bias of zeros. */
abstract class Normalization extends Module implements Layer {
  declare readonly weight?: Parameter;
  declare readonly bias?: Parameter;
  protected readonly eps: number;

  constructor(shape: Shape, { eps = 1e-5, affine = true, device = defaultDevice() }: NormLayerOptions) {
    super();
    this.eps = numberWithin(new.target.name, 'eps', eps, { from: 0 });
    if (!affine) return;
    this.weight = parameter(new Float32Array(sizeOf(shape)).fill(1), shape, device);
    this.bias = parameter(new Float32Array(sizeOf(shape)), shape, device);
  }

  abstract forward(x: Tensor): Tensor;

  protected get affine() {
    return { weight: this.weight, bias: this.bias, eps: this.eps };
  }
}

const takesLayerNorm = takes('LayerNorm', { normalizedShape: axes, options: normOptions });

/** Normalises over the trailing axes, whose sizes are `normalizedShape`. */
export class LayerNorm extends Normalization {
  readonly #shape: Shape;

  constructor(...args: [normalizedShape: number | Shape, options?: NormLayerOptions]) {
    const [given, options = {}] = takesLayerNorm(args);
    const shape = typeof given === 'number' ? [given] : given;
    checkShape('LayerNorm', shape, 'normalizedShape');
    super(shape, options);
    this.#shape = shape;
  }

  override forward(x: Tensor): Tensor {
    return ops.layerNorm(x, this.#shape, this.affine);
  }
}

const takesGroupNorm = takes('GroupNorm', { groups: size, channels: size, options: normOptions });

/** Normalises (N, channels, ...) over each group of channels and all positions. */
export class GroupNorm extends Normalization {
  readonly #groups: number;

  constructor(...args: [groups: number, channels: number, options?: NormLayerOptions]) {
    const [groups, channels, options = {}] = takesGroupNorm(args);
    wholeNumber('GroupNorm', 'groups', groups, 1);
    wholeNumber('GroupNorm', 'channels', channels, 1);
    if (channels % groups) {
      const details = { operation: 'GroupNorm', argument: 'groups', expected: `a divisor of ${channels}` };
      throw new ShapeError('the channels do not divide into groups', { ...details, given: String(groups) });
    }
    super([channels], options);
    this.#groups = groups;
  }

  override forward(x: Tensor): Tensor {
    return ops.groupNorm(x, this.#groups, this.affine);
  }
}

const takesInstanceNorm2d = takes('InstanceNorm2d', { channels: size, options: normOptions });

/** Normalises each channel of each image (N, channels, H, W); nothing is learned unless `affine`. */
export class InstanceNorm2d extends Normalization {
  constructor(...args: [channels: number, options?: NormLayerOptions]) {
    const [channels, options = {}] = takesInstanceNorm2d(args);
    wholeNumber('InstanceNorm2d', 'channels', channels, 1);
    super([channels], { affine: false, ...options });
  }

  override forward(x: Tensor): Tensor {
    return ops.instanceNorm(x, this.affine);
  }
}
