// ResNet (He et al. 2016) with torchvision's names, so that its checkpoints load unchanged. The stride of a bottleneck is in
// its 3x3 convolution, in Keras's form in the first 1x1 one; stages may trade their stride for dilation.
import { takes } from '../../engine/call-check.ts';
import { countWithin, oneOf } from '../../engine/checks.ts';
import {
  adaptiveAvgPool2d,
  add,
  ConfigError,
  flatten,
  maxPool2d,
  nn,
  relu,
  type Tensor,
  tidy,
} from '../../engine/index.ts';
import { flag, list, number, optionsWith, record, size, value } from '../../engine/parameters.ts';
import type { Backbone, Scales, Taps } from './backbone.ts';

/** How the layers of a ResNet differ between its two families of checkpoints; default torchvision's. */
export interface ResNetLayerOptions {
  /** Whether the convolutions have biases, as Keras's have. */
  bias?: boolean;
  /** The convolution of a bottleneck that has the stride: 2 in torchvision, 1 in Keras and in the article. */
  strideIn?: 1 | 2;
  /** Of every batch norm. */
  norm?: nn.BatchNorm2dOptions;
}

/** Stride and dilation of a residual block. */
export interface BlockOptions extends ResNetLayerOptions {
  stride?: number;
  dilation?: number;
}

const layerOptions = { bias: flag, strideIn: number, norm: record };
const block = {
  inputs: size,
  planes: size,
  options: optionsWith<BlockOptions>({ stride: size, dilation: size, ...layerOptions }),
};
const takesBasicBlock = takes('BasicBlock', block);
const takesBottleneck = takes('Bottleneck', block);

/** Projects the shortcut where the shape changes. */
function downsampleOf(
  inputs: number,
  outputs: number,
  { stride = 1, bias = false, norm = {} }: BlockOptions,
): nn.Sequential | undefined {
  if (stride === 1 && inputs === outputs) return undefined;
  return new nn.Sequential(new nn.Conv2d(inputs, outputs, 1, { stride, bias }), new nn.BatchNorm2d(outputs, norm));
}

/** Two 3x3 convolutions with a shortcut. */
export class BasicBlock extends nn.Module {
  static readonly expansion = 1;
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;
  declare readonly downsample?: nn.Sequential;

  constructor(...args: [inputs: number, planes: number, options?: BlockOptions]) {
    super();
    const [inputs, planes, options = {}] = takesBasicBlock(args);
    const { stride = 1, dilation = 1, bias = false, norm = {} } = options;
    if (dilation !== 1) throw new ConfigError('a basic block has no dilation', { operation: 'BasicBlock' });
    this.conv1 = new nn.Conv2d(inputs, planes, 3, { stride, padding: 1, bias });
    this.bn1 = new nn.BatchNorm2d(planes, norm);
    this.conv2 = new nn.Conv2d(planes, planes, 3, { padding: 1, bias });
    this.bn2 = new nn.BatchNorm2d(planes, norm);
    const downsample = downsampleOf(inputs, planes, options);
    if (downsample) this.downsample = downsample;
  }

  forward(x: Tensor): Tensor {
    // What no gradient needs, the results of batch norms and the sum, is let go at once.
    return tidy(() => {
      let y = this.bn1.forward(this.conv1.forward(x), 'relu');
      y = this.bn2.forward(this.conv2.forward(y));
      return relu(add(y, this.downsample?.forward(x) ?? x));
    });
  }
}

/** 1x1, 3x3, 1x1 convolutions with a shortcut; four times `planes` outputs. */
export class Bottleneck extends nn.Module {
  static readonly expansion = 4;
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;
  readonly conv3: nn.Conv2d;
  readonly bn3: nn.BatchNorm2d;
  declare readonly downsample?: nn.Sequential;

  constructor(...args: [inputs: number, planes: number, options?: BlockOptions]) {
    super();
    const [inputs, planes, options = {}] = takesBottleneck(args);
    const { stride = 1, dilation = 1, bias = false, strideIn = 2, norm = {} } = options;
    countWithin('Bottleneck', 'strideIn', strideIn, { from: 1, to: 2 });
    const [first, second] = strideIn === 1 ? [stride, 1] : [1, stride];
    const outputs = planes * Bottleneck.expansion;
    this.conv1 = new nn.Conv2d(inputs, planes, 1, { stride: first, bias });
    this.bn1 = new nn.BatchNorm2d(planes, norm);
    this.conv2 = new nn.Conv2d(planes, planes, 3, { stride: second, padding: dilation, dilation, bias });
    this.bn2 = new nn.BatchNorm2d(planes, norm);
    this.conv3 = new nn.Conv2d(planes, outputs, 1, { bias });
    this.bn3 = new nn.BatchNorm2d(outputs, norm);
    const downsample = downsampleOf(inputs, outputs, options);
    if (downsample) this.downsample = downsample;
  }

  forward(x: Tensor): Tensor {
    return tidy(() => {
      let y = this.bn1.forward(this.conv1.forward(x), 'relu');
      y = this.bn2.forward(this.conv2.forward(y), 'relu');
      y = this.bn3.forward(this.conv3.forward(y));
      return relu(add(y, this.downsample?.forward(x) ?? x));
    });
  }
}

type BlockClass = typeof BasicBlock | typeof Bottleneck;

/** Depths that have a published table of layers. */
export type ResNetDepth = 18 | 34 | 50 | 101 | 152;

interface ResNetVariant {
  block: BlockClass;
  layers: readonly [number, number, number, number];
}

const variants: Readonly<Record<ResNetDepth, ResNetVariant>> = {
  18: { block: BasicBlock, layers: [2, 2, 2, 2] },
  34: { block: BasicBlock, layers: [3, 4, 6, 3] },
  50: { block: Bottleneck, layers: [3, 4, 6, 3] },
  101: { block: Bottleneck, layers: [3, 4, 23, 3] },
  152: { block: Bottleneck, layers: [3, 8, 36, 3] },
};

/** Sizes of a ResNet without its classifier. */
export interface ResNetFeaturesOptions extends ResNetLayerOptions {
  /** Channels of the stem; default 64. */
  stem?: number;
  /** Planes of the first stage, doubled in each of the three behind; default 64. */
  planes?: number;
  /** For stages 2, 3 and 4: dilate instead of striding. */
  replaceStrideWithDilation?: readonly [boolean, boolean, boolean];
}

const featureOptions = { ...layerOptions, replaceStrideWithDilation: list };
const takesFeatures = takes('ResNetFeatures', {
  depth: value,
  options: optionsWith<ResNetFeaturesOptions>({ stem: size, planes: size, ...featureOptions }),
});

/** Blocks of the four stages: those of a published depth, or numbers of bottlenecks. */
function variantOf(depth: ResNetDepth | ResNetVariant['layers']): ResNetVariant {
  if (Array.isArray(depth) && depth.length === 4) {
    const layers = depth as readonly number[] as ResNetVariant['layers'];
    return { block: Bottleneck, layers };
  }
  oneOf('ResNet', 'depth', String(depth), Object.keys(variants));
  return variants[depth as ResNetDepth];
}

/** Everything before the classifier: a stem and four stages of residual blocks. */
export class ResNetFeatures extends nn.Module implements Backbone {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly layer1: nn.Sequential;
  readonly layer2: nn.Sequential;
  readonly layer3: nn.Sequential;
  readonly layer4: nn.Sequential;
  readonly widths: Scales<number>;

  constructor(
    ...args: [depth: ResNetDepth | readonly [number, number, number, number], options?: ResNetFeaturesOptions]
  ) {
    super();
    const [depth, options = {}] = takesFeatures(args);
    const { block, layers } = variantOf(depth);
    const { stem = 64, planes = 64, replaceStrideWithDilation, bias = false, norm = {}, strideIn = 2 } = options;
    const [dilate2, dilate3, dilate4] = replaceStrideWithDilation ?? [false, false, false];
    let [inputs, dilation] = [stem, 1];
    const stage = (planes: number, count: number, stride: number, dilate = false): nn.Sequential => {
      // As torchvision: the first block of a dilated stage keeps the dilation of the stage before.
      const before = dilation;
      if (dilate) {
        dilation *= stride;
        stride = 1;
      }
      const blocks = Array.from({ length: count }, (_, i) => {
        const place = i === 0 ? { stride, dilation: before } : { dilation };
        const made = new block(inputs, planes, { ...place, bias, norm, strideIn });
        inputs = planes * block.expansion;
        return made;
      });
      return new nn.Sequential(...blocks);
    };
    this.conv1 = new nn.Conv2d(3, stem, 7, { stride: 2, padding: 3, bias });
    this.bn1 = new nn.BatchNorm2d(stem, norm);
    this.layer1 = stage(planes, layers[0], 1);
    this.layer2 = stage(2 * planes, layers[1], 2, dilate2);
    this.layer3 = stage(4 * planes, layers[2], 2, dilate3);
    this.layer4 = stage(8 * planes, layers[3], 2, dilate4);
    const [quarter, eighth, sixteenth, mid] = [1, 2, 4, 8].map((factor) => factor * planes * block.expansion) as [
      number,
      number,
      number,
      number,
    ];
    this.widths = { half: stem, quarter, eighth, sixteenth, mid };
  }

  /** conv1_relu, conv2_block3_out, conv3_block4_out, conv4_block6_out and conv5_block3_out of Keras's ResNet50. */
  taps(x: Tensor): Taps {
    const half = this.bn1.forward(this.conv1.forward(x), 'relu');
    const quarter = this.layer1.forward(maxPool2d(half, 3, { stride: 2, padding: 1 }));
    const eighth = this.layer2.forward(quarter);
    const sixteenth = this.layer3.forward(eighth);
    return { half, quarter, eighth, sixteenth, mid: this.layer4.forward(sixteenth) };
  }

  /** (N, 3, H, W) to the outputs of the four stages, at 1/4, 1/8, 1/16 and 1/32 where no stage is dilated. */
  features(x: Tensor): readonly [Tensor, Tensor, Tensor, Tensor] {
    const { quarter, eighth, sixteenth, mid } = this.taps(x);
    return [quarter, eighth, sixteenth, mid];
  }
}

/** Options of ResNet. */
export interface ResNetOptions extends ResNetLayerOptions {
  classes?: number;
  /** For stages 2, 3 and 4: dilate instead of striding. */
  replaceStrideWithDilation?: readonly [boolean, boolean, boolean];
}

const takesResNet = takes('ResNet', {
  depth: number,
  options: optionsWith<ResNetOptions>({ classes: size, ...featureOptions }),
});

/** ResNet (He et al. 2016) with the parameter names of torchvision. */
export class ResNet extends ResNetFeatures {
  readonly fc: nn.Linear;

  constructor(...args: [depth: ResNetDepth, options?: ResNetOptions]) {
    const [depth, { classes = 1000, ...options } = {}] = takesResNet(args);
    super(depth, options);
    this.fc = new nn.Linear(this.widths.mid, classes);
  }

  /** Class scores (N, classes). */
  forward(x: Tensor): Tensor {
    return this.fc.forward(flatten(adaptiveAvgPool2d(this.taps(x).mid, 1), 1));
  }
}
