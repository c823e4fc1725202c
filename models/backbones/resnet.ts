// ResNet (He et al. 2016) with torchvision's names, so that its checkpoints load unchanged. The stride of a bottleneck is in
// its 3x3 convolution; stages may trade their stride for dilation.
import { takes } from '../../engine/call-check.ts';
import { oneOf } from '../../engine/checks.ts';
import { adaptiveAvgPool2d, add, ConfigError, flatten, maxPool2d, nn, relu, type Tensor } from '../../engine/index.ts';
import { list, number, optionsWith, size } from '../../engine/parameters.ts';

const conv3x3 = (inputs: number, outputs: number, stride = 1, dilation = 1) =>
  new nn.Conv2d(inputs, outputs, 3, { stride, padding: dilation, dilation, bias: false });
const conv1x1 = (inputs: number, outputs: number, stride = 1) =>
  new nn.Conv2d(inputs, outputs, 1, { stride, bias: false });

/** Stride and dilation of a residual block. */
export interface BlockOptions {
  stride?: number;
  dilation?: number;
}

/** Projects the shortcut where the shape changes. */
function downsampleOf(inputs: number, outputs: number, stride: number): nn.Sequential | undefined {
  if (stride === 1 && inputs === outputs) return undefined;
  return new nn.Sequential(conv1x1(inputs, outputs, stride), new nn.BatchNorm2d(outputs));
}

const block = {
  inputs: size,
  planes: size,
  options: optionsWith<BlockOptions>({ stride: size, dilation: size }),
};
const takesBasicBlock = takes('BasicBlock', block);
const takesBottleneck = takes('Bottleneck', block);

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
    const [inputs, planes, { stride = 1, dilation = 1 } = {}] = takesBasicBlock(args);
    if (dilation !== 1) throw new ConfigError('a basic block has no dilation', { operation: 'BasicBlock' });
    this.conv1 = conv3x3(inputs, planes, stride);
    this.bn1 = new nn.BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes);
    this.bn2 = new nn.BatchNorm2d(planes);
    const downsample = downsampleOf(inputs, planes, stride);
    if (downsample) this.downsample = downsample;
  }

  forward(x: Tensor): Tensor {
    let y = relu(this.bn1.forward(this.conv1.forward(x)));
    y = this.bn2.forward(this.conv2.forward(y));
    return relu(add(y, this.downsample?.forward(x) ?? x));
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
    const [inputs, planes, { stride = 1, dilation = 1 } = {}] = takesBottleneck(args);
    const outputs = planes * Bottleneck.expansion;
    this.conv1 = conv1x1(inputs, planes);
    this.bn1 = new nn.BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes, stride, dilation);
    this.bn2 = new nn.BatchNorm2d(planes);
    this.conv3 = conv1x1(planes, outputs);
    this.bn3 = new nn.BatchNorm2d(outputs);
    const downsample = downsampleOf(inputs, outputs, stride);
    if (downsample) this.downsample = downsample;
  }

  forward(x: Tensor): Tensor {
    let y = relu(this.bn1.forward(this.conv1.forward(x)));
    y = relu(this.bn2.forward(this.conv2.forward(y)));
    y = this.bn3.forward(this.conv3.forward(y));
    return relu(add(y, this.downsample?.forward(x) ?? x));
  }
}

type BlockClass = typeof BasicBlock | typeof Bottleneck;

/** Depths that have a published table of layers. */
export type ResNetDepth = 18 | 34 | 50 | 101 | 152;

const variants: Readonly<
  Record<ResNetDepth, { block: BlockClass; layers: readonly [number, number, number, number] }>
> = {
  18: { block: BasicBlock, layers: [2, 2, 2, 2] },
  34: { block: BasicBlock, layers: [3, 4, 6, 3] },
  50: { block: Bottleneck, layers: [3, 4, 6, 3] },
  101: { block: Bottleneck, layers: [3, 4, 23, 3] },
  152: { block: Bottleneck, layers: [3, 8, 36, 3] },
};

/** Options of ResNet. */
export interface ResNetOptions {
  classes?: number;
  /** For stages 2, 3 and 4: dilate instead of striding. */
  replaceStrideWithDilation?: readonly [boolean, boolean, boolean];
}

const takesResNet = takes('ResNet', {
  depth: number,
  options: optionsWith<ResNetOptions>({ classes: size, replaceStrideWithDilation: list }),
});

/** ResNet (He et al. 2016) with the parameter names of torchvision. */
export class ResNet extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly layer1: nn.Sequential;
  readonly layer2: nn.Sequential;
  readonly layer3: nn.Sequential;
  readonly layer4: nn.Sequential;
  readonly fc: nn.Linear;

  constructor(...args: [depth: ResNetDepth, options?: ResNetOptions]) {
    super();
    const [depth, options = {}] = takesResNet(args);
    oneOf('ResNet', 'depth', String(depth), Object.keys(variants));
    const { block, layers } = variants[depth];
    const [dilate2, dilate3, dilate4] = options.replaceStrideWithDilation ?? [false, false, false];
    let [inputs, dilation] = [64, 1];
    const stage = (planes: number, count: number, stride: number, dilate = false): nn.Sequential => {
      // As torchvision: the first block of a dilated stage keeps the dilation of the stage before.
      const before = dilation;
      if (dilate) {
        dilation *= stride;
        stride = 1;
      }
      const blocks = Array.from({ length: count }, (_, i) => {
        const made = new block(inputs, planes, i === 0 ? { stride, dilation: before } : { dilation });
        inputs = planes * block.expansion;
        return made;
      });
      return new nn.Sequential(...blocks);
    };
    this.conv1 = new nn.Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false });
    this.bn1 = new nn.BatchNorm2d(64);
    this.layer1 = stage(64, layers[0], 1);
    this.layer2 = stage(128, layers[1], 2, dilate2);
    this.layer3 = stage(256, layers[2], 2, dilate3);
    this.layer4 = stage(512, layers[3], 2, dilate4);
    this.fc = new nn.Linear(512 * block.expansion, options.classes ?? 1000);
  }

  /** (N, 3, H, W) to the outputs of the four stages, at 1/4, 1/8, 1/16 and 1/32 where no stage is dilated. */
  features(x: Tensor): readonly [Tensor, Tensor, Tensor, Tensor] {
    const stem = maxPool2d(relu(this.bn1.forward(this.conv1.forward(x))), 3, { stride: 2, padding: 1 });
    const c1 = this.layer1.forward(stem);
    const c2 = this.layer2.forward(c1);
    const c3 = this.layer3.forward(c2);
    return [c1, c2, c3, this.layer4.forward(c3)];
  }

  /** Class scores (N, classes). */
  forward(x: Tensor): Tensor {
    return this.fc.forward(flatten(adaptiveAvgPool2d(this.features(x)[3], 1), 1));
  }
}
