// Readings of what the paper leaves open (section 9 of the specification), each as what it changes in the settings of a preset. Rates are
// absolute, whatever the width. The weight of the depth loss is not among them: it stands in the name of a run.
import type { TrainingSettings } from './settings.ts';

/** What a reading changes; all else is as in the preset. */
export type Reading = Partial<
  Pick<
    TrainingSettings,
    'optimizer' | 'learningRate' | 'multiOpt' | 'depthLoss' | 'levels' | 'flattened' | 'batchNorm' | 'classWeights'
  >
> & {
  readonly images?: Partial<Omit<TrainingSettings['images'], 'size' | 'noise'>>;
  /** The preset's noise multiplied. */
  readonly noiseTimes?: number;
  readonly noiseModel?: Partial<Pick<TrainingSettings['images']['noise'], 'kind' | 'where'>>;
};

const rmsprop = { optimizer: 'rmsprop', learningRate: 5e-5 } as const;

/** By what they say. */
export const readings = {
  'RMSprop 5e-5': rmsprop,
  'RMSprop 5e-5, one forward': { ...rmsprop, multiOpt: 'sharedForward' },
  'RMSprop 5e-5, noise*1.5': { ...rmsprop, noiseTimes: 1.5 },
  'SGD 1e-3': { learningRate: 1e-3 },
  'SGD 3e-4': { learningRate: 3e-4 },
  'SGD 1.5e-4': { learningRate: 1.5e-4 },
  'SGD 1e-4': { learningRate: 1e-4 },
  'SGD 5e-5': { learningRate: 5e-5 },
  'noise*1.5': { noiseTimes: 1.5 },
  'noise*2': { noiseTimes: 2 },
  'noise*3': { noiseTimes: 3 },
  'noise before upsampling': { noiseModel: { where: 'before' } },
  'power ratio': { noiseModel: { kind: 'power' } },
  'half of the images noisy': { images: { noisyShare: 0.5 } },
  'flattened': { flattened: true },
  'three levels': { levels: 3 },
  'not standardised': { images: { standardized: false } },
  'no batch norm': { batchNorm: false },
  'fresh noise': { images: { freshNoise: true } },
  'grey digits': { images: { grey: true } },
  'absolute depth loss': { depthLoss: 'l1' },
  'depth c / 9': { images: { depthMode: 'literal' } },
  'unweighted classes': { classWeights: false },
} as const satisfies Readonly<Record<string, Reading>>; // prettier-ignore
export type ReadingName = keyof typeof readings;
