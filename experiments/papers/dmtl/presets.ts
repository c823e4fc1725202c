// Sizes by preset. One table: everything that a preset shrinks stands here. Noise strengths follow the size by the
// equal-difficulty rule of experiments/data/extruded-digits.ts.
import type { PresetName } from '../../runner/paper.ts';
import {
  noiseLevels,
  type RunName,
  type TrainingSettings,
  trainSizes,
  type VariantFactors,
  variants,
} from './settings.ts';
import { type Reading, readings } from './reading-names.ts';

type Sizes = Pick<TrainingSettings, 'baseWidth' | 'validationCount' | 'testCount' | 'epochs' | 'learningRate'> & {
  /** Side of the images. */
  readonly size: number;
  /** Training images for the paper's 5000; 3500, 4000 and 4500 in proportion. */
  readonly richest: number;
  readonly seeds: number;
};

// The paper's learning rate is 5e-5. Narrow networks do not move at that rate.
// prettier-ignore
export const sizes: Readonly<Record<PresetName, Sizes>> = {
  paper: { size: 256, baseWidth: 64, richest: 5000, validationCount: 1500, testCount: 1000, epochs: 10, learningRate: 5e-5, seeds: 3 },
  laptop: { size: 64, baseWidth: 8, richest: 5000, validationCount: 500, testCount: 1000, epochs: 10, learningRate: 5e-3, seeds: 3 },
  // Calibrated on the generated digits: dMTL at 1:29 has 0.85 here, as in the paper, and scarce data are scarce.
  tour: { size: 32, baseWidth: 8, richest: 700, validationCount: 200, testCount: 500, epochs: 10, learningRate: 5e-3, seeds: 3 },
  smoke: { size: 16, baseWidth: 2, richest: 40, validationCount: 20, testCount: 20, epochs: 2, learningRate: 5e-3, seeds: 1 },
};

/** Largest training cohort of the paper. */
const PUBLISHED_RICHEST = 5000;

/** All settings of a run under a preset. */
export function settingsOf(
  { strategy, noise, n, lambda = 1, variant, reading, longer = 1 }: RunName,
  preset: PresetName,
): TrainingSettings {
  const { size, baseWidth, richest, validationCount, testCount, epochs, learningRate } = sizes[preset];
  const factors: VariantFactors = variant ? variants[variant] : {};
  const { images, noiseTimes = 1, noiseModel, ...read }: Reading = reading ? readings[reading] : {};
  return {
    strategy,
    trainCount: Math.round((n * richest * (factors.images ?? 1)) / PUBLISHED_RICHEST),
    validationCount,
    testCount,
    images: {
      size: size * (factors.size ?? 1),
      noise: { kind: 'mixUniform', where: 'after', ...noiseModel, k: noiseTimes * noiseLevels[noise] },
      depthMode: 'offset',
      ...images,
    },
    baseWidth: baseWidth * (factors.baseWidth ?? 1),
    epochs: longer * epochs,
    batch: 4,
    optimizer: 'sgd',
    learningRate: learningRate * (factors.learningRate ?? 1),
    momentum: 0.9,
    weightDecay: 1e-3,
    depthLoss: 'mse',
    lambda,
    multiOpt: 'twoForwards',
    ...read,
  };
}

export function describePreset(preset: PresetName): string {
  const { size, baseWidth, richest, validationCount, testCount, epochs, learningRate } = sizes[preset];
  const counts = trainSizes.map((n) => Math.round((n * richest) / PUBLISHED_RICHEST)).join(', ');
  return (
    `Images ${size} x ${size}, U-Net of base width ${baseWidth}; the paper's N = ${trainSizes.join(', ')} stand for ${counts} ` +
    `training images; ${validationCount} validation and ${testCount} test images, ${epochs} epochs, learning rate ` +
    `${learningRate}. Noise by the equal-difficulty rule: k x ${size} / 256.`
  );
}
