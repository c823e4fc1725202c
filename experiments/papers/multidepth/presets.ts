// Sizes by preset. One table: everything that a preset shrinks stands here (section 8.2 of the specification).
import type { PresetName } from '../../runner/paper.ts';
import {
  bounds,
  DEFAULT_CLASSES,
  type Patch,
  type RangeTest,
  type RunName,
  type TrainingSettings,
} from './settings.ts';

type Sizes = Pick<
  TrainingSettings,
  | ('baseWidth' | 'blocks' | 'scales' | 'trainCount' | 'validationCount')
  | ('iterations' | 'learningRate' | 'weightsLearningRate' | 'validateEvery' | 'checkpointEvery')
> & {
  /** Side and batch that stand for the paper's patches. */
  readonly patches: Readonly<Record<Patch, readonly [side: number, batch: number]>>;
  readonly rangeSteps: number;
  readonly seeds: number;
};

/** Regression weights of the search by hand; that of classification is 1. */
export const manualWeights: readonly number[] = [3, 10, 30, 100, 300];

// Adam moves a scalar by about its rate per step: over the paper's run by at most 26. A shorter run needs a higher rate to leave
// room for the same way; at the network's own rate "learned" would stay almost fixed.
// prettier-ignore
const laptop: Sizes = {
  baseWidth: 6, blocks: [1, 1, 2, 1], scales: 'one', patches: { 128: [48, 16], 256: [96, 8] },
  iterations: 1900, learningRate: 1e-3, weightsLearningRate: 0.025, validateEvery: 190, checkpointEvery: 95,
  trainCount: 400, validationCount: 48, rangeSteps: 250, seeds: 3,
};

// prettier-ignore
export const sizes: Readonly<Record<PresetName, Sizes>> = {
  paper: {
    baseWidth: 64, blocks: [3, 4, 23, 3], scales: 'uniform', patches: { 128: [128, 32], 256: [256, 16] },
    iterations: 500_000, learningRate: 1e-4, weightsLearningRate: 1e-4, validateEvery: 1000, checkpointEvery: 500,
    trainCount: 85_898, validationCount: 1000, rangeSteps: 250, seeds: 1,
  },
  laptop,
  tour: { ...laptop, iterations: 380, trainCount: 200, validationCount: 16, seeds: 1 },
  smoke: {
    ...laptop, baseWidth: 2, patches: { 128: [48, 4], 256: [96, 2] },
    iterations: 6, validateEvery: 3, checkpointEvery: 2, trainCount: 8, validationCount: 2, rangeSteps: 24, seeds: 1,
  },
};

/** How many times as long the variant 'longer' trains. The task weights can move as far as in the others. */
export const LONGER = 3;

/** The paper's range test in `steps` instead of 250, the loss smoothed over the same part of it. */
const rangeTestOf = (steps: number): RangeTest => ({
  steps,
  rates: [1e-8, 10],
  memory: 0.98 ** (250 / steps),
  ceiling: 100,
});

/** All settings of a run under a preset. */
export function settingsOf(
  { weighting, classes = DEFAULT_CLASSES, patch = 128, bounds: range = '2-125', variant }: RunName,
  preset: PresetName,
): TrainingSettings {
  const { patches, rangeSteps, seeds: _, ...size } = sizes[preset];
  const [side, batch] = patches[patch];
  const times = variant === 'longer' ? LONGER : 1;
  const constant = { kind: 'constant', regression: 1, classification: 1 } as const;
  const objectives: Readonly<Record<typeof weighting, TrainingSettings['objective']>> = {
    regression: { kind: 'regression' },
    classification: { kind: 'classification' },
    equal: constant,
    manual: constant,
    learned: { kind: 'learned', form: variant === 'weights as printed' ? 'exp(-s^2)' : 'exp(-s)', start: 1 },
  };
  return {
    ...size,
    iterations: times * size.iterations,
    validateEvery: times * size.validateEvery,
    objective: objectives[weighting],
    search: weighting === 'manual' ? manualWeights : [],
    classes,
    bounds: bounds[range],
    classPlanes: variant === 'narrow classes' ? [5, 50] : null,
    wholeMetres: variant === 'whole metres',
    patch: side,
    batch,
    weightsLearningRate: variant === 'rate of the network' ? size.learningRate : size.weightsLearningRate / times,
    weightDecay: 1e-4,
    power: 0.9,
    rangeTest: variant === 'range test' ? rangeTestOf(rangeSteps) : null,
  };
}

/** What a preset shrinks, for the report. */
export function describePreset(preset: PresetName): string {
  const { baseWidth, blocks, patches, iterations, learningRate, weightsLearningRate, validationCount } = sizes[preset];
  const [small, large] = [patches[128], patches[256]];
  return (
    `Base width ${baseWidth}, ${blocks.join(', ')} blocks; the paper's patches 128 and 256 stand for ${small[0]} (batch ` +
    `${small[1]}) and ${large[0]} (batch ${large[1]}); ${iterations} iterations, learning rate ${learningRate}, that of the ` +
    `task weights ${weightsLearningRate}; up to ${validationCount} whole validation images.`
  );
}
