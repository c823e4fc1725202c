// L. Liebel, M. Koerner, "MultiDepth: Single-Image Depth Estimation via Multi-Task Regression and Classification" (ITSC 2019,
// arXiv 1907.11111).
import { dataOf } from '../../data/dataset.ts';
import { Frames } from '../../data/frames.ts';
import { kitti, type KittiRequest } from '../../data/sets/kitti.ts';
import { tooFewForBatchNorm } from '../../parallel/parts.ts';
import { presetTexts } from '../../runner/definition.ts';
import type { Paper, PresetName, RunResult, TrainContext } from '../../runner/paper.ts';
import { figure4 } from './figure4.ts';
import { figure5 } from './figure5.ts';
import { figure6 } from './figure6.ts';
import { figure7, figure8 } from './figure7.ts';
import { otherItems } from './items.ts';
import { longer } from './longer.ts';
import { predictor } from './predict.ts';
import { describePreset, sizes } from './presets.ts';
import { rangeTest } from './range-test.ts';
import { searchWeights } from './search.ts';
import { server } from './server.ts';
import { settingsSchema, type TrainingSettings } from './settings.ts';
import { type Counting, countingSchema, depthStatistics, figure3, isCounting } from './statistics.ts';
import { table1 } from './table1.ts';
import { type Cohorts, trainNetwork } from './training.ts';

/** Cost of counting the pixels of a depth map, in the same unit. */
const COUNTING_COST = 2 ** 16;
/** Forward cost of each head relative to the encoder (section 8.1 of the specification: 9.83 of 23.04 GFLOP). */
const HEAD_COST = 0.43;

const requestOf = ({ trainCount, validationCount }: KittiRequest): KittiRequest => ({ trainCount, validationCount });
const scenes = dataOf('multidepth', kitti, (preset) => requestOf(sizes[preset]));

/** KITTI depth prediction, or generated road scenes where a preset may stand in. */
export async function cohortsOf(preset: PresetName, data: string | undefined, counts?: KittiRequest): Promise<Cohorts> {
  const { train, validation } = await scenes.load(preset, data, counts && requestOf(counts));
  return { train: new Frames(train), validation: new Frames(validation) };
}

async function train(context: TrainContext<TrainingSettings | Counting>): Promise<RunResult> {
  const { settings } = context;
  const cohorts = await cohortsOf(context.preset, context.data, settings);
  if (isCounting(settings)) return depthStatistics(cohorts.train.pairs, (done, total) => context.progress(done, total));
  if (settings.rangeTest) return rangeTest(context, { ...settings, rangeTest: settings.rangeTest }, cohorts);
  return settings.search.length > 0
    ? searchWeights(context, settings, cohorts)
    : trainNetwork(context, settings, cohorts);
}

export const multidepth: Paper<TrainingSettings | Counting> = {
  name: 'multidepth',
  title: 'MultiDepth: Single-Image Depth Estimation via Multi-Task Regression and Classification',
  citation: 'L. Liebel, M. Körner, ITSC 2019, arXiv 1907.11111.',
  tables: [table1, figure3, figure4, figure5, figure6, figure7, figure8, longer, server],
  otherItems,
  presets: presetTexts(describePreset),
  ambiguities: [
    'Learned weights: the paper prints exp(-s^2), the released code has exp(-s), which is Kendall et al.’s. exp(-s); the printed ' +
      'form has no lower bound and is a control of figure 6.',
    'SILog: equation 1 has neither root nor factor; the tables show 100 times the development kit’s value, per image, averaged.',
    'Equal weights: 1 and 1, the plain sum. Manual weights are not disclosed: a search over w_reg with w_cls = 1.',
    'Validation: val_selection_cropped in whole images, as the paper says; the released loader takes random crops of another split.',
    'The released augmentation cuts depth to whole metres. Not done here, except as a control.',
    'The narrower planes of the class intervals have no values in the paper; the released code does not use them. Neither do we, ' +
      'except as a control.',
    'A class becomes metres as the middle of its interval in normalised log depth.',
    'Pooling cells have a fixed size, floor(H / b) by floor(W / b), as in the release: 8 x 8 of them instead of 6 x 6 at 128 pixels.',
    'Batch norm scales start uniform on (0, 1) at paper size, as in PyTorch 0.4, and at 1 in the smaller presets.',
    'The polynomial schedule starts at the base rate and never returns to it; weight decay is added to every gradient, those of ' +
      'the task weights too.',
    'A measurement at or below the lower bound counts as missing, as in the release.',
    'Below paper size the task weights have a learning rate of their own: at the network’s they could not move far enough in so ' +
      'few steps, and would stay almost fixed (a control of figure 6).',
  ],
  settings: settingsSchema.or(countingSchema),
  defaultSeeds: (preset) => sizes[preset].seeds,
  dataFacts: scenes.facts,
  cost(settings) {
    if (isCounting(settings)) return (settings.trainCount + settings.validationCount) * COUNTING_COST;
    const { objective, search, patch, batch, iterations, rangeTest, baseWidth } = settings;
    const heads = objective.kind === 'regression' || objective.kind === 'classification' ? 1 : 2;
    const updates = (rangeTest?.steps ?? iterations) * Math.max(1, search.length);
    return updates * batch * (patch * baseWidth) ** 2 * (1 + heads * HEAD_COST);
  },
  parts(settings, count) {
    return isCounting(settings) ? undefined : tooFewForBatchNorm(settings.batch, count);
  },
  train,
  predict: predictor,
};
