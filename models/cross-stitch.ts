// Encoder branches joined by cross-stitch units, one branch per task, with a head for each: baseline (segmentation alone), the
// two ablations and the three-task network of the cross-stitch paper. Leaves out the sequential variant: models/funnel-net.ts.
import { takes } from '../engine/call-check.ts';
import { ConfigError, nn, sigmoid, type Tensor } from '../engine/index.ts';
import { flag, list, requiredOptions, wholeNumbers } from '../engine/parameters.ts';
import { CrossStitch } from './blocks.ts';
import { downStages, FullyConnectedHead, IMAGE_CHANNELS, type Stage, Stem, upStages } from './cross-stitch-blocks.ts';

/** Segmentation into background and pet, the head box in pixels, cat or dog. */
export type PetTask = 'segmentation' | 'box' | 'binary';

/** Numbers that a head gives. */
const BOX_OUTPUTS = 4;
const SPECIES = 2;
const MASK_CLASSES = 2;

/** Weights by which the maps of each task enter those of every other. */
export type StitchMatrix = readonly (readonly number[])[];

/** Widths and tasks of CrossStitchNetwork. */
export interface CrossStitchOptions {
  /** One branch for each, in this order; segmentation among them. */
  tasks: readonly PetTask[];
  /** Channels after the stem and after each stage of the encoder. */
  widths?: readonly number[];
  /** Hidden widths of the heads of box and binary. */
  headWidths?: readonly [number, number];
  /** Starting values of the stitch matrix; needed for more than one branch. */
  stitch?: StitchMatrix;
  /** A matrix for each stage instead of one for all of them. */
  stitchPerStage?: boolean;
  /** Squash the mask scores to (0, 1), although the loss applies a softmax again: as the authors. */
  segmentationSigmoid?: boolean;
  /** A bias in the last convolution, which the authors have in the sequential variant alone. */
  segmentationBias?: boolean;
}

const takesNetwork = takes('CrossStitchNetwork', {
  options: requiredOptions<CrossStitchOptions>(
    {
      tasks: list,
      widths: wholeNumbers,
      headWidths: wholeNumbers,
      stitch: list,
      stitchPerStage: flag,
      segmentationSigmoid: flag,
      segmentationBias: flag,
    },
    'tasks',
  ),
});

/** Predictions of the tasks that the network has. */
export interface PetOutputs {
  /** Scores (N, 2, H, W) of background and pet. */
  segmentation?: Tensor;
  /** xmin, ymin, xmax, ymax (N, 4) in pixels. */
  box?: Tensor;
  /** Scores (N, 2) of cat and dog. */
  binary?: Tensor;
}

/** The widths and heads of the paper. */
export const paperWidths = [16, 32, 64, 128, 256, 512] as const;
export const paperHeadWidths = [200, 80] as const;

/** Throws ConfigError where the sides cannot be halved as often as the encoder does. */
export function checkSides(operation: string, x: Tensor, widths: number): void {
  const multiple = 2 ** widths;
  const [height, width] = [x.shape[2]!, x.shape[3]!];
  if (height % multiple || width % multiple) {
    throw new ConfigError(`the sides must be multiples of ${multiple}`, { operation, given: `${height} x ${width}` });
  }
}

/** Channels of the decoder: those of the encoder backwards, and three more, because the stem halves the sides too. */
export const decoderWidths = (widths: readonly number[]): number[] => [...[...widths].reverse(), IMAGE_CHANNELS];

/** Heads of box and cat-or-dog. */
export const headFor = (
  task: 'box' | 'binary',
  channels: number,
  hidden: readonly [number, number],
): FullyConnectedHead => new FullyConnectedHead(channels, hidden, task === 'box' ? BOX_OUTPUTS : SPECIES);

interface MaskDecoderOptions {
  bias: boolean;
  sigmoid: boolean;
}

const takesDecoder = takes('MaskDecoder', {
  widths: wholeNumbers,
  options: requiredOptions<MaskDecoderOptions>({ bias: flag, sigmoid: flag }, 'bias', 'sigmoid'),
});

/** Up-sampling stages without skip connections and a convolution to the scores of the mask. */
export class MaskDecoder extends nn.Module {
  readonly stages: nn.ModuleList<Stage>;
  readonly conv: nn.Conv2d;
  readonly #sigmoid: boolean;

  /** `widths` from the bottleneck to the last stage. */
  constructor(...args: [widths: readonly number[], options: MaskDecoderOptions]) {
    super();
    const [widths, { bias, sigmoid }] = takesDecoder(args);
    this.#sigmoid = sigmoid;
    this.stages = upStages(widths);
    this.conv = new nn.Conv2d(widths.at(-1)!, MASK_CLASSES, 3, { padding: 1, bias });
  }

  forward(x: Tensor): Tensor {
    for (const stage of this.stages) x = stage.forward(x);
    const scores = this.conv.forward(x); // (N, 2, H, W)
    return this.#sigmoid ? sigmoid(scores) : scores;
  }
}

/** One network per task with cross-stitch units between their stages. */
export class CrossStitchNetwork extends nn.Module {
  readonly tasks: readonly PetTask[];
  readonly stem: Stem;
  readonly encoders: nn.ModuleList<nn.ModuleList<Stage>>;
  /** One unit for all stages, or one each; none for a single branch. */
  declare readonly stitches?: nn.ModuleList<CrossStitch>;
  declare readonly binary?: FullyConnectedHead;
  declare readonly box?: FullyConnectedHead;
  readonly segmentation: MaskDecoder;
  readonly #halvings: number;

  constructor(...args: [options: CrossStitchOptions]) {
    super();
    const [options] = takesNetwork(args);
    const { tasks, widths = paperWidths, headWidths = paperHeadWidths, stitch, stitchPerStage = false } = options;
    const { segmentationSigmoid: sigmoid = true, segmentationBias: bias = false } = options;
    const branches = tasks.length;
    if (!tasks.includes('segmentation') || new Set(tasks).size !== branches) {
      throw new ConfigError('needs segmentation, and each task once', {
        operation: 'CrossStitchNetwork',
        argument: 'tasks',
        given: tasks.join(', '),
      });
    }
    if (branches > 1 && !stitch) {
      throw new ConfigError('several branches need a stitch matrix', {
        operation: 'CrossStitchNetwork',
        argument: 'stitch',
        expected: `${branches} x ${branches} values`,
      });
    }
    this.tasks = tasks;
    this.#halvings = widths.length;
    this.stem = new Stem(widths[0]!, 3);
    this.encoders = new nn.ModuleList(tasks.map(() => downStages(widths)));
    if (branches > 1) {
      const units = stitchPerStage ? widths.length - 1 : 1;
      const make = (): CrossStitch => new CrossStitch(branches, undefined, { matrix: stitch! });
      this.stitches = new nn.ModuleList(Array.from({ length: units }, make));
    }
    const bottleneck = widths.at(-1)!;
    if (tasks.includes('binary')) this.binary = headFor('binary', bottleneck, headWidths);
    if (tasks.includes('box')) this.box = headFor('box', bottleneck, headWidths);
    this.segmentation = new MaskDecoder(decoderWidths(widths), { bias, sigmoid });
  }

  /** The last maps of all branches, in the order of the tasks. Each stage comes after a stitch; the last maps are not stitched. */
  encode(x: Tensor): Tensor[] {
    checkSides('CrossStitchNetwork', x, this.#halvings);
    const start = this.stem.forward(x); // (N, c, H / 2, W / 2), the same for all branches
    let maps = this.tasks.map(() => start);
    const stages = this.encoders.at(0).length;
    for (let stage = 0; stage < stages; stage++) {
      const stitch = this.stitches?.at(Math.min(stage, this.stitches.length - 1));
      maps = stitch?.forward(maps) ?? maps;
      maps = maps.map((map, branch) => this.encoders.at(branch).at(stage).forward(map)); // half the sides, twice the channels
    }
    return maps;
  }

  /** Pictures (N, 3, H, W) in [0, 1], H and W multiples of two to the number of widths, to the predictions. */
  forward(x: Tensor): PetOutputs {
    const maps = this.encode(x);
    const heads = { binary: this.binary, box: this.box, segmentation: this.segmentation };
    return Object.fromEntries(this.tasks.map((task, branch) => [task, heads[task]!.forward(maps[branch]!)]));
  }
}
