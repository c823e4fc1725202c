// Sizes by preset. One table: everything that a preset shrinks or changes stands here (sections 5 and 8 of the specification).
import { paperHeadWidths, paperWidths } from '../../../models/cross-stitch.ts';
import type { PresetName } from '../../runner/paper.ts';
import { weightingConstants } from './losses.ts';
import { type RunName, stitchMatrices, type TrainingSettings, variants } from './settings.ts';

type Sizes = Pick<
  TrainingSettings,
  | ('size' | 'widths' | 'headWidths' | 'counts' | 'chunk' | 'chunksPerBatch')
  | ('epochs' | 'auxiliaryEpochs' | 'learningRate' | 'flip')
> & { readonly seeds: number };

// With 400 images the species are learnt by heart; 1000 and mirrored pictures are the least for that column to mean anything.
// prettier-ignore
export const sizes: Readonly<Record<PresetName, Sizes>> = {
  paper: {
    size: 256, widths: paperWidths, headWidths: paperHeadWidths, counts: { train: 2210, validation: 738, test: 738 },
    chunk: 13, chunksPerBatch: 3, epochs: 150, auxiliaryEpochs: 120, learningRate: 1e-3, flip: false, seeds: 3,
  },
  laptop: {
    size: 64, widths: [8, 16, 32, 64, 128], headWidths: [64, 32], counts: { train: 1000, validation: 100, test: 200 },
    chunk: 10, chunksPerBatch: 2, epochs: 12, auxiliaryEpochs: 10, learningRate: 1e-3, flip: true, seeds: 3,
  },
  tour: {
    size: 32, widths: [8, 16, 32, 64], headWidths: [64, 32], counts: { train: 600, validation: 100, test: 100 },
    chunk: 10, chunksPerBatch: 2, epochs: 8, auxiliaryEpochs: 6, learningRate: 1e-3, flip: true, seeds: 1,
  },
  smoke: {
    size: 32, widths: [2, 4, 4, 8], headWidths: [8, 4], counts: { train: 25, validation: 10, test: 12 },
    chunk: 5, chunksPerBatch: 2, epochs: 2, auxiliaryEpochs: 1, learningRate: 1e-3, flip: true, seeds: 1,
  },
};

/** All settings of a run under a preset. */
export function settingsOf({ network, variant }: RunName, preset: PresetName): TrainingSettings {
  const { seeds: _seeds, ...size } = sizes[preset];
  return {
    network,
    ...size,
    segmentationSigmoid: true,
    segmentationBias: false,
    stitchPerStage: false,
    stitch: stitchMatrices[network] ?? null,
    weighting: 'paperCode',
    ...weightingConstants[network],
    augmentation: 'none',
    borderIsPet: true,
    ...(variant ? variants[variant] : {}),
  };
}

/** What a preset shrinks, for the report. */
export function describePreset(preset: PresetName): string {
  const { size, widths, counts, chunk, chunksPerBatch, epochs, auxiliaryEpochs, learningRate, flip } = sizes[preset];
  return (
    `Pictures ${size} x ${size}, widths ${widths.join(', ')}, ${counts.train} training, ${counts.validation} validation and ` +
    `${counts.test} test images (of a smaller set 60, 20 and 20 %, an epoch being several passes over them), batches of ` +
    `${chunksPerBatch} chunks of ${chunk}, ${epochs} epochs (OEQ: ${auxiliaryEpochs} and ${epochs}), Adam ${learningRate}` +
    (flip ? ', training pictures mirrored at random (the paper does not).' : '.')
  );
}
