// The dMTL network (Namdar et al. 2022): a U-Net that predicts depth, and a classifier that starts at its bottleneck.
// The paper's drawings give no widths; these are those of the textbook U-Net with batch norm, 64 to 1024 channels.
import { takes } from '../engine/call-check.ts';
import { concat, ConfigError, mean, maxPool2d, nn, relu, type Tensor } from '../engine/index.ts';
import { optionsWith, size } from '../engine/parameters.ts';
import { DoubleConv } from './blocks.ts';

/** Widths and heads of the U-Net. */
export interface UNetOptions {
  /** Channels of the picture. */
  inChannels?: number;
  classes?: number;
  /** Channels of the first level, doubled at each of the four below; 64 in the paper. */
  baseWidth?: number;
}

const takesUNet = takes('UNet', {
  options: optionsWith<UNetOptions>({ inChannels: size, classes: size, baseWidth: size }),
});

/** Feature maps of the five levels, from full size to 1 / 16. */
export type Features = readonly [Tensor, Tensor, Tensor, Tensor, Tensor];

const halve = (x: Tensor): Tensor => maxPool2d(x, 2);

/** The U-Net of dMTL: one encoder, and a head for each task. */
export class UNet extends nn.Module {
  readonly enc0: DoubleConv;
  readonly enc1: DoubleConv;
  readonly enc2: DoubleConv;
  readonly enc3: DoubleConv;
  readonly enc4: DoubleConv;
  readonly up3: nn.ConvTranspose2d;
  readonly dec3: DoubleConv;
  readonly up2: nn.ConvTranspose2d;
  readonly dec2: DoubleConv;
  readonly up1: nn.ConvTranspose2d;
  readonly dec1: DoubleConv;
  readonly up0: nn.ConvTranspose2d;
  readonly dec0: DoubleConv;
  readonly depth: nn.Conv2d;
  readonly fc1: nn.Linear;
  readonly fc2: nn.Linear;
  readonly fc3: nn.Linear;

  constructor(...args: [options?: UNetOptions]) {
    super();
    const [{ inChannels = 1, classes = 10, baseWidth = 64 } = {}] = takesUNet(args);
    const [c0, c1, c2, c3, c4] = [1, 2, 4, 8, 16].map((factor) => factor * baseWidth) as [
      number,
      number,
      number,
      number,
      number,
    ];
    this.enc0 = new DoubleConv(inChannels, c0);
    this.enc1 = new DoubleConv(c0, c1);
    this.enc2 = new DoubleConv(c1, c2);
    this.enc3 = new DoubleConv(c2, c3);
    this.enc4 = new DoubleConv(c3, c4);
    this.up3 = new nn.ConvTranspose2d(c4, c3, 2, { stride: 2 });
    this.dec3 = new DoubleConv(c4, c3);
    this.up2 = new nn.ConvTranspose2d(c3, c2, 2, { stride: 2 });
    this.dec2 = new DoubleConv(c3, c2);
    this.up1 = new nn.ConvTranspose2d(c2, c1, 2, { stride: 2 });
    this.dec1 = new DoubleConv(c2, c1);
    this.up0 = new nn.ConvTranspose2d(c1, c0, 2, { stride: 2 });
    this.dec0 = new DoubleConv(c1, c0);
    this.depth = new nn.Conv2d(c0, 1, 1);
    this.fc1 = new nn.Linear(c4, 256);
    this.fc2 = new nn.Linear(256, 64);
    this.fc3 = new nn.Linear(64, classes);
  }

  /** Pictures (N, inChannels, H, W), H and W multiples of 16, to the features of each level. */
  encode(x: Tensor): Features {
    const [height, width] = [x.shape[2]!, x.shape[3]!];
    if (height % 16 || width % 16) {
      throw new ConfigError('the sides must be multiples of 16', { operation: 'UNet', given: `${height} x ${width}` });
    }
    const e0 = this.enc0.forward(x); // (N, c, H, W)
    const e1 = this.enc1.forward(halve(e0)); // (N, 2 c, H / 2, W / 2)
    const e2 = this.enc2.forward(halve(e1)); // (N, 4 c, H / 4, W / 4)
    const e3 = this.enc3.forward(halve(e2)); // (N, 8 c, H / 8, W / 8)
    const e4 = this.enc4.forward(halve(e3)); // (N, 16 c, H / 16, W / 16)
    return [e0, e1, e2, e3, e4];
  }

  /** Depth (N, 1, H, W) from the features. */
  decode([e0, e1, e2, e3, e4]: Features): Tensor {
    const d3 = this.dec3.forward(concat([e3, this.up3.forward(e4)], 1)); // (N, 8 c, H / 8, W / 8)
    const d2 = this.dec2.forward(concat([e2, this.up2.forward(d3)], 1)); // (N, 4 c, H / 4, W / 4)
    const d1 = this.dec1.forward(concat([e1, this.up1.forward(d2)], 1)); // (N, 2 c, H / 2, W / 2)
    const d0 = this.dec0.forward(concat([e0, this.up0.forward(d1)], 1)); // (N, c, H, W)
    return this.depth.forward(d0);
  }

  /** Class scores (N, classes) from the features. */
  classify(features: Features): Tensor {
    const pooled = mean(features[4], [2, 3]); // (N, 16 c)
    return this.fc3.forward(relu(this.fc2.forward(relu(this.fc1.forward(pooled)))));
  }

  /** Depth (N, 1, H, W) and class scores (N, classes). */
  forward(x: Tensor): { depth: Tensor; logits: Tensor } {
    const features = this.encode(x);
    return { depth: this.decode(features), logits: this.classify(features) };
  }

  /** Parameters of the shared encoder, of the depth decoder and of the classifier. */
  parts(): { encoder: nn.Module[]; decoder: nn.Module[]; classifier: nn.Module[] } {
    return {
      encoder: [this.enc0, this.enc1, this.enc2, this.enc3, this.enc4],
      decoder: [this.up3, this.dec3, this.up2, this.dec2, this.up1, this.dec1, this.up0, this.dec0, this.depth],
      classifier: [this.fc1, this.fc2, this.fc3],
    };
  }
}
