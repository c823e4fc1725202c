// DenseDepth with a class head (Nayak, Du and Portmann 2024, after Alhashim and Wonka 2018): a U-Net decoder on a pretrained
// backbone gives depth in metres, and a linear layer on the same bottleneck gives the class. The backbone always normalises by
// its running statistics; which of its parameters are trained is a matter of freezeBackbone and fineTuneFrom. As in the authors'
// notebooks one batch norm per block is live, and the last block has 32 filters whatever n is.
import { takes } from '../engine/call-check.ts';
import {
  concat,
  ConfigError,
  dropout,
  interpolate,
  leakyRelu,
  mean,
  nn,
  type Parameter,
  type Random,
  type Tensor,
  tidy,
} from '../engine/index.ts';
import { flag, number, optional, optionsWith, record, size, withMethod } from '../engine/parameters.ts';
import type { Backbone, Taps } from './backbones/backbone.ts';
import { initialised } from './blocks.ts';

/** Heads and widths of DenseDepth. */
export interface DenseDepthOptions {
  classes?: number;
  /** n, the filters of the fourth block; default `denseDepthFilters` of the backbone's last width. */
  filters?: number;
  /** Filters of the fifth block; 32 in the paper. */
  lastFilters?: number;
  /** Of the values that the class head sees; 0.2 in the paper. */
  dropout?: number;
  /** Of the decoder; default Keras's momentum 0.99 (0.01 here), eps 1e-3 and biased running variance. */
  norm?: nn.BatchNorm2dOptions;
}

const takesDenseDepth = takes('DenseDepth', {
  backbone: withMethod('taps', 'a backbone'),
  options: optionsWith<DenseDepthOptions>({
    classes: size,
    filters: size,
    lastFilters: size,
    dropout: number,
    norm: record,
  }),
});
const takesTrain = takes('train', { on: optional(flag) });

/** Depth in metres (N, 1, H, W), unbounded, and class scores (N, classes). */
export interface DenseDepthOutput {
  depth: Tensor;
  logits: Tensor;
}

/** n by the notebooks' rule: channels of the bottleneck / 2 / 16; 52 for DenseNet-169. */
export const denseDepthFilters = (channels: number): number => Math.floor(channels / 32);

const LEAK = 0.2;
const decoderNorm = { momentum: 0.01, eps: 1e-3, correction: 0 } as const;

/** Declines gradients, and lets go of one that is there, by which an optimiser would still move. */
function freeze(parameter: Parameter): void {
  parameter.requireGrad(false);
  parameter.zeroGrad();
}

/** Twice the sides, the skip joined behind, then conv 3x3, batch norm, leaky relu, conv 3x3, leaky relu. */
class UpBlock extends nn.Module {
  readonly convA: nn.Conv2d;
  readonly norm: nn.BatchNorm2d;
  readonly convB: nn.Conv2d;

  constructor(inputs: number, outputs: number, norm: nn.BatchNorm2dOptions, initA = nn.heNormal) {
    super();
    this.convA = initialised(new nn.Conv2d(inputs, outputs, 3, { padding: 1 }), initA);
    this.norm = new nn.BatchNorm2d(outputs, norm);
    this.convB = initialised(new nn.Conv2d(outputs, outputs, 3, { padding: 1 }), nn.heNormal);
  }

  forward(x: Tensor, skip?: Tensor): Tensor {
    return tidy(() => {
      const up = interpolate(x, { mode: 'bilinear', scaleFactor: 2, alignCorners: false });
      const joined = skip ? concat([up, skip], 1) : up;
      const y = leakyRelu(this.norm.forward(this.convA.forward(joined)), LEAK);
      return leakyRelu(this.convB.forward(y), LEAK);
    });
  }
}

/** A backbone, frozen at first, the decoder of depth and the head of classes. */
export class DenseDepth extends nn.Module {
  readonly backbone: Backbone;
  readonly bottleneck: nn.Conv2d;
  readonly ublock1: UpBlock;
  readonly ublock2: UpBlock;
  readonly ublock3: UpBlock;
  readonly ublock4: UpBlock;
  readonly ublock5: UpBlock;
  readonly depth: nn.Conv2d;
  readonly classifier: nn.Linear;
  readonly #dropout: number;

  /** Takes over the backbone, which is then released with this network. */
  constructor(...args: [backbone: Backbone, options?: DenseDepthOptions]) {
    super();
    const [backbone, options = {}] = takesDenseDepth(args);
    const { mid, sixteenth, eighth, quarter, half } = backbone.widths;
    const { classes = 3, filters: n = denseDepthFilters(mid), lastFilters = 32, norm = {} } = options;
    const decoder = { ...decoderNorm, ...norm };
    this.#dropout = options.dropout ?? 0.2;
    this.backbone = backbone;
    this.bottleneck = initialised(new nn.Conv2d(mid, 16 * n, 1), nn.glorotUniform);
    this.ublock1 = new UpBlock(16 * n + sixteenth, 8 * n, decoder);
    this.ublock2 = new UpBlock(8 * n + eighth, 4 * n, decoder);
    this.ublock3 = new UpBlock(4 * n + quarter, 2 * n, decoder);
    this.ublock4 = new UpBlock(2 * n + half, n, decoder);
    this.ublock5 = new UpBlock(n, lastFilters, decoder, nn.glorotUniform);
    this.depth = initialised(new nn.Conv2d(lastFilters, 1, 3, { padding: 1 }), nn.glorotUniform);
    this.classifier = initialised(new nn.Linear(mid, classes), nn.glorotUniform);
    this.freezeBackbone();
    this.train();
  }

  /** Trains the decoder and the heads only. */
  freezeBackbone(): void {
    for (const parameter of this.backbone.parameters()) freeze(parameter);
  }

  /**
   * Trains the parameters of the backbone from the one of this name on, in the order of its state, as well as the decoder and
   * the heads. Throws ConfigError where the backbone has no such parameter.
   */
  fineTuneFrom(name: string): void {
    const parameters = [...this.backbone.namedParameters()];
    const first = parameters.findIndex(([each]) => each === name);
    if (first < 0) {
      throw new ConfigError('the backbone has no such parameter', {
        operation: 'fineTuneFrom',
        argument: 'name',
        expected: `one of ${parameters.length} names, such as ${parameters[0]?.[0]}`,
        given: name,
      });
    }
    parameters.forEach(([, parameter], i) => (i < first ? freeze(parameter) : parameter.requireGrad()));
  }

  /** Training mode for the decoder and the heads: the backbone keeps its running statistics, whatever of it is trained. */
  override train(...args: [on?: boolean]): this {
    const [on = true] = takesTrain(args);
    super.train(on);
    this.backbone.eval();
    return this;
  }

  /** Feature maps of pictures (N, 3, H, W) in the scaling that the backbone is fed, H and W multiples of 32. */
  encode(x: Tensor): Taps {
    const [height, width] = [x.shape[2]!, x.shape[3]!];
    if (height % 32 || width % 32) {
      const given = `${height} x ${width}`;
      throw new ConfigError('the sides must be multiples of 32', { operation: 'DenseDepth', given });
    }
    return this.backbone.taps(x);
  }

  /** Depth (N, 1, H, W) from the feature maps. */
  decode({ half, quarter, eighth, sixteenth, mid }: Taps): Tensor {
    const d0 = this.bottleneck.forward(mid); // (N, 16 n, H / 32, W / 32)
    const d1 = this.ublock1.forward(d0, sixteenth); // (N, 8 n, H / 16, W / 16)
    const d2 = this.ublock2.forward(d1, eighth); // (N, 4 n, H / 8, W / 8)
    const d3 = this.ublock3.forward(d2, quarter); // (N, 2 n, H / 4, W / 4)
    const d4 = this.ublock4.forward(d3, half); // (N, n, H / 2, W / 2)
    return this.depth.forward(this.ublock5.forward(d4)); // (N, lastFilters, H, W), (N, 1, H, W)
  }

  /** Class scores (N, classes) from the bottleneck; while training, `stream` draws what is dropped. */
  classify({ mid }: Pick<Taps, 'mid'>, stream?: Random): Tensor {
    const pooled = mean(mid, [2, 3]); // (N, channels of mid)
    const kept = dropout(pooled, { p: this.#dropout, training: this.training, ...(stream ? { stream } : {}) });
    return this.classifier.forward(kept);
  }

  /** Both heads on feature maps, which may have been computed before: a frozen backbone gives the same ones each time. */
  heads(taps: Taps, stream?: Random): DenseDepthOutput {
    return { depth: this.decode(taps), logits: this.classify(taps, stream) };
  }

  /** Pictures (see `encode`) to depth and class scores. While training, `stream` draws what dropout drops. */
  forward(x: Tensor, stream?: Random): DenseDepthOutput {
    return this.heads(this.encode(x), stream);
  }
}
