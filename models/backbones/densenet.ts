// DenseNet (Huang et al. 2017) with torchvision's names: every layer sees the outputs of all layers before it in its block.
import { takes } from '../../engine/call-check.ts';
import { oneOf } from '../../engine/checks.ts';
import {
  adaptiveAvgPool2d,
  avgPool2d,
  checkpoint,
  concat,
  ConfigError,
  flatten,
  maxPool2d,
  nn,
  relu,
  type Tensor,
  tidy,
} from '../../engine/index.ts';
import { flag, number, optional, optionsWith, record, size, wholeNumbers } from '../../engine/parameters.ts';
import type { Backbone, Scales, Taps } from './backbone.ts';

/** How layers normalise, and whether they are computed again in the backward pass to save memory. */
export interface DenseNetLayerOptions {
  /**
   * Joins and normalises the inputs of each layer again in backward instead of keeping them: memory that grows with the
   * depth of a block in the place of its square. The result has the same bits.
   */
  memoryEfficient?: boolean;
  /** Of every batch norm. Default torchvision's; Keras's is `kerasNorm`. */
  norm?: nn.BatchNorm2dOptions;
}

const layerOptions = { memoryEfficient: flag, norm: record };
const takesLayer = takes('DenseLayer', {
  inputs: size,
  growthRate: size,
  bnSize: size,
  options: optionsWith<DenseNetLayerOptions>(layerOptions),
});

/** norm, relu, conv 1x1, norm, relu, conv 3x3: adds `growthRate` channels. */
export class DenseLayer extends nn.Module {
  readonly norm1: nn.BatchNorm2d;
  readonly conv1: nn.Conv2d;
  readonly norm2: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;

  readonly #memoryEfficient: boolean;

  constructor(...args: [inputs: number, growthRate: number, bnSize: number, options?: DenseNetLayerOptions]) {
    super();
    const [inputs, growthRate, bnSize, { memoryEfficient = false, norm = {} } = {}] = takesLayer(args);
    this.#memoryEfficient = memoryEfficient;
    this.norm1 = new nn.BatchNorm2d(inputs, norm);
    this.conv1 = new nn.Conv2d(inputs, bnSize * growthRate, 1, { bias: false });
    this.norm2 = new nn.BatchNorm2d(bnSize * growthRate, norm);
    this.conv2 = new nn.Conv2d(bnSize * growthRate, growthRate, 3, { padding: 1, bias: false });
  }

  forward(features: readonly Tensor[]): Tensor {
    const bottleneck = (...inputs: Tensor[]) => this.conv1.forward(this.norm1.forward(concat(inputs, 1), 'relu'));
    // What backward does not need is as large as all features so far.
    return tidy(() => {
      const y = this.#memoryEfficient ? checkpoint(bottleneck, ...features) : bottleneck(...features);
      return this.conv2.forward(this.norm2.forward(y, 'relu'));
    });
  }
}

/** Gives its members the names that torchvision has: a prefix and a number from 1. */
class NumberedModules<M extends nn.Module> extends nn.Module {
  protected readonly items: readonly M[];

  constructor(prefix: string, items: readonly M[]) {
    super();
    items.forEach((item, i) => Object.assign(this, { [`${prefix}${i + 1}`]: item }));
    this.items = items;
  }
}

const takesBlock = takes('DenseBlock', {
  layers: size,
  inputs: size,
  growthRate: size,
  bnSize: optional(size),
  options: optionsWith<DenseNetLayerOptions>(layerOptions),
});

/** Layers each of which sees the outputs of all before it. */
export class DenseBlock extends NumberedModules<DenseLayer> {
  constructor(
    ...args: [layers: number, inputs: number, growthRate: number, bnSize?: number, options?: DenseNetLayerOptions]
  ) {
    const [layers, inputs, growthRate, bnSize = 4, options = {}] = takesBlock(args);
    super(
      'denselayer',
      Array.from({ length: layers }, (_, i) => new DenseLayer(inputs + i * growthRate, growthRate, bnSize, options)),
    );
  }

  forward(x: Tensor): Tensor {
    return tidy(() => {
      const features = [x];
      for (const layer of this.items) features.push(layer.forward(features));
      return concat(features, 1);
    });
  }
}

/** norm, relu, conv 1x1, average pool 2x2. */
export class Transition extends nn.Module {
  readonly norm: nn.BatchNorm2d;
  readonly conv: nn.Conv2d;

  constructor(inputs: number, outputs: number, norm: nn.BatchNorm2dOptions = {}) {
    super();
    this.norm = new nn.BatchNorm2d(inputs, norm);
    this.conv = new nn.Conv2d(inputs, outputs, 1, { bias: false });
  }

  forward(x: Tensor): Tensor {
    return tidy(() => avgPool2d(this.conv.forward(this.norm.forward(x, 'relu')), 2));
  }
}

/** Layers of the blocks by the depth of the network. */
export const denseNetLayers = { 121: [6, 12, 24, 16], 169: [6, 12, 32, 32] } as const;

const takesFeatures = takes('DenseNetFeatures', {
  layers: wholeNumbers,
  growthRate: optional(size),
  options: optionsWith<DenseNetLayerOptions>(layerOptions),
});

/** Everything before the classifier, under torchvision's prefix `features`: a stem, and blocks with transitions between them. */
export class DenseNetFeatures extends nn.Module implements Backbone {
  readonly conv0: nn.Conv2d;
  readonly norm0: nn.BatchNorm2d;
  readonly outputs: number;
  readonly #blocks: DenseBlock[] = [];
  readonly #transitions: Transition[] = [];
  readonly #last: nn.BatchNorm2d;
  /** Channels of the stem, then of each transition, then of the end. */
  readonly #widths: readonly number[];

  constructor(...args: [layers: readonly number[], growthRate?: number, options?: DenseNetLayerOptions]) {
    super();
    const [layers, growthRate = 32, options = {}] = takesFeatures(args);
    const { norm = {} } = options;
    let width = 2 * growthRate;
    const widths = [width];
    this.conv0 = new nn.Conv2d(3, width, 7, { stride: 2, padding: 3, bias: false });
    this.norm0 = new nn.BatchNorm2d(width, norm);
    layers.forEach((count, i) => {
      const block = new DenseBlock(count, width, growthRate, 4, options);
      this.#blocks.push(block);
      Object.assign(this, { [`denseblock${i + 1}`]: block });
      width += count * growthRate;
      if (i < layers.length - 1) {
        const halved = Math.floor(width / 2);
        const transition = new Transition(width, halved, norm);
        this.#transitions.push(transition);
        Object.assign(this, { [`transition${i + 1}`]: transition });
        width = halved;
      }
      widths.push(width);
    });
    this.#last = new nn.BatchNorm2d(width, norm);
    Object.assign(this, { norm5: this.#last });
    this.outputs = width;
    this.#widths = widths;
  }

  get widths(): Scales<number> {
    const [stem, eighth, sixteenth, , mid] = this.#ofFourBlocks(this.#widths);
    return { half: stem, quarter: stem, eighth, sixteenth, mid };
  }

  /** conv1_relu, pool1, pool2_pool and pool3_pool of Keras, and the normalised and rectified end. Needs four blocks. */
  taps(x: Tensor): Taps {
    const half = this.#stem(x);
    const quarter = this.#pool(half);
    const [, eighth, sixteenth, , end] = this.#ofFourBlocks([quarter, ...this.#blocksOf(quarter)]);
    return { half, quarter, eighth, sixteenth, mid: this.#last.forward(end, 'relu') };
  }

  /** (N, 3, H, W) to (N, outputs, H / 32, W / 32), normalised but not yet rectified. */
  forward(x: Tensor): Tensor {
    const quarter = this.#pool(this.#stem(x));
    return this.#last.forward(this.#blocksOf(quarter).at(-1) ?? quarter);
  }

  #stem(x: Tensor): Tensor {
    return tidy(() => this.norm0.forward(this.conv0.forward(x), 'relu'));
  }

  #pool(x: Tensor): Tensor {
    return maxPool2d(x, 3, { stride: 2, padding: 1 });
  }

  /** What each block gives, halved by the transition behind it. */
  #blocksOf(x: Tensor): Tensor[] {
    return this.#blocks.map((block, i) => {
      const transition = this.#transitions[i];
      return (x = tidy(() => (transition ? transition.forward(block.forward(x)) : block.forward(x))));
    });
  }

  #ofFourBlocks<T>(values: readonly T[]): readonly [T, T, T, T, T] {
    if (values.length === 5) return values as readonly T[] as [T, T, T, T, T];
    throw new ConfigError('feature maps at five scales take four blocks', {
      operation: 'DenseNetFeatures',
      argument: 'layers',
      expected: 'four numbers',
      given: String(values.length - 1),
    });
  }
}

/** Depth and widths of a DenseNet. */
export interface DenseNetOptions extends DenseNetLayerOptions {
  classes?: number;
}

const takesDenseNet = takes('DenseNet', {
  depth: number,
  options: optionsWith<DenseNetOptions>({ ...layerOptions, classes: size }),
});

/** DenseNet (Huang et al. 2017) with the parameter names of torchvision. */
export class DenseNet extends nn.Module {
  readonly features: DenseNetFeatures;
  readonly classifier: nn.Linear;

  constructor(...args: [depth: keyof typeof denseNetLayers, options?: DenseNetOptions]) {
    super();
    const [depth, { classes = 1000, ...options } = {}] = takesDenseNet(args);
    oneOf('DenseNet', 'depth', String(depth), Object.keys(denseNetLayers));
    this.features = new DenseNetFeatures(denseNetLayers[depth], 32, options);
    this.classifier = new nn.Linear(this.features.outputs, classes);
  }

  /** Class scores (N, classes). */
  forward(x: Tensor): Tensor {
    return this.classifier.forward(flatten(adaptiveAvgPool2d(relu(this.features.forward(x)), 1), 1));
  }
}
