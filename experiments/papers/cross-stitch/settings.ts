// What decides a training run: the network of its row, its task weights, whether the mask scores are squashed, and the sizes
// of the preset.
import type { PetTask, StitchMatrix } from '../../../models/index.ts';

/** Rows of table 1. */
export const networkNames = ['baseline', 'binary', 'box', 'mtl', 'oeq'] as const;
export type NetworkName = (typeof networkNames)[number];

/** The names of the rows in the paper. */
export const rowNames: Readonly<Record<NetworkName, string>> = {
  baseline: 'Baseline',
  binary: 'Binary ablation',
  box: 'B.Box ablation',
  mtl: 'MTL',
  oeq: 'OEQ',
};

/** Branches in the order of the authors' stitch matrices. The sequential network has all tasks and no joint encoder. */
export const networkTasks: Readonly<Record<NetworkName, readonly PetTask[]>> = {
  baseline: ['segmentation'],
  binary: ['binary', 'segmentation'],
  box: ['box', 'segmentation'],
  mtl: ['binary', 'box', 'segmentation'],
  oeq: ['binary', 'box', 'segmentation'],
};

/** Starting values of the stitch matrix (section 3.4 of the specification). */
export const stitchMatrices: Readonly<Partial<Record<NetworkName, StitchMatrix>>> = {
  binary: [[1.5, 0.5], [0.5, 1.5]], // prettier-ignore
  box: [[0.8, 0.2], [0.2, 0.8]], // prettier-ignore
  mtl: [[0.6, 0.3, 0.1], [0.1, 0.6, 0.3], [0.1, 0.3, 0.6]], // prettier-ignore
};

/** One setting of the paper changed at a time. */
export const variants = {
  'no sigmoid': { segmentationSigmoid: false },
  'no sigmoid and a bias': { segmentationSigmoid: false, segmentationBias: true },
  'dwa equation': { weighting: 'equation' },
  'stitch per stage': { stitchPerStage: true },
  'paper augmentation': { augmentation: 'paper' },
} as const satisfies Readonly<Record<string, Partial<TrainingSettings>>>;
export type Variant = keyof typeof variants;

export interface RunName {
  readonly network: NetworkName;
  readonly variant?: Variant;
}

/** Its name in files and for people. */
export const runKey = ({ network, variant }: RunName): string => (variant ? `${network}, ${variant}` : network);

export interface TrainingSettings {
  readonly network: NetworkName;
  /** Side of the pictures. */
  readonly size: number;
  readonly widths: readonly number[];
  readonly headWidths: readonly [number, number];
  /** Images of the three cohorts; of a smaller real data set 60, 20 and 20 %, an epoch being several passes. */
  readonly counts: { readonly train: number; readonly validation: number; readonly test: number };
  /** Images in a chunk of the store, and chunks in a batch. */
  readonly chunk: number;
  readonly chunksPerBatch: number;
  readonly epochs: number;
  /** Epochs of the auxiliary network of OEQ, before those of its segmentation network. */
  readonly auxiliaryEpochs: number;
  readonly learningRate: number;
  readonly segmentationSigmoid: boolean;
  /** A bias in the last convolution; OEQ has one always. */
  readonly segmentationBias: boolean;
  readonly stitchPerStage: boolean;
  /** The stitch matrix at the start; null where no branches are stitched. */
  readonly stitch: StitchMatrix | null;
  /** Task weights as the authors' scripts make them, or by the equation of the paper. */
  readonly weighting: 'paperCode' | 'equation';
  /** Weights of the first two iterations of an epoch, and factors of the others. */
  readonly priors: readonly number[];
  /** A higher one makes the task weights more equal. */
  readonly temperature: number;
  /** A task whose loss is below this is left out of the sum of that iteration. */
  readonly dropBelow: Readonly<Partial<Record<PetTask, number>>>;
  /** Whether the tasks that are left keep their weights then; in the script of OEQ they do not. */
  readonly keepsWeights: boolean;
  /** Mirrors training pictures with probability 0.5, boxes along. The paper does not. */
  readonly flip: boolean;
  /** The authors' warp of whole batches in the first phase of OEQ, boxes left where they were. */
  readonly augmentation: 'none' | 'paper';
  readonly borderIsPet: boolean;
}
