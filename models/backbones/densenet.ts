// DenseNet (Huang et al. 2017) with torchvision's names: every layer sees the outputs of all layers before it in its block.
import { takes } from '../../engine/call-check.ts';
import { oneOf } from '../../engine/checks.ts';
import {
  adaptiveAvgPool2d,
  avgPool2d,
  checkpoint,
  concat,
  flatten,
  maxPool2d,
  nn,
  relu,
  type Tensor,
} from '../../engine/index.ts';
import { flag, number, optional, optionsWith, size, wholeNumbers } from '../../engine/parameters.ts';

/** Whether layers are computed again in the backward pass to save memory. */
export interface DenseNetMemoryOptions {
  /**
   * Joins and normalises the inputs of each layer again in backward instead of keeping them: memory that grows with the
   * depth of a block in the place of its square. The result has the same bits.
   */
  memoryEfficient?: boolean;
}

const memory = { memoryEfficient: flag };
const takesLayer = takes('DenseLayer', {
  inputs: size,
  growthRate: size,
  bnSize: size,
  options: optionsWith<DenseNetMemoryOptions>(memory),
});

/** norm, relu, conv 1x1, norm, relu, conv 3x3: adds `growthRate` channels. */
export class DenseLayer extends nn.Module {
  readonly norm1: nn.BatchNorm2d;
  readonly conv1: nn.Conv2d;
  readonly norm2: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;

  readonly #memoryEfficient: boolean;

  constructor(...args: [inputs: number, growthRate: number, bnSize: number, options?: DenseNetMemoryOptions]) {
    super();
    const [inputs, growthRate, bnSize, { memoryEfficient = false } = {}] = takesLayer(args);
    this.#memoryEfficient = memoryEfficient;
    this.norm1 = new nn.BatchNorm2d(inputs);
    this.conv1 = new nn.Conv2d(inputs, bnSize * growthRate, 1, { bias: false });
    this.norm2 = new nn.BatchNorm2d(bnSize * growthRate);
    this.conv2 = new nn.Conv2d(bnSize * growthRate, growthRate, 3, { padding: 1, bias: false });
  }

  forward(features: readonly Tensor[]): Tensor {
    const bottleneck = (...inputs: Tensor[]) => this.conv1.forward(relu(this.norm1.forward(concat(inputs, 1))));
    const y = this.#memoryEfficient ? checkpoint(bottleneck, ...features) : bottleneck(...features);
    return this.conv2.forward(relu(this.norm2.forward(y)));
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
  options: optionsWith<DenseNetMemoryOptions>(memory),
});

/** Layers each of which sees the outputs of all before it. */
export class DenseBlock extends NumberedModules<DenseLayer> {
  constructor(
    ...args: [layers: number, inputs: number, growthRate: number, bnSize?: number, options?: DenseNetMemoryOptions]
  ) {
    const [layers, inputs, growthRate, bnSize = 4, options = {}] = takesBlock(args);
    super(
      'denselayer',
      Array.from({ length: layers }, (_, i) => new DenseLayer(inputs + i * growthRate, growthRate, bnSize, options)),
    );
  }

  forward(x: Tensor): Tensor {
    const features = [x];
    for (const layer of this.items) features.push(layer.forward(features));
    return concat(features, 1);
  }
}

/** norm, relu, conv 1x1, average pool 2x2. */
export class Transition extends nn.Module {
  readonly norm: nn.BatchNorm2d;
  readonly conv: nn.Conv2d;

  constructor(inputs: number, outputs: number) {
    super();
    this.norm = new nn.BatchNorm2d(inputs);
    this.conv = new nn.Conv2d(inputs, outputs, 1, { bias: false });
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(this.conv.forward(relu(this.norm.forward(x))), 2);
  }
}

const blockLayers = { 121: [6, 12, 24, 16], 169: [6, 12, 32, 32] } as const;

const takesFeatures = takes('DenseNetFeatures', {
  layers: wholeNumbers,
  growthRate: optional(size),
  options: optionsWith<DenseNetMemoryOptions>(memory),
});

/** Everything before the classifier, under torchvision's prefix `features`. */
export class DenseNetFeatures extends nn.Module {
  readonly conv0: nn.Conv2d;
  readonly norm0: nn.BatchNorm2d;
  readonly outputs: number;
  readonly #blocks: DenseBlock[] = [];
  readonly #transitions: Transition[] = [];
  readonly #last: nn.BatchNorm2d;

  constructor(...args: [layers: readonly number[], growthRate?: number, options?: DenseNetMemoryOptions]) {
    super();
    const [layers, growthRate = 32, options = {}] = takesFeatures(args);
    let width = 2 * growthRate;
    this.conv0 = new nn.Conv2d(3, width, 7, { stride: 2, padding: 3, bias: false });
    this.norm0 = new nn.BatchNorm2d(width);
    layers.forEach((count, i) => {
      const block = new DenseBlock(count, width, growthRate, 4, options);
      this.#blocks.push(block);
      Object.assign(this, { [`denseblock${i + 1}`]: block });
      width += count * growthRate;
      if (i === layers.length - 1) return;
      const transition = new Transition(width, width / 2);
      this.#transitions.push(transition);
      Object.assign(this, { [`transition${i + 1}`]: transition });
      width /= 2;
    });
    this.#last = new nn.BatchNorm2d(width);
    Object.assign(this, { norm5: this.#last });
    this.outputs = width;
  }

  /** (N, 3, H, W) to (N, outputs, H / 32, W / 32), normalised but not yet rectified. */
  forward(x: Tensor): Tensor {
    x = maxPool2d(relu(this.norm0.forward(this.conv0.forward(x))), 3, { stride: 2, padding: 1 });
    this.#blocks.forEach((block, i) => {
      x = block.forward(x);
      x = this.#transitions[i]?.forward(x) ?? x;
    });
    return this.#last.forward(x);
  }
}

/** Depth and widths of a DenseNet. */
export interface DenseNetOptions extends DenseNetMemoryOptions {
  classes?: number;
}

const takesDenseNet = takes('DenseNet', {
  depth: number,
  options: optionsWith<DenseNetOptions>({ ...memory, classes: size }),
});

/** DenseNet (Huang et al. 2017) with the parameter names of torchvision. */
export class DenseNet extends nn.Module {
  readonly features: DenseNetFeatures;
  readonly classifier: nn.Linear;

  constructor(...args: [depth: keyof typeof blockLayers, options?: DenseNetOptions]) {
    super();
    const [depth, { classes = 1000, memoryEfficient = false } = {}] = takesDenseNet(args);
    oneOf('DenseNet', 'depth', String(depth), Object.keys(blockLayers));
    this.features = new DenseNetFeatures(blockLayers[depth], 32, { memoryEfficient });
    this.classifier = new nn.Linear(this.features.outputs, classes);
  }

  /** Class scores (N, classes). */
  forward(x: Tensor): Tensor {
    return this.classifier.forward(flatten(adaptiveAvgPool2d(relu(this.features.forward(x)), 1), 1));
  }
}
