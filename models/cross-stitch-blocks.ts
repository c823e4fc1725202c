// Blocks of the cross-stitch networks ("Multitask Learning in Image Recognition, Segmentation, and Classification", 2022; layer
// tables in experiments/papers/cross-stitch/paper.ts). Both shortcuts of a stage add the stage's input, as in the authors' scripts.
import { adaptiveAvgPool2d, add, flatten, maxPool2d, nn, type Tensor } from '../engine/index.ts';

/** Sides of the map that the fully connected heads see. */
const HEAD_POOL = 2;
/** Channels of a picture. */
export const IMAGE_CHANNELS = 3;

/** (N, 3, H, W) to (N, outputs, H / 2, W / 2): conv k x k of stride 2 without bias, batch norm, relu. */
export class Stem extends nn.Module {
  readonly conv: nn.Conv2d;
  readonly bn: nn.BatchNorm2d;

  constructor(outputs: number, kernel: 3 | 7) {
    super();
    this.conv = new nn.Conv2d(IMAGE_CHANNELS, outputs, kernel, { stride: 2, padding: (kernel - 1) / 2, bias: false });
    this.bn = new nn.BatchNorm2d(outputs);
  }

  forward(x: Tensor): Tensor {
    return this.bn.forward(this.conv.forward(x), 'relu');
  }
}

/** conv 3x3, batch norm, relu, conv 3x3, batch norm, all at one width and without bias. The shortcut is the caller's. */
export class ResidualUnit extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;

  constructor(width: number) {
    super();
    this.conv1 = new nn.Conv2d(width, width, 3, { padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(width);
    this.conv2 = new nn.Conv2d(width, width, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(width);
  }

  forward(x: Tensor): Tensor {
    return this.bn2.forward(this.conv2.forward(this.bn1.forward(this.conv1.forward(x), 'relu')));
  }
}

/**
 * Two residual units and a sampler: x1 = u1(x) + x, x2 = u2(x1) + x, then down (conv, norm, relu, max pool: half the sides) or
 * up (transposed conv with bias, norm, relu: twice the sides).
 */
export class Stage extends nn.Module {
  readonly unit1: ResidualUnit;
  readonly unit2: ResidualUnit;
  readonly sample: nn.Conv2d | nn.ConvTranspose2d;
  readonly bn: nn.BatchNorm2d;
  readonly #direction: 'down' | 'up';

  constructor(inputs: number, outputs: number, direction: 'down' | 'up') {
    super();
    this.#direction = direction;
    this.unit1 = new ResidualUnit(inputs);
    this.unit2 = new ResidualUnit(inputs);
    this.sample =
      direction === 'down'
        ? new nn.Conv2d(inputs, outputs, 3, { padding: 1, bias: false })
        : new nn.ConvTranspose2d(inputs, outputs, 3, { stride: 2, padding: 1, outputPadding: 1 });
    this.bn = new nn.BatchNorm2d(outputs);
  }

  forward(x: Tensor): Tensor {
    const once = add(this.unit1.forward(x), x);
    const twice = add(this.unit2.forward(once), x); // (N, inputs, H, W)
    const y = this.bn.forward(this.sample.forward(twice), 'relu');
    return this.#direction === 'down' ? maxPool2d(y, 2) : y;
  }
}

/** Stages that halve the sides, one for each pair of neighbouring widths. */
export const downStages = (widths: readonly number[]): nn.ModuleList<Stage> =>
  new nn.ModuleList(widths.slice(1).map((width, i) => new Stage(widths[i]!, width, 'down')));

/** Stages that double the sides, one for each pair of neighbouring widths. */
export const upStages = (widths: readonly number[]): nn.ModuleList<Stage> =>
  new nn.ModuleList(widths.slice(1).map((width, i) => new Stage(widths[i]!, width, 'up')));

/** Average pool to 2 x 2, then three linear layers without activations between them. */
export class FullyConnectedHead extends nn.Module {
  readonly fc1: nn.Linear;
  readonly fc2: nn.Linear;
  readonly fc3: nn.Linear;

  constructor(channels: number, [first, second]: readonly [number, number], outputs: number) {
    super();
    this.fc1 = new nn.Linear(HEAD_POOL ** 2 * channels, first);
    this.fc2 = new nn.Linear(first, second);
    this.fc3 = new nn.Linear(second, outputs);
  }

  /** (N, channels, H, W) to (N, outputs). */
  forward(x: Tensor): Tensor {
    const pooled = flatten(adaptiveAvgPool2d(x, HEAD_POOL), 1); // (N, 4 channels)
    return this.fc3.forward(this.fc2.forward(this.fc1.forward(pooled)));
  }
}
