// The toy network of the DenseDepth paper, which says that a small fully convolutional network beat EfficientNet and not how it
// was made. Ours: four strided convolutions to 1/16, four bilinear steps back, no skips, nothing pretrained, trained end to end.
import { takes } from '../engine/call-check.ts';
import { interpolate, mean, nn, type Tensor } from '../engine/index.ts';
import { optionsWith, record, size } from '../engine/parameters.ts';
import type { DenseDepthOutput } from './dense-depth.ts';

/** Options of ToyDepth. */
export interface ToyDepthOptions {
  classes?: number;
  /** Channels of the first convolution, doubled in each of the three behind; default 16. */
  baseWidth?: number;
  norm?: nn.BatchNorm2dOptions;
}

const takesToyDepth = takes('ToyDepth', {
  options: optionsWith<ToyDepthOptions>({ classes: size, baseWidth: size, norm: record }),
});

/** conv 3x3, batch norm, relu. */
class ConvNormRelu extends nn.Module {
  readonly conv: nn.Conv2d;
  readonly norm: nn.BatchNorm2d;

  constructor(inputs: number, outputs: number, stride: number, norm: nn.BatchNorm2dOptions) {
    super();
    this.conv = new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
    this.norm = new nn.BatchNorm2d(outputs, norm);
  }

  forward(x: Tensor): Tensor {
    return this.norm.forward(this.conv.forward(x), 'relu');
  }
}

/** A stack of convolutions with the outputs of DenseDepth. */
export class ToyDepth extends nn.Module {
  readonly down: nn.ModuleList<ConvNormRelu>;
  readonly up: nn.ModuleList<ConvNormRelu>;
  readonly depth: nn.Conv2d;
  readonly classifier: nn.Linear;

  constructor(...args: [options?: ToyDepthOptions]) {
    super();
    const [{ classes = 3, baseWidth = 16, norm = {} } = {}] = takesToyDepth(args);
    const widths = [1, 2, 4, 8].map((factor) => factor * baseWidth);
    this.down = new nn.ModuleList(widths.map((width, i) => new ConvNormRelu(widths[i - 1] ?? 3, width, 2, norm)));
    const back = [8, 4, 2, 1, 1].map((factor) => factor * baseWidth);
    this.up = new nn.ModuleList(back.slice(1).map((width, i) => new ConvNormRelu(back[i]!, width, 1, norm)));
    this.depth = new nn.Conv2d(baseWidth, 1, 3, { padding: 1 });
    this.classifier = new nn.Linear(8 * baseWidth, classes);
  }

  /** Pictures (N, 3, H, W), H and W multiples of 16, to depth in metres (N, 1, H, W) and class scores (N, classes). */
  forward(x: Tensor): DenseDepthOutput {
    for (const layer of this.down) x = layer.forward(x); // (N, 8 c, H / 16, W / 16)
    const logits = this.classifier.forward(mean(x, [2, 3]));
    for (const layer of this.up) {
      x = layer.forward(interpolate(x, { mode: 'bilinear', scaleFactor: 2, alignCorners: false }));
    }
    return { depth: this.depth.forward(x), logits };
  }
}
