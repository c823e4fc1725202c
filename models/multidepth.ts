// MultiDepth (Liebel and Koerner 2019): PSPNet with a dilated ResNet-101 encoder and one pyramid pooling head per task,
// regression of normalised log depth and classification of depth intervals. Names are those of the released network, whose
// stem, dilation of first blocks and pooling cells differ from torchvision's. Leaves out PSPNet's auxiliary loss.
import { takes } from '../engine/call-check.ts';
import {
  add,
  concat,
  ConfigError,
  dropout2d,
  gradEnabled,
  interpolate,
  maxPool2d,
  nn,
  pyramidPool2d,
  type Random,
  relu,
  type StateEntry,
  type Tensor,
  tidy,
} from '../engine/index.ts';
import { flag, number, optionsWith, size, text, wholeNumbers } from '../engine/parameters.ts';

/** Widths and heads of MultiDepth. */
export interface MultiDepthOptions {
  /** Channels of the first convolution; every other width is a multiple of it. 64 in the paper. */
  baseWidth?: number;
  /** Bottlenecks of the four stages. */
  blocks?: readonly [number, number, number, number];
  /** Depth intervals of the classification head; without it there is no such head. */
  classes?: number | undefined;
  /** Whether there is a regression head. */
  regression?: boolean;
  /** Initial batch norm scales: uniform on (0, 1) as in the release's PyTorch 0.4, or 1. */
  scales?: 'uniform' | 'one';
  /** Probability with which a head drops a feature map while training. */
  dropout?: number;
}

const takesMultiDepth = takes('MultiDepth', {
  options: optionsWith<MultiDepthOptions>({
    baseWidth: size,
    blocks: wholeNumbers,
    classes: size,
    regression: flag,
    scales: text,
    dropout: number,
  }),
});

/** What the heads give at the size of the input; of a head that is not there, nothing. */
export interface MultiDepthOutput {
  /** Normalised log depth (N, 1, H, W), unbounded. */
  regression?: Tensor;
  /** Scores of the depth intervals (N, classes, H, W). */
  logits?: Tensor;
}

/** Pyramid bins in the order in which their maps are joined. */
const BINS = [6, 3, 2, 1] as const;
/** Pixels of the picture per pixel of the features, along each axis. */
const OUTPUT_STRIDE = 8;
const DROPOUT = 0.1;

interface ConvOptions {
  kernel?: number;
  stride?: number;
  dilation?: number;
  scales?: 'uniform' | 'one' | undefined;
}

function convNorm(inputs: number, outputs: number, options: ConvOptions): [nn.Conv2d, nn.BatchNorm2d] {
  const { kernel = 1, stride = 1, dilation = 1, scales = 'one' } = options;
  const padding = (dilation * (kernel - 1)) / 2;
  const norm = new nn.BatchNorm2d(outputs);
  if (scales === 'uniform') {
    const drawn = nn.uniformInit([outputs], 0.5).map((u) => u + 0.5);
    norm.weight.device.write(norm.weight.storage, drawn);
  }
  return [new nn.Conv2d(inputs, outputs, kernel, { stride, padding, dilation, bias: false }), norm];
}

/** Convolution without bias, batch norm, relu. */
class ConvNormRelu extends nn.Module {
  readonly cbr_unit: nn.Sequential;

  constructor(inputs: number, outputs: number, options: ConvOptions = {}) {
    super();
    this.cbr_unit = new nn.Sequential(...convNorm(inputs, outputs, options), new nn.ReLU());
  }

  forward(x: Tensor): Tensor {
    return this.cbr_unit.forward(x);
  }
}

/** Convolution without bias, batch norm. */
class ConvNorm extends nn.Module {
  readonly cb_unit: nn.Sequential;

  constructor(inputs: number, outputs: number, options: ConvOptions = {}) {
    super();
    this.cb_unit = new nn.Sequential(...convNorm(inputs, outputs, options));
  }

  forward(x: Tensor): Tensor {
    return this.cb_unit.forward(x);
  }
}

/** 1x1, 3x3 and 1x1 convolutions with a shortcut, which `project` sends through a convolution; the stride is in the 3x3. */
class Bottleneck extends nn.Module {
  readonly cbr1: ConvNormRelu;
  readonly cbr2: ConvNormRelu;
  readonly cb3: ConvNorm;
  declare readonly cb4?: ConvNorm;

  constructor(inputs: number, middle: number, { stride = 1, dilation = 1, scales }: ConvOptions, project: boolean) {
    super();
    this.cbr1 = new ConvNormRelu(inputs, middle, { scales });
    this.cbr2 = new ConvNormRelu(middle, middle, { kernel: 3, stride, dilation, scales });
    this.cb3 = new ConvNorm(middle, 4 * middle, { scales });
    if (project) this.cb4 = new ConvNorm(inputs, 4 * middle, { stride, scales });
  }

  forward(x: Tensor): Tensor {
    const y = this.cb3.forward(this.cbr2.forward(this.cbr1.forward(x)));
    return relu(add(y, this.cb4?.forward(x) ?? x));
  }
}

/**
 * Frees what `body` made on its way as soon as it is done, where no gradient will need it: a whole KITTI image would
 * otherwise hold every activation of the network at once.
 */
const released = (body: () => Tensor): Tensor => (gradEnabled() ? body() : tidy(body));

/** A stage of the encoder: one projecting bottleneck, then identities. */
class Stage extends nn.Module {
  readonly layers: nn.Sequential;

  constructor(inputs: number, middle: number, count: number, options: ConvOptions) {
    super();
    const first = new Bottleneck(inputs, middle, options, true);
    const others = Array.from(
      { length: count - 1 },
      () => new Bottleneck(4 * middle, middle, { ...options, stride: 1 }, false),
    );
    this.layers = new nn.Sequential(first, ...others);
  }

  forward(input: Tensor): Tensor {
    let x = input;
    for (const block of this.layers) {
      const before = x;
      x = released(() => block.forward(before));
      if (!gradEnabled() && before !== input) before.dispose();
    }
    return x;
  }
}

/** The four branches of a head's pyramid. Takes the pooled maps: those of the two heads are the same. */
class Pyramid extends nn.Module {
  readonly path_module_list: nn.ModuleList<ConvNormRelu>;

  constructor(inputs: number, outputs: number, scales: ConvOptions['scales']) {
    super();
    this.path_module_list = new nn.ModuleList(BINS.map(() => new ConvNormRelu(inputs, outputs, { scales })));
  }

  forward(x: Tensor, pooled: readonly Tensor[]): Tensor {
    const size = [x.shape[2]!, x.shape[3]!] as const;
    const levels = pooled.map((cells, i) =>
      interpolate(this.path_module_list.at(i).forward(cells), { mode: 'bilinear', size, alignCorners: true }),
    );
    return concat([x, ...levels], 1);
  }
}

/** A head's three modules, which the network holds under the names of the release. */
interface Head {
  readonly pyramid_pooling: Pyramid;
  readonly cbr_final: ConvNormRelu;
  readonly classification: nn.Conv2d;
}

/** PSPNet with a head for the regression of depth and one for its classification. */
export class MultiDepth extends nn.Module {
  readonly convbnrelu1_1: ConvNormRelu;
  readonly convbnrelu1_2: ConvNormRelu;
  readonly convbnrelu1_3: ConvNormRelu;
  readonly res_block2: Stage;
  readonly res_block3: Stage;
  readonly res_block4: Stage;
  readonly res_block5: Stage;
  readonly #heads: { regression?: Head; logits?: Head } = {};
  readonly #dropout: number;

  constructor(...args: [options?: MultiDepthOptions]) {
    super();
    const [options = {}] = takesMultiDepth(args);
    const { baseWidth: c = 64, blocks = [3, 4, 23, 3], classes, regression = true, scales = 'uniform' } = options;
    if (classes === undefined && !regression) {
      throw new ConfigError('the network needs a head', { operation: 'MultiDepth', expected: 'classes or regression' });
    }
    this.#dropout = options.dropout ?? DROPOUT;
    this.convbnrelu1_1 = new ConvNormRelu(3, c, { kernel: 3, stride: 2, scales });
    this.convbnrelu1_2 = new ConvNormRelu(c, c, { kernel: 3, scales });
    this.convbnrelu1_3 = new ConvNormRelu(c, 2 * c, { kernel: 3, scales });
    this.res_block2 = new Stage(2 * c, c, blocks[0], { scales });
    this.res_block3 = new Stage(4 * c, 2 * c, blocks[1], { stride: 2, scales });
    this.res_block4 = new Stage(8 * c, 4 * c, blocks[2], { dilation: 2, scales });
    this.res_block5 = new Stage(16 * c, 8 * c, blocks[3], { dilation: 4, scales });
    const head = (prefix: string, outputs: number): Head => {
      const made = {
        pyramid_pooling: new Pyramid(32 * c, 8 * c, scales),
        cbr_final: new ConvNormRelu(64 * c, 8 * c, { kernel: 3, scales }),
        classification: new nn.Conv2d(8 * c, outputs, 1),
      };
      Object.assign(this, Object.fromEntries(Object.entries(made).map(([name, part]) => [prefix + name, part])));
      return made;
    };
    if (regression) this.#heads.regression = head('head_d_reg_', 1);
    if (classes !== undefined) this.#heads.logits = head('head_d_cls_', classes);
  }

  /** Pictures (N, 3, H, W), sides multiples of 8 and at least 48, to features (N, 32 c, H / 8, W / 8). */
  encode(x: Tensor): Tensor {
    const [height, width] = [x.shape[2]!, x.shape[3]!];
    if (height % OUTPUT_STRIDE || width % OUTPUT_STRIDE || Math.min(height, width) < OUTPUT_STRIDE * BINS[0]) {
      throw new ConfigError('the sides must be multiples of 8, and at least 48 for the pyramid', {
        operation: 'MultiDepth',
        given: `${height} x ${width}`,
      });
    }
    const stem = released(() => {
      const half = this.convbnrelu1_2.forward(this.convbnrelu1_1.forward(x)); // (N, c, H / 2, W / 2)
      return maxPool2d(this.convbnrelu1_3.forward(half), 3, { stride: 2, padding: 1 }); // (N, 2 c, H / 4, W / 4)
    });
    const c2 = this.res_block2.forward(stem); // (N, 4 c, H / 4, W / 4)
    const c3 = this.res_block3.forward(c2); // (N, 8 c, H / 8, W / 8)
    const c4 = this.res_block4.forward(c3); // (N, 16 c, H / 8, W / 8)
    return this.res_block5.forward(c4); // (N, 32 c, H / 8, W / 8)
  }

  /** What the heads make of a picture (see `encode`). While training, `stream` draws the feature maps that are dropped. */
  forward(x: Tensor, stream?: Random): MultiDepthOutput {
    const features = this.encode(x);
    const pooled = pyramidPool2d(features, BINS, { rule: 'fixedKernel' }); // (N, 32 c, b, b), or a few cells more
    const size = [x.shape[2]!, x.shape[3]!] as const;
    const run = ({ pyramid_pooling, cbr_final, classification }: Head): Tensor =>
      released(() => {
        const joined = cbr_final.forward(pyramid_pooling.forward(features, pooled)); // (N, 8 c, H / 8, W / 8)
        const kept = dropout2d(joined, { p: this.#dropout, training: this.training, ...(stream ? { stream } : {}) });
        return interpolate(classification.forward(kept), { mode: 'bilinear', size, alignCorners: true });
      });
    const { regression, logits } = this.#heads;
    return {
      ...(regression ? { regression: run(regression) } : {}),
      ...(logits ? { logits: run(logits) } : {}),
    };
  }
}

/** The options with which a network fits the names and shapes of a state dict. Throws ConfigError for another network's. */
export function multiDepthOptionsOf(state: ReadonlyMap<string, Pick<StateEntry, 'shape'>>): MultiDepthOptions {
  const outputs = (key: string): number | undefined => state.get(key)?.shape[0];
  const baseWidth = outputs('convbnrelu1_1.cbr_unit.0.weight');
  if (baseWidth === undefined) {
    throw new ConfigError('the weights are not those of a MultiDepth network', {
      operation: 'MultiDepth',
      expected: "an entry 'convbnrelu1_1.cbr_unit.0.weight'",
      given: [...state.keys()].slice(0, 3).join(', ') || 'no entries',
    });
  }
  const count = (stage: number): number => {
    let blocks = 0;
    while (state.has(`res_block${stage}.layers.${blocks}.cbr1.cbr_unit.0.weight`)) blocks++;
    return blocks;
  };
  return {
    baseWidth,
    blocks: [count(2), count(3), count(4), count(5)],
    classes: outputs('head_d_cls_classification.weight'),
    regression: outputs('head_d_reg_classification.weight') !== undefined,
  };
}
