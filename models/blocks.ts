// Building blocks shared by the networks.
import { takes } from '../engine/call-check.ts';
import { oneOf, wholeNumber } from '../engine/checks.ts';
import {
  add,
  concat,
  ConfigError,
  interpolate,
  maxPool2d,
  maxUnpool2d,
  mul,
  narrow,
  nn,
  pad,
  parameter,
  type Parameter,
  pyramidPool2d,
  relu,
  reshape,
  type Tensor,
} from '../engine/index.ts';
import { flag, list, number, numbers, optional, optionsWith, size, text } from '../engine/parameters.ts';

/** Gives a layer the weights that `init` draws for their shape, and a bias of zeros, as Keras does. Returns the layer. */
export function initialised<L extends nn.Conv2d | nn.Linear>(
  layer: L,
  init: (shape: readonly number[]) => Float32Array,
): L {
  const { weight, bias } = layer;
  weight.device.write(weight.storage, init(weight.shape));
  bias?.device.write(bias.storage, new Float32Array(bias.size));
  return layer;
}

/** Options of DoubleConv. */
export interface DoubleConvOptions {
  bias?: boolean;
  /** Batch norm after each convolution; default true. */
  norm?: boolean;
}

const takesDoubleConv = takes('DoubleConv', {
  inputs: size,
  outputs: size,
  options: optionsWith<DoubleConvOptions>({ bias: flag, norm: flag }),
});

/** (conv 3x3 padding 1, batch norm, relu) twice, keeping the image size. */
export class DoubleConv extends nn.Module {
  // Declared alone: the order of a state dict is that in which the constructor makes them.
  declare readonly conv1: nn.Conv2d;
  declare readonly bn1?: nn.BatchNorm2d;
  declare readonly conv2: nn.Conv2d;
  declare readonly bn2?: nn.BatchNorm2d;

  constructor(...args: [inputs: number, outputs: number, options?: DoubleConvOptions]) {
    super();
    const [inputs, outputs, { bias = true, norm = true } = {}] = takesDoubleConv(args);
    this.conv1 = new nn.Conv2d(inputs, outputs, 3, { padding: 1, bias });
    if (norm) this.bn1 = new nn.BatchNorm2d(outputs);
    this.conv2 = new nn.Conv2d(outputs, outputs, 3, { padding: 1, bias });
    if (norm) this.bn2 = new nn.BatchNorm2d(outputs);
  }

  forward(x: Tensor): Tensor {
    x = this.conv1.forward(x);
    x = this.conv2.forward(this.bn1?.forward(x, 'relu') ?? relu(x));
    return this.bn2?.forward(x, 'relu') ?? relu(x);
  }
}

const takesUNetUp = takes('UNetUp', { inputs: size, skip: size, outputs: size, mode: text });

/** Doubles the size, zero-pads to the skip's size, joins [skip, up] and applies a DoubleConv. */
export class UNetUp extends nn.Module {
  declare readonly up?: nn.ConvTranspose2d;
  readonly conv: DoubleConv;

  /** `inputs` channels from below and `skip` from the side; `mode` bilinear aligns corners. */
  constructor(...args: [inputs: number, skip: number, outputs: number, mode: 'transpose' | 'bilinear']) {
    super();
    const [inputs, skip, outputs, mode] = takesUNetUp(args);
    oneOf('UNetUp', 'mode', mode, ['transpose', 'bilinear']);
    if (mode === 'transpose') this.up = new nn.ConvTranspose2d(inputs, inputs / 2, 2, { stride: 2 });
    this.conv = new DoubleConv((mode === 'transpose' ? inputs / 2 : inputs) + skip, outputs, { bias: false });
  }

  forward(x: Tensor, skip: Tensor): Tensor {
    const up = this.up?.forward(x) ?? interpolate(x, { mode: 'bilinear', scaleFactor: 2, alignCorners: true });
    const [dh, dw] = [skip.shape[2]! - up.shape[2]!, skip.shape[3]! - up.shape[3]!];
    const [top, left] = [Math.floor(dh / 2), Math.floor(dw / 2)];
    return this.conv.forward(concat([skip, pad(up, [left, dw - left, top, dh - top])], 1));
  }
}

const takesPyramid = takes('PyramidPooling', {
  inputs: size,
  outputs: size,
  bins: optional(numbers),
  alignCorners: optional(flag),
});

/** Pyramid pooling of PSPNet: per bin, adaptive average pool, 1x1 conv, batch norm, relu, bilinear resize; all joined to x. */
export class PyramidPooling extends nn.Module {
  readonly conv: nn.ModuleList<nn.Conv2d>;
  readonly bn: nn.ModuleList<nn.BatchNorm2d>;
  readonly #bins: readonly number[];
  readonly #alignCorners: boolean;

  constructor(...args: [inputs: number, outputs: number, bins?: readonly number[], alignCorners?: boolean]) {
    super();
    const [inputs, outputs, bins = [1, 2, 3, 6], alignCorners = false] = takesPyramid(args);
    this.#bins = bins;
    this.#alignCorners = alignCorners;
    this.conv = new nn.ModuleList(bins.map(() => new nn.Conv2d(inputs, outputs, 1, { bias: false })));
    this.bn = new nn.ModuleList(bins.map(() => new nn.BatchNorm2d(outputs)));
  }

  forward(x: Tensor): Tensor {
    const size = [x.shape[2]!, x.shape[3]!] as const;
    const levels = pyramidPool2d(x, this.#bins).map((pooled, i) => {
      pooled = this.bn.at(i).forward(this.conv.at(i).forward(pooled), 'relu');
      return interpolate(pooled, { mode: 'bilinear', size, alignCorners: this.#alignCorners });
    });
    return concat([x, ...levels], 1);
  }
}

/** Options of CrossStitch. */
export interface StitchOptions {
  /** Starting value on the diagonal; default 0.9. */
  self?: number;
  /** Starting value off the diagonal; default 0.1 shared by the other tasks. */
  other?: number;
  /** Starting values of the whole matrix, row i for output i, instead of `self` and `other`. */
  matrix?: readonly (readonly number[])[];
}

const takesCrossStitch = takes('CrossStitch', {
  tasks: size,
  channels: optional(size),
  options: optionsWith<StitchOptions>({ self: number, other: number, matrix: list }),
});

/** Cross-stitch unit (Misra et al. 2016): y_i = sum over j of alpha[i][j] x_j, alpha (K, K) or per channel (C, K, K). */
export class CrossStitch extends nn.Module {
  readonly alpha: Parameter;

  /** Any number of branches; with `channels` a matrix for each of them. Throws ConfigError for a matrix that is not K x K. */
  constructor(...args: [tasks: number, channels?: number, options?: StitchOptions]) {
    super();
    const [tasks, channels, options = {}] = takesCrossStitch(args);
    wholeNumber('CrossStitch', 'tasks', tasks, 1);
    const { self = 0.9, other = 0.1 / Math.max(1, tasks - 1), matrix: rows } = options;
    if (rows && (rows.length !== tasks || rows.some((row) => row.length !== tasks))) {
      throw new ConfigError('the stitch matrix is not square', {
        operation: 'CrossStitch',
        argument: 'matrix',
        expected: `${tasks} x ${tasks}`,
        given: `rows of ${rows.map((row) => row.length).join(', ')}`,
      });
    }
    const matrix =
      rows?.flat() ?? Array.from({ length: tasks * tasks }, (_, i) => (i % (tasks + 1) === 0 ? self : other));
    const copies = channels ?? 1;
    const values = Float32Array.from({ length: copies * matrix.length }, (_, i) => matrix[i % matrix.length]!);
    this.alpha = parameter(values, channels === undefined ? [tasks, tasks] : [channels, tasks, tasks]);
  }

  forward(maps: readonly Tensor[]): Tensor[] {
    const [channels, tasks] = [this.alpha.rank === 3 ? this.alpha.shape[0]! : 1, maps.length];
    const weight = reshape(this.alpha, [channels, tasks, tasks]);
    const entry = (i: number, j: number): Tensor =>
      reshape(narrow(narrow(weight, 1, i, 1), 2, j, 1), [1, channels, 1, 1]);
    return maps.map((_, i) => maps.map((x, j) => mul(entry(i, j), x)).reduce((sum, term) => add(sum, term)));
  }
}

const takesSegNet = takes('SegNetStage', { inputs: size, width: size, outputs: size });

/** One level of SegNet: conv, norm, relu, pool with indices, unpool, conv, norm, relu. */
export class SegNetStage extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;

  constructor(...args: [inputs: number, width: number, outputs: number]) {
    super();
    const [inputs, width, outputs] = takesSegNet(args);
    this.conv1 = new nn.Conv2d(inputs, width, 3, { padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(width);
    this.conv2 = new nn.Conv2d(width, outputs, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outputs);
  }

  forward(x: Tensor): Tensor {
    const y = this.bn1.forward(this.conv1.forward(x), 'relu');
    const { values, indices } = maxPool2d(y, 2, { returnIndices: true });
    const up = maxUnpool2d(values, indices, [y.shape[2]!, y.shape[3]!]);
    return this.bn2.forward(this.conv2.forward(up), 'relu');
  }
}
