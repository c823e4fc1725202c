// The dMTL network (Namdar et al. 2022): a U-Net that predicts depth, and a classifier that starts at its bottleneck.
// The paper's drawings give no widths; these are those of the textbook U-Net with batch norm, 64 to 1024 channels.
import { takes } from '../engine/call-check.ts';
import { concat, ConfigError, flatten, mean, maxPool2d, nn, relu, type Tensor } from '../engine/index.ts';
import { flag, optionsWith, size } from '../engine/parameters.ts';
import { DoubleConv } from './blocks.ts';

/** Widths and heads of the U-Net. */
export interface UNetOptions {
  /** Channels of the picture. */
  inChannels?: number;
  classes?: number;
  /** Channels of the first level, doubled at each of the others; 64 in the paper. */
  baseWidth?: number;
  /** 3, 4 or 5 levels; 5 in the paper. */
  levels?: number;
  /** Side of the lowest level's maps, to classify all of their values instead of means over space. */
  flattened?: number;
  /** Batch norm; default true. */
  norm?: boolean;
}

const takesUNet = takes('UNet', {
  options: optionsWith<UNetOptions>({
    inChannels: size,
    classes: size,
    baseWidth: size,
    levels: size,
    flattened: size,
    norm: flag,
  }),
});

/** Feature maps of the levels, from full size to the smallest. */
export type Features = readonly Tensor[];

const halve = (x: Tensor): Tensor => maxPool2d(x, 2);

/** The U-Net of dMTL: one encoder, and a head for each task. */
export class UNet extends nn.Module {
  // Declared alone: the order of a state dict is that in which the constructor makes them.
  declare readonly enc0: DoubleConv;
  declare readonly enc1: DoubleConv;
  declare readonly enc2: DoubleConv;
  declare readonly enc3?: DoubleConv;
  declare readonly enc4?: DoubleConv;
  declare readonly up3?: nn.ConvTranspose2d;
  declare readonly dec3?: DoubleConv;
  declare readonly up2?: nn.ConvTranspose2d;
  declare readonly dec2?: DoubleConv;
  declare readonly up1: nn.ConvTranspose2d;
  declare readonly dec1: DoubleConv;
  declare readonly up0: nn.ConvTranspose2d;
  declare readonly dec0: DoubleConv;
  declare readonly depth: nn.Conv2d;
  declare readonly fc1: nn.Linear;
  declare readonly fc2: nn.Linear;
  declare readonly fc3: nn.Linear;
  readonly #flattened: boolean;

  /** Throws ConfigError for other numbers of levels than 3, 4 and 5. */
  constructor(...args: [options?: UNetOptions]) {
    super();
    const [options = {}] = takesUNet(args);
    const { inChannels = 1, classes = 10, baseWidth = 64, levels = 5, flattened, norm = true } = options;
    if (levels < 3 || levels > 5) {
      throw new ConfigError('a U-Net of that depth is not built', {
        operation: 'UNet',
        argument: 'levels',
        expected: '3, 4 or 5',
        given: String(levels),
      });
    }
    const [c0, c1, c2, c3, c4] = [1, 2, 4, 8, 16].map((factor) => factor * baseWidth) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const conv = (inputs: number, outputs: number): DoubleConv => new DoubleConv(inputs, outputs, { norm });
    const up = (inputs: number): nn.ConvTranspose2d => new nn.ConvTranspose2d(inputs, inputs / 2, 2, { stride: 2 });
    this.enc0 = conv(inChannels, c0);
    this.enc1 = conv(c0, c1);
    this.enc2 = conv(c1, c2);
    if (levels > 3) this.enc3 = conv(c2, c3);
    if (levels > 4) {
      this.enc4 = conv(c3, c4);
      this.up3 = up(c4);
      this.dec3 = conv(c4, c3);
    }
    if (levels > 3) {
      this.up2 = up(c3);
      this.dec2 = conv(c3, c2);
    }
    this.up1 = up(c2);
    this.dec1 = conv(c2, c1);
    this.up0 = up(c1);
    this.dec0 = conv(c1, c0);
    this.depth = new nn.Conv2d(c0, 1, 1);
    this.#flattened = flattened !== undefined;
    this.fc1 = new nn.Linear(2 ** (levels - 1) * baseWidth * (flattened ?? 1) ** 2, 256);
    this.fc2 = new nn.Linear(256, 64);
    this.fc3 = new nn.Linear(64, classes);
  }

  /** From full size down. */
  get #encoders(): DoubleConv[] {
    return [this.enc0, this.enc1, this.enc2, this.enc3 ?? [], this.enc4 ?? []].flat();
  }

  /** Pictures (N, inChannels, H, W), H and W multiples of 16 (of 4 with three levels), to the features of each level. */
  encode(x: Tensor): Features {
    const [height, width] = [x.shape[2]!, x.shape[3]!];
    const step = 2 ** (this.#encoders.length - 1);
    if (height % step || width % step) {
      throw new ConfigError(`the sides must be multiples of ${step}`, {
        operation: 'UNet',
        given: `${height} x ${width}`,
      });
    }
    const features: Tensor[] = [];
    for (const encoder of this.#encoders) {
      const above = features.at(-1);
      features.push(encoder.forward(above ? halve(above) : x)); // (N, 2^i c, H / 2^i, W / 2^i) at level i
    }
    return features;
  }

  /** Depth (N, 1, H, W) from the features. */
  decode(features: Features): Tensor {
    const ups = [this.up0, this.up1, this.up2, this.up3];
    const decoders = [this.dec0, this.dec1, this.dec2, this.dec3];
    let d = features.at(-1)!; // (N, 16 c, H / 16, W / 16) of five levels
    for (let i = features.length - 2; i >= 0; i--) {
      d = decoders[i]!.forward(concat([features[i]!, ups[i]!.forward(d)], 1)); // (N, 2^i c, H / 2^i, W / 2^i)
    }
    return this.depth.forward(d);
  }

  /** Class scores (N, classes) from the features. */
  classify(features: Features): Tensor {
    const lowest = features.at(-1)!; // (N, 16 c, H / 16, W / 16) of five levels
    const input = this.#flattened ? flatten(lowest, 1) : mean(lowest, [2, 3]); // (N, 16 c) of means
    return this.fc3.forward(relu(this.fc2.forward(relu(this.fc1.forward(input)))));
  }

  /** Depth (N, 1, H, W) and class scores (N, classes). */
  forward(x: Tensor): { depth: Tensor; logits: Tensor } {
    const features = this.encode(x);
    return { depth: this.decode(features), logits: this.classify(features) };
  }

  /** Parameters of the shared encoder, of the depth decoder and of the classifier. */
  parts(): { encoder: nn.Module[]; decoder: nn.Module[]; classifier: nn.Module[] } {
    const { up3, dec3, up2, dec2, up1, dec1, up0, dec0, depth } = this;
    return {
      encoder: this.#encoders,
      decoder: [up3 ?? [], dec3 ?? [], up2 ?? [], dec2 ?? [], up1, dec1, up0, dec0, depth].flat(),
      classifier: [this.fc1, this.fc2, this.fc3],
    };
  }
}
