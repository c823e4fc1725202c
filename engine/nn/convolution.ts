// Convolutions with the parameter names, shapes and default initialisation of torch.nn.
import { takes } from '../call-check.ts';
import { wholeNumber, wholePair } from '../checks.ts';
import { defaultDevice, parameter } from '../creation.ts';
import { ShapeError } from '../errors.ts';
import * as ops from '../ops/index.ts';
import { type Pair } from '../shape.ts';
import { device, flag, optionsWith, padding, padding1d, size, sizes } from '../signature.ts';
import type { Parameter, Tensor } from '../tensor.ts';
import { defaultWeight, fanIn } from './init.ts';
import { biasOf, type LayerOptions } from './layer-options.ts';
import { type Layer, Module } from './module.ts';

/** Refuses sizes that make no convolution; returns the kernel's height and width. */
function checkConvolution(
  layer: string,
  inChannels: number,
  outChannels: number,
  kernel: number | Pair,
  options: Omit<ops.ConvTranspose2dOptions, 'padding'> & Pick<ops.Conv2dOptions, 'padding'>,
): Pair {
  const groups = wholeNumber(layer, 'groups', options.groups ?? 1, 1);
  for (const [argument, channels] of Object.entries({ inChannels, outChannels })) {
    wholeNumber(layer, argument, channels, 1);
    if (channels % groups === 0) continue;
    const details = { operation: layer, argument: 'groups', expected: `a divisor of ${argument}, ${channels}` };
    throw new ShapeError('the channels do not divide into groups', { ...details, given: String(groups) });
  }
  wholePair(layer, 'stride', options.stride ?? 1, 1);
  if (options.padding !== 'same') wholePair(layer, 'padding', options.padding ?? 0, 0);
  wholePair(layer, 'dilation', options.dilation ?? 1, 1);
  wholePair(layer, 'outputPadding', options.outputPadding ?? 0, 0);
  return wholePair(layer, 'kernel', kernel, 1);
}

/** Options of nn.Conv2d. */
export interface Conv2dLayerOptions extends ops.Conv2dOptions, LayerOptions {
  bias?: boolean;
}

const convolution = { stride: sizes, dilation: sizes, groups: size, bias: flag, device };
const channels = { inChannels: size, outChannels: size, kernel: sizes };
const takesConv2d = takes('Conv2d', {
  ...channels,
  options: optionsWith<Conv2dLayerOptions>({ ...convolution, padding }),
});

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
  options: optionsWith<ConvTranspose2dLayerOptions>({ ...convolution, padding: sizes, outputPadding: sizes }),
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

/** Options of nn.Conv1d. */
export interface Conv1dLayerOptions extends ops.Conv1dOptions, LayerOptions {
  bias?: boolean;
}

const takesConv1d = takes('Conv1d', {
  ...{ inChannels: size, outChannels: size, kernel: size },
  options: optionsWith<Conv1dLayerOptions>({
    ...{ stride: size, padding: padding1d, dilation: size, groups: size },
    ...{ bias: flag, device },
  }),
});

/** Convolution of (N, inChannels, L). */
export class Conv1d extends Module implements Layer {
  readonly weight: Parameter;
  declare readonly bias?: Parameter;
  readonly #options: ops.Conv1dOptions;

  constructor(...args: [inChannels: number, outChannels: number, kernel: number, options?: Conv1dLayerOptions]) {
    super();
    const [inChannels, outChannels, kernel, options = {}] = takesConv1d(args);
    const { bias = true, device = defaultDevice(), ...convolution } = options;
    checkConvolution('Conv1d', inChannels, outChannels, kernel, convolution);
    const shape = [outChannels, inChannels / (convolution.groups ?? 1), kernel];
    this.#options = convolution;
    this.weight = parameter(defaultWeight(shape), shape, device);
    if (bias) this.bias = biasOf(outChannels, fanIn(shape), device);
  }

  forward(x: Tensor): Tensor {
    return ops.conv1d(x, this.weight, this.bias, this.#options);
  }
}
