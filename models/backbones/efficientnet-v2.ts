// EfficientNetV2 (Tan and Le 2021), sizes S and B0, with torchvision's names. Stochastic depth is left out: with it a forward pass in
// training would need a random stream; in inference it is the identity.
import { takes } from '../../engine/call-check.ts';
import { oneOf } from '../../engine/checks.ts';
import { adaptiveAvgPool2d, add, flatten, mul, nn, pad, sigmoid, silu, type Tensor } from '../../engine/index.ts';
import { flag, optionsWith, record, requiredOptions, size, text } from '../../engine/parameters.ts';
import type { Backbone, Scales, Taps } from './backbone.ts';

/** How the layers of an EfficientNetV2 differ between its two families of checkpoints; default torchvision's. */
export interface EfficientNetV2LayerOptions {
  /**
   * What stands around the picture of a convolution of stride 2: 'both' sides the same, as in torchvision, or 'end', as in Keras,
   * where the padding is no larger than the last window needs, and an odd half of it comes last.
   */
  padding?: 'both' | 'end';
  /** Of every batch norm; default eps 1e-3. */
  norm?: nn.BatchNorm2dOptions;
}

const layerOptions = { padding: text, norm: record };

interface ConvOptions extends EfficientNetV2LayerOptions {
  stride?: number;
  groups?: number;
  activation?: boolean;
}

/** Convolution without bias, batch norm, and SiLU unless told otherwise. */
class ConvNorm extends nn.ModuleList<nn.Module & nn.Layer> {
  readonly #activation: boolean;
  /** Kernel and stride where the padding depends on the size of the picture. */
  readonly #padded: readonly [kernel: number, stride: number] | undefined;

  constructor(inputs: number, outputs: number, kernel: number, options: ConvOptions = {}) {
    const { stride = 1, groups = 1, activation = true, padding = 'both', norm = {} } = options;
    oneOf('EfficientNetV2', 'padding', padding, ['both', 'end']);
    const padsEnd = padding === 'end' && stride > 1;
    const convolution = { stride, groups, padding: padsEnd ? 0 : (kernel - 1) / 2, bias: false };
    super([new nn.Conv2d(inputs, outputs, kernel, convolution), new nn.BatchNorm2d(outputs, { eps: 1e-3, ...norm })]);
    this.#activation = activation;
    this.#padded = padsEnd ? [kernel, stride] : undefined;
  }

  forward(x: Tensor): Tensor {
    const y = this.at(1).forward(this.at(0).forward(this.#padded ? padEnd(x, ...this.#padded) : x));
    return this.#activation ? silu(y) : y;
  }
}

/** Zeros around the picture such that windows with this stride begin at every stride-th place of it: ceil(side / stride) of them. */
function padEnd(x: Tensor, kernel: number, stride: number): Tensor {
  const around = (side: number): [before: number, after: number] => {
    const total = Math.max(0, (Math.ceil(side / stride) - 1) * stride + kernel - side);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  };
  return pad(x, [...around(x.shape[3]!), ...around(x.shape[2]!)]);
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
export interface MBConvConfig extends EfficientNetV2LayerOptions {
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
      ...layerOptions,
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
    const [{ fused, expand, kernel, stride, inputs, outputs, ...options }] = takesMBConv(args);
    const width = inputs * expand;
    const linear = { ...options, activation: false };
    const spatial = { ...options, stride };
    this.#residual = stride === 1 && inputs === outputs;
    if (fused) {
      this.block =
        expand === 1
          ? new nn.Sequential(new ConvNorm(inputs, outputs, kernel, spatial))
          : new nn.Sequential(new ConvNorm(inputs, width, kernel, spatial), new ConvNorm(width, outputs, 1, linear));
    } else {
      this.block = new nn.Sequential(
        ...(expand === 1 ? [] : [new ConvNorm(inputs, width, 1, options)]),
        new ConvNorm(width, width, kernel, { ...spatial, groups: width }),
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

/** One row of the article's table of stages. */
export type EfficientNetV2Stage = readonly [
  fused: boolean,
  expand: number,
  kernel: number,
  stride: number,
  inputs: number,
  outputs: number,
  blocks: number,
];

type FiveStagesOrMore = readonly [
  EfficientNetV2Stage,
  EfficientNetV2Stage,
  EfficientNetV2Stage,
  EfficientNetV2Stage,
  EfficientNetV2Stage,
  ...EfficientNetV2Stage[],
];

/** Widths and stages of an EfficientNetV2; the stem and stages 2, 3, 4 and 6 halve the picture. */
export interface EfficientNetV2Config {
  /** Channels of the stem. */
  readonly stem: number;
  readonly stages: FiveStagesOrMore;
  /** Channels of the last 1x1 convolution. */
  readonly top: number;
}

/** The published sizes. */
export const efficientNetV2 = {
  s: {
    stem: 24,
    stages: [
      [true, 1, 3, 1, 24, 24, 2],
      [true, 4, 3, 2, 24, 48, 4],
      [true, 4, 3, 2, 48, 64, 4],
      [false, 4, 3, 2, 64, 128, 6],
      [false, 6, 3, 1, 128, 160, 9],
      [false, 6, 3, 2, 160, 256, 15],
    ],
    top: 1280,
  },
  b0: {
    stem: 32,
    stages: [
      [true, 1, 3, 1, 32, 16, 1],
      [true, 4, 3, 2, 16, 32, 2],
      [true, 4, 3, 2, 32, 48, 2],
      [false, 4, 3, 2, 48, 96, 3],
      [false, 6, 3, 1, 96, 112, 5],
      [false, 6, 3, 2, 112, 192, 8],
    ],
    top: 1280,
  },
} as const satisfies Record<string, EfficientNetV2Config>;

const takesFeatures = takes('EfficientNetV2Features', {
  config: record,
  options: optionsWith<EfficientNetV2LayerOptions>(layerOptions),
});

/** Everything before the classifier: a stem, stages of blocks, and a 1x1 convolution. Names 0, 1, ... as torchvision's. */
export class EfficientNetV2Features extends nn.Sequential implements Backbone {
  readonly widths: Scales<number>;

  constructor(...args: [config: EfficientNetV2Config, options?: EfficientNetV2LayerOptions]) {
    const [{ stem, stages, top }, options = {}] = takesFeatures(args);
    const body = stages.map(([fused, expand, kernel, stride, inputs, outputs, blocks]) => {
      const block = (_: unknown, i: number) =>
        new MBConv({
          ...options,
          fused,
          expand,
          kernel,
          stride: i ? 1 : stride,
          inputs: i ? outputs : inputs,
          outputs,
        });
      return new nn.Sequential(...Array.from({ length: blocks }, block));
    });
    const last = stages.at(-1)![5];
    super(new ConvNorm(3, stem, 3, { ...options, stride: 2 }), ...body, new ConvNorm(last, top, 1, options));
    const [half, quarter, eighth, , sixteenth] = stages.map((stage) => stage[5]) as [
      number,
      number,
      number,
      number,
      number,
    ];
    this.widths = { half, quarter, eighth, sixteenth, mid: top };
  }

  /** Ends of stages 1, 2, 3 and 5 (block1a, 2b, 3b and 5e of EfficientNetV2B0), and of the last convolution. */
  taps(x: Tensor): Taps {
    const maps: Tensor[] = [];
    for (const layer of this) maps.push((x = layer.forward(x)));
    const [, half, quarter, eighth, , sixteenth] = maps as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
    return { half, quarter, eighth, sixteenth, mid: x };
  }
}

/** Options of EfficientNetV2S. */
export interface EfficientNetV2SOptions {
  classes?: number;
}

const takesEfficientNetV2S = takes('EfficientNetV2S', {
  options: optionsWith<EfficientNetV2SOptions>({ classes: size }),
});

/** EfficientNetV2-S (Tan and Le 2021). */
export class EfficientNetV2S extends nn.Module {
  readonly features: EfficientNetV2Features;
  readonly classifier: nn.Module;
  readonly #head: nn.Linear;

  constructor(...args: [options?: EfficientNetV2SOptions]) {
    super();
    const [{ classes = 1000 } = {}] = takesEfficientNetV2S(args);
    this.features = new EfficientNetV2Features(efficientNetV2.s);
    this.#head = new nn.Linear(efficientNetV2.s.top, classes);
    // torchvision has a dropout at 0.
    this.classifier = new nn.ModuleList([new nn.ReLU(), this.#head]);
  }

  /** Class scores (N, classes). */
  forward(x: Tensor): Tensor {
    return this.#head.forward(flatten(adaptiveAvgPool2d(this.features.forward(x), 1), 1));
  }
}
