// A. Nayak, A. Du, D. Portmann, "Multitask Deep Learning for Depth Estimation and Object Classification" (Stanford CS230, 2024), on
// Alhashim and Wonka's DenseDepth (arXiv 1812.11941).
import { dataOf } from '../../data/dataset.ts';
import type { SceneRequest } from '../../data/object-scenes.ts';
import { redwood } from '../../data/sets/redwood.ts';
import { presetTexts } from '../../runner/definition.ts';
import type { Paper } from '../../runner/paper.ts';
import { figure4, figure5, figure6 } from './curves.ts';
import { figure8, perClass } from './figure8.ts';
import { otherItems } from './items.ts';
import { predictor } from './predict.ts';
import { describePreset, sizes } from './presets.ts';
import { settingsSchema, type TrainingSettings } from './settings.ts';
import { filters, fineTuning, learningRates, lossWeights, split } from './studies.ts';
import { figure2, figure3, plateau, toy } from './study.ts';
import { trainDenseDepth } from './training.ts';

type Asked = Pick<TrainingSettings, 'counts' | 'width' | 'height' | 'framesPerScan'>;
const requestOf = ({ counts, width, height, framesPerScan }: Asked): SceneRequest => ({
  counts,
  width,
  height,
  framesPerScan,
});

const scenes = dataOf('densedepth', redwood, (preset) =>
  requestOf({ ...sizes[preset], counts: sizes[preset].counts.final }),
);

/** Arithmetic of a picture in the small size, relative to the decoder with 8 filters (section 8.2 of the specification). */
const ENCODER = 0.8;

export const densedepth: Paper<TrainingSettings> = {
  name: 'densedepth',
  title: 'Multitask Deep Learning for Depth Estimation and Object Classification',
  citation: 'A. Nayak, A. Du, D. Portmann, Stanford CS230, 2024; after I. Alhashim, P. Wonka, arXiv 1812.11941.',
  tables: [
    figure8,
    figure2,
    figure3,
    plateau,
    toy,
    figure4,
    figure5,
    figure6,
    perClass,
    fineTuning,
    filters,
    learningRates,
    lossWeights,
    split,
  ],
  otherItems,
  presets: presetTexts(describePreset),
  ambiguities: [
    'Weights of the depth loss: the report prints 1, 1, 1, the notebooks have 0.85, 0.9, 0.1. The notebooks’; the others are a control.',
    'Figure 8 mixes two trainings. Here one training has train, validation and test.',
    'Test pictures: the report says 400, and "around 350" elsewhere; the test array of the notebooks has 371. 371 at paper size. Examples: ' +
      '4,500 in the report, 3,513 + 371 in the notebooks; 3,161 + 352 + 371 here.',
    'A second batch norm of each block of the decoder never enters the graph; left out. The last block has 32 filters whatever n is.',
    'Pixels without a measurement are targets of 0 m, in losses and metrics, as in the notebooks; leaving them out is a control.',
    'Every backbone is fed x / 255, as in the notebooks; what its weights expect is a control.',
    'Split by scan; the authors cut by picture, copies and neighbouring frames on both sides, which is a control.',
    'Augmentation: flip with probability 0.5 and swap of red and green with 0.25, as the report says; the notebook appends copies once.',
    'Fine-tuning: the text says that it did not help, the history that it did, on another split. One split here, no target value.',
    'Pictures and depth maps are paired by time; the preparation notebook pairs by place in two lists of different length.',
    'SSIM of the metric is by the range of each batch (of 32 in evaluation); by a fixed range beside it.',
    'Taps of EfficientNetV2B0 and ResNet50 are not published: the last map of each scale. n by the rule channels / 2 / 16.',
    'No ImageNet weights: backbones are pre-trained on generated scenes (9 classes of shape and colour, contrast and brightness at random) in ' +
      'their own scaling, once for all runs, and then frozen. What the report says of transfer from ImageNet is not tested by that.',
    'Below paper size the rate is 30 times as high, for a schedule 35 times as short, and the statistics of batch norm are faster.',
    'The weights of the best validation loss are tested, once; without a validation set those of the last epoch.',
  ],
  settings: settingsSchema,
  defaultSeeds: (preset) => sizes[preset].seeds,
  dataFacts: scenes.facts,
  cost({ filters, counts, epochs, fineTuning, width, height, augmentation }) {
    const copies = augmentation.kind === 'copies' ? 1 + augmentation.flips + augmentation.swaps : 1;
    const decoder = 3 * (filters / 8) ** 2;
    const tuned = (fineTuning?.epochs ?? 0) * (decoder + 3 * ENCODER);
    return counts.train * copies * width * height * (epochs * (decoder + ENCODER / 4) + tuned);
  },
  async train(context) {
    const { preset, data, settings } = context;
    return trainDenseDepth(context, settings, await scenes.load(preset, data, requestOf(settings)));
  },
  predict: predictor,
};
