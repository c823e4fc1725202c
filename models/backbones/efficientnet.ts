// EfficientNetV2-S (Tan and Le 2021) with torchvision's names. Stochastic depth is left out: with it a forward pass in
// training would need a random stream; in inference it is the identity.
import { takes } from '../../engine/call-check.ts';
import { adaptiveAvgPool2d, add, flatten, mul, nn, sigmoid, silu, type Tensor } from '../../engine/index.ts';
import { flag, optionsWith, requiredOptions, size } from '../../engine/parameters.ts';

const EPS = 1e-3;

interface ConvOptions {
  stride?: number;
  groups?: number;
  activation?: boolean;
}

/** Convolution without bias, batch norm, and SiLU unless told otherwise. */
class ConvNorm extends nn.ModuleList<nn.Module & nn.Layer> {
  readonly #activation: boolean;

  constructor(
    inputs: number,
    outputs: number,
    kernel: number,
    { stride = 1, groups = 1, activation = true }: ConvOptions = {},
  ) {
    const convolution = { stride, groups, padding: (kernel - 1) / 2, bias: false };
    super([new nn.Conv2d(inputs, outputs, kernel, convolution), new nn.BatchNorm2d(outputs, { eps: EPS })]);
    this.#activation = activation;
  }

  forward(x: Tensor): Tensor {
    const y = this.at(1).forward(this.at(0).forward(x));
    return this.#activation ? silu(y) : y;
  }
}

/** Scales each channel by what a bottleneck of two 1x1 convolutions makes of the channel means. */
class SqueezeExcitation extends nn.Module {
  readonly fc1: nn.Conv2d;
  readonly fc2: nn.Conv2d;

  constructor(channels: number, squeezed: number) {
    super();
    this.fc1 = new nn.Conv2d(channels, squeezed, 1);
    this.fc2 = new nn.Conv2d(squeezed, channels, 1);
  }

  forward(x: Tensor): Tensor {
    return mul(x, sigmoid(this.fc2.forward(silu(this.fc1.forward(adaptiveAvgPool2d(x, 1))))));
  }
}

/** Sizes of one block. */
export interface MBConvConfig {
  /** Fused: one k x k convolution in place of the 1x1 expansion and the depthwise one, and no squeeze-excitation. */
  fused: boolean;
  expand: number;
  kernel: number;
  stride: number;
  inputs: number;
  outputs: number;
}

const takesMBConv = takes('MBConv', {
  config: requiredOptions<MBConvConfig>(
    {
      fused: flag,
      expand: size,
      kernel: size,
      stride: size,
      inputs: size,
      outputs: size,
    },
    'fused',
    'expand',
    'kernel',
    'stride',
    'inputs',
    'outputs',
  ),
});

/** Mobile inverted bottleneck, or its fused form, with the parameter names of timm. */
export class MBConv extends nn.Module {
  readonly block: nn.Sequential;
  readonly #residual: boolean;

  constructor(...args: [config: MBConvConfig]) {
    super();
    const [{ fused, expand, kernel, stride, inputs, outputs }] = takesMBConv(args);
    const width = inputs * expand;
    const linear = { activation: false };
    this.#residual = stride === 1 && inputs === outputs;
    if (fused) {
      this.block =
        expand === 1
          ? new nn.Sequential(new ConvNorm(inputs, outputs, kernel, { stride }))
          : new nn.Sequential(new ConvNorm(inputs, width, kernel, { stride }), new ConvNorm(width, outputs, 1, linear));
    } else {
      this.block = new nn.Sequential(
        ...(expand === 1 ? [] : [new ConvNorm(inputs, width, 1)]),
        new ConvNorm(width, width, kernel, { stride, groups: width }),
        new SqueezeExcitation(width, Math.max(1, Math.floor(inputs / 4))),
        new ConvNorm(width, outputs, 1, linear),
      );
    }
  }

  forward(x: Tensor): Tensor {
    const y = this.block.forward(x);
    return this.#residual ? add(y, x) : y;
  }
}

/** fused, expansion, kernel, stride, inputs, outputs, blocks of each stage. */
const stages = [
  [true, 1, 3, 1, 24, 24, 2],
  [true, 4, 3, 2, 24, 48, 4],
  [true, 4, 3, 2, 48, 64, 4],
  [false, 4, 3, 2, 64, 128, 6],
  [false, 6, 3, 1, 128, 160, 9],
  [false, 6, 3, 2, 160, 256, 15],
] as const;

/** Options of EfficientNetV2S. */
export interface EfficientNetV2SOptions {
  classes?: number;
}

const takesEfficientNetV2S = takes('EfficientNetV2S', {
  options: optionsWith<EfficientNetV2SOptions>({ classes: size }),
});

/** EfficientNetV2-S (Tan and Le 2021). */
export class EfficientNetV2S extends nn.Module {
  readonly features: nn.Sequential;
  readonly classifier: nn.Module;
  readonly #head: nn.Linear;

  constructor(...args: [options?: EfficientNetV2SOptions]) {
    super();
    const [{ classes = 1000 } = {}] = takesEfficientNetV2S(args);
    const body = stages.map(([fused, expand, kernel, stride, inputs, outputs, blocks]) => {
      const block = (_: unknown, i: number) =>
        new MBConv({ fused, expand, kernel, stride: i ? 1 : stride, inputs: i ? outputs : inputs, outputs });
      return new nn.Sequential(...Array.from({ length: blocks }, block));
    });
    this.features = new nn.Sequential(new ConvNorm(3, 24, 3, { stride: 2 }), ...body, new ConvNorm(256, 1280, 1));
    this.#head = new nn.Linear(1280, classes);
    // torchvision has a dropout at 0.
    this.classifier = new nn.ModuleList([new nn.ReLU(), this.#head]);
  }

  /** Class scores (N, classes). */
  forward(x: Tensor): Tensor {
    return this.#head.forward(flatten(adaptiveAvgPool2d(this.features.forward(x), 1), 1));
  }
}
