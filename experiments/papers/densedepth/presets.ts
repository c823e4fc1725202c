// Sizes by preset. One table: everything that a preset shrinks or changes stands here (sections 5 and 8 of the specification).
import type { PresetName } from '../../runner/paper.ts';
import type { NetworkName, Pretraining, Protocol, RunName, TrainingSettings } from './settings.ts';

type Counts = TrainingSettings['counts'];

type Sizes = Pick<
  TrainingSettings,
  'width' | 'height' | 'lastFilters' | 'momentum' | 'framesPerScan' | 'batch' | 'evaluationBatch' | 'learningRate'
> & {
  readonly networks: Readonly<Record<NetworkName, TrainingSettings['network']>>;
  readonly filters: Readonly<Record<NetworkName, number>>;
  readonly pretraining: Pretraining;
  readonly counts: Readonly<Record<'study' | 'final', Counts>>;
  readonly epochs: Readonly<Record<Protocol, number>>;
  readonly snapshotEpoch: number;
  readonly fineTuning: { readonly epochs: number; readonly learningRate: number };
  /** Steps after which a decaying rate is 0.9 times as high. */
  readonly decayEvery: number;
  readonly seeds: number;
};

const pretraining: Pretraining = {
  count: 1500,
  epochs: 8,
  batch: 32,
  rates: [2e-3, 3e-4],
  contrast: [0.2, 1.2],
  brightness: 80,
};

// The paper's rate is meant for 35 times as many updates; the decoder's statistics must follow in 200 of them.
// prettier-ignore
const laptop: Sizes = {
  networks: { densenet: 'mini-densenet', resnet: 'mini-resnet', efficientnet: 'mini-efficientnet', toy: 'toy' },
  width: 128, height: 96, filters: { densenet: 8, resnet: 8, efficientnet: 8, toy: 8 }, lastFilters: 8,
  momentum: { decoder: 0.05, backbone: 0.1 }, pretraining, framesPerScan: 130, batch: 16, evaluationBatch: 32,
  counts: { study: { train: 300, validation: 30, test: 120 }, final: { train: 300, validation: 30, test: 120 } },
  epochs: { study: 30, control: 30, short: 10, final: 50, 'fine-tuning': 50 }, snapshotEpoch: 15,
  learningRate: 3e-3, fineTuning: { epochs: 15, learningRate: 1e-4 }, decayEvery: 50, seeds: 3,
};

// prettier-ignore
export const sizes: Readonly<Record<PresetName, Sizes>> = {
  paper: {
    ...laptop, networks: { densenet: 'densenet169', resnet: 'resnet50-keras', efficientnet: 'efficientnetv2-b0', toy: 'toy' },
    filters: { densenet: 52, resnet: 64, efficientnet: 40, toy: 16 }, lastFilters: 32, momentum: { decoder: 0.01, backbone: 0.1 },
    counts: { study: { train: 300, validation: 30, test: 371 }, final: { train: 3161, validation: 352, test: 371 } },
    epochs: { study: 30, control: 30, short: 30, final: 100, 'fine-tuning': 100 }, snapshotEpoch: 30,
    learningRate: 1e-4, fineTuning: { epochs: 50, learningRate: 1e-5 }, decayEvery: 1000,
  },
  laptop,
  tour: {
    ...laptop, pretraining: { ...pretraining, count: 300, epochs: 3 },
    epochs: { study: 4, control: 4, short: 2, final: 6, 'fine-tuning': 4 }, snapshotEpoch: 2,
    fineTuning: { epochs: 2, learningRate: 1e-4 }, seeds: 1,
  },
  smoke: {
    ...laptop, width: 64, height: 32, filters: { densenet: 2, resnet: 2, efficientnet: 2, toy: 2 }, lastFilters: 2,
    pretraining: { ...pretraining, count: 9, epochs: 1, batch: 9 }, batch: 3, evaluationBatch: 4,
    counts: { study: { train: 6, validation: 3, test: 3 }, final: { train: 6, validation: 3, test: 6 } },
    epochs: { study: 2, control: 2, short: 2, final: 3, 'fine-tuning': 2 }, snapshotEpoch: 1,
    fineTuning: { epochs: 1, learningRate: 1e-4 }, decayEvery: 2, seeds: 1,
  },
};

/** The filters and the rate of the paper's final model, of which the tables' others are multiples. */
export const PAPER_FILTERS = 52;
export const PAPER_RATE = 1e-4;

/** What stands for a loss that is larger or no number, in the table of rates. */
const CEILING = 100;

/** All settings of a run under a preset. */
export function settingsOf({ network, protocol, ...change }: RunName, preset: PresetName): TrainingSettings {
  const size = sizes[preset];
  const isLong = protocol === 'final' || protocol === 'fine-tuning';
  const counts = size.counts[isLong ? 'final' : 'study'];
  const decay = { factor: 0.9, every: size.decayEvery };
  const [ssim, gradient, mae] = change.weights ?? [0.85, 0.9, 0.1];
  const filters = size.filters[network];
  return {
    network: size.networks[network],
    scaling: change.native ? 'native' : 'published',
    filters: Math.max(1, Math.round((filters * (change.filters ?? PAPER_FILTERS)) / PAPER_FILTERS)),
    lastFilters: network === 'toy' ? filters : size.lastFilters,
    dropout: 0.2,
    momentum: size.momentum,
    weights: [],
    pretraining: network === 'toy' ? null : size.pretraining,
    width: size.width,
    height: size.height,
    // The study of the backbones holds nothing back, as in the paper.
    counts: protocol === 'study' ? { ...counts, validation: 0 } : counts,
    framesPerScan: size.framesPerScan,
    leakySplit: change.leakySplit ?? false,
    augmentation: change.copies
      ? { kind: 'copies', flips: 1 / 2, swaps: 1 / 4 }
      : { kind: 'online', flip: 1 / 2, swap: 1 / 4 },
    batch: size.batch,
    evaluationBatch: size.evaluationBatch,
    epochs: size.epochs[protocol],
    snapshotEpoch: size.snapshotEpoch,
    learningRate: size.learningRate * ((change.rate ?? PAPER_RATE) / PAPER_RATE),
    decay: change.decaying ? decay : null,
    lossWeights: { ssim, gradient, mae },
    range: 12.086,
    maskInvalid: change.maskInvalid ?? false,
    fineTuning: protocol === 'fine-tuning' ? { ...size.fineTuning, decay } : null,
    ceiling: change.rate === undefined ? null : CEILING,
  };
}

/** What a preset shrinks, for the report. */
export function describePreset(preset: PresetName): string {
  const { networks, filters, width, height, counts, batch, epochs, learningRate, fineTuning, pretraining } =
    sizes[preset];
  const { train, validation, test } = counts.final;
  const encoder = preset === 'paper' ? 'encoders' : 'small encoders';
  return (
    `${networks.densenet}, ${networks.resnet} and ${networks.efficientnet}, ${filters.densenet} filters (the paper: ` +
    `${PAPER_FILTERS}), pictures ${width} x ${height}, study ${counts.study.train} pictures and ${epochs.study} epochs, final ` +
    `${train} + ${validation} + ${test} and ${epochs.final} epochs, batch ${batch}, Adam with AMSGrad ${learningRate}, fine-tuning ` +
    `${fineTuning.learningRate}. Without --weights no pretrained weights: ${encoder} ` +
    `pre-trained on ${pretraining.count} generated scenes.`
  );
}
