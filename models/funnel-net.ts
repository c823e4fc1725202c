// The sequential variant (OEQ) of the cross-stitch paper: an auxiliary network for box and cat-or-dog, trained first, and
// FunnelNet, a segmentation network whose decoder takes in the auxiliary features and narrows from three branches to one.
import { takes } from '../engine/call-check.ts';
import { add, mul, narrow, nn, parameter, type Parameter, reshape, sigmoid, type Tensor } from '../engine/index.ts';
import { flag, optionsWith, wholeNumbers } from '../engine/parameters.ts';
import { CrossStitch } from './blocks.ts';
import { downStages, type FullyConnectedHead, Stage, Stem, upStages } from './cross-stitch-blocks.ts';
import { checkSides, decoderWidths, headFor, paperHeadWidths, paperWidths } from './cross-stitch.ts';

const MASK_CLASSES = 2;

/** Stem 7 x 7 and the stages of one encoder. */
export class Encoder extends nn.Module {
  readonly stem: Stem;
  readonly stages: nn.ModuleList<Stage>;

  constructor(widths: readonly number[]) {
    super();
    this.stem = new Stem(widths[0]!, 7);
    this.stages = downStages(widths);
  }

  /** (N, 3, H, W) to (N, last width, H / 2^n, W / 2^n) for n widths. */
  forward(x: Tensor): Tensor {
    checkSides('Encoder', x, this.stages.length + 1);
    x = this.stem.forward(x);
    for (const stage of this.stages) x = stage.forward(x);
    return x;
  }
}

/** Options of AuxiliaryNetwork. */
export interface AuxiliaryOptions {
  widths?: readonly number[];
  headWidths?: readonly [number, number];
}

const takesAuxiliary = takes('AuxiliaryNetwork', {
  options: optionsWith<AuxiliaryOptions>({ widths: wholeNumbers, headWidths: wholeNumbers }),
});

/** Net 1: two encoders of their own, which share nothing and are not stitched, and the two heads. */
export class AuxiliaryNetwork extends nn.Module {
  readonly encoders: nn.ModuleList<Encoder>;
  readonly binary: FullyConnectedHead;
  readonly box: FullyConnectedHead;

  constructor(...args: [options?: AuxiliaryOptions]) {
    super();
    const [{ widths = paperWidths, headWidths = paperHeadWidths } = {}] = takesAuxiliary(args);
    this.encoders = new nn.ModuleList([new Encoder(widths), new Encoder(widths)]);
    this.binary = headFor('binary', widths.at(-1)!, headWidths);
    this.box = headFor('box', widths.at(-1)!, headWidths);
  }

  /** Predictions and the last maps of the two encoders, cat-or-dog first. */
  forward(x: Tensor): { binary: Tensor; box: Tensor; features: readonly [Tensor, Tensor] } {
    const features = [this.encoders.at(0).forward(x), this.encoders.at(1).forward(x)] as const;
    return { binary: this.binary.forward(features[0]), box: this.box.forward(features[1]), features };
  }
}

/** Options of FunnelNet. */
export interface FunnelOptions {
  widths?: readonly number[];
  segmentationSigmoid?: boolean;
}

const takesFunnel = takes('FunnelNet', {
  options: optionsWith<FunnelOptions>({ widths: wholeNumbers, segmentationSigmoid: flag }),
});

/** Starting values: 0.5 on the diagonal of the first unit and 0.25 off it, 0.5 everywhere else. */
const firstUnit = { self: 0.5, other: 0.25 } as const;
const secondUnit = { self: 0.5, other: 0.5 } as const;
const MIX = 0.5;

/** Net 2: an encoder, and a decoder of three, then two, then one branch. Needs four widths or more. */
export class FunnelNet extends nn.Module {
  readonly encoder: Encoder;
  readonly three: nn.ModuleList<nn.ModuleList<Stage>>;
  readonly stitch1: CrossStitch;
  readonly two: nn.ModuleList<nn.ModuleList<Stage>>;
  readonly stitch2: CrossStitch;
  readonly one: nn.ModuleList<Stage>;
  readonly conv: nn.Conv2d;
  /** Weights of the sums that join branches, (3, 2). */
  readonly mix: Parameter;
  readonly #sigmoid: boolean;

  constructor(...args: [options?: FunnelOptions]) {
    super();
    const [{ widths = paperWidths, segmentationSigmoid = true } = {}] = takesFunnel(args);
    this.#sigmoid = segmentationSigmoid;
    this.encoder = new Encoder(widths);
    const up = decoderWidths(widths);
    const branches = (level: number, count: number): nn.ModuleList<Stage> =>
      new nn.ModuleList(Array.from({ length: count }, () => new Stage(up[level]!, up[level + 1]!, 'up')));
    this.three = new nn.ModuleList([branches(0, 3), branches(1, 3)]);
    this.stitch1 = new CrossStitch(3, undefined, firstUnit);
    this.two = new nn.ModuleList([branches(2, 2), branches(3, 2)]);
    this.stitch2 = new CrossStitch(2, undefined, secondUnit);
    this.one = upStages(up.slice(4));
    this.conv = new nn.Conv2d(up.at(-1)!, MASK_CLASSES, 3, { padding: 1 });
    this.mix = parameter(new Float32Array(6).fill(MIX), [3, 2]);
  }

  /** mix[row][0] a + mix[row][1] b. */
  #join(row: number, a: Tensor, b: Tensor): Tensor {
    const weight = (column: number): Tensor => reshape(narrow(narrow(this.mix, 0, row, 1), 1, column, 1), [1, 1, 1, 1]);
    return add(mul(weight(0), a), mul(weight(1), b));
  }

  /** Pictures (N, 3, H, W) and the two maps of the auxiliary network to the scores (N, 2, H, W) of the mask. */
  forward(x: Tensor, [f1, f2]: readonly [Tensor, Tensor]): Tensor {
    const along = (stages: nn.ModuleList<Stage>, maps: readonly Tensor[]): Tensor[] =>
      maps.map((map, branch) => stages.at(branch).forward(map));
    const g = along(this.three.at(0), [this.encoder.forward(x), f1, f2]);
    const [h0, h1, h2] = along(this.three.at(1), this.stitch1.forward(g)) as [Tensor, Tensor, Tensor];
    const p = along(this.two.at(0), [this.#join(0, h0, h1), this.#join(1, h0, h2)]);
    const [q1, q2] = along(this.two.at(1), this.stitch2.forward(p)) as [Tensor, Tensor];
    let q = this.#join(2, q1, q2);
    for (const stage of this.one) q = stage.forward(q);
    const scores = this.conv.forward(q);
    return this.#sigmoid ? sigmoid(scores) : scores;
  }
}
