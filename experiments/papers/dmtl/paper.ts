// K. Namdar, P. Vafaeikia, F. Khalvati, "Minimizing the Effect of Noise and Limited Dataset Size in Image Classification Using
// Depth Estimation as an Auxiliary Task with Deep Multitask Learning" (arXiv 2208.10390, 2022).
import { dataOf } from '../../data/dataset.ts';
import { mnist, type MnistRequest } from '../../data/sets/mnist.ts';
import { presetTexts } from '../../runner/definition.ts';
import type { Paper } from '../../runner/paper.ts';
import { depthErrors } from './depth-errors.ts';
import { figure11, figure7, figure9 } from './figures.ts';
import { otherItems } from './items.ts';
import { describePreset, sizes } from './presets.ts';
import { readingsTable } from './readings.ts';
import { settingsSchema, type Strategy, type TrainingSettings } from './settings.ts';
import { lambda, ordering } from './studies.ts';
import { table1, table2, table3, table4 } from './tables.ts';
import { trainDmtl } from './training.ts';

/** Passes over the whole network per batch, relative to the multitask loss (section 8.1 of the specification). */
const relativeCost: Readonly<Record<Strategy, number>> = {
  singleTask: 0.35,
  sequential: 1.35,
  sequentialHalf: 0.7,
  multipleOptimizers: 1.35,
  multitaskLoss: 1,
};

type Counts = Pick<TrainingSettings, 'trainCount' | 'validationCount' | 'testCount'>;

function requestOf({ trainCount: train, validationCount: validation, testCount: test }: Counts): MnistRequest {
  return { train, validation, test };
}

/** As many images as any run of the preset needs. */
const digits = dataOf('dmtl', mnist, (preset) => requestOf({ ...sizes[preset], trainCount: sizes[preset].richest }));

export const dmtl: Paper<TrainingSettings> = {
  name: 'dmtl',
  title: 'Minimizing the Effect of Noise and Limited Dataset Size in Image Classification Using Depth Estimation',
  citation: 'K. Namdar, P. Vafaeikia, F. Khalvati, arXiv 2208.10390, 2022.',
  tables: [table1, table2, table3, table4, figure7, figure9, figure11, depthErrors, lambda, ordering, readingsTable],
  otherItems,
  presets: presetTexts(describePreset),
  ambiguities: [
    'Noise model: y = (x + k n) / (1 + k), n uniform on [0, 1) per upsampled pixel; k = 5, 19, 29 make the signal exactly 1/6, ' +
      '1/20 and 1/30 of the mixture. The alternatives (power ratio, noise before upsampling) are options of the data code.',
    'Depth of digit c: (c + 1) / 10. Taken literally (proportional to c) digit 0 would have no depth at all.',
    'The network sees the binarised digit, not the grey one: the noise ratio is well defined then.',
    'Upsampling: bilinear, half-pixel centres, then threshold 0.5. Noise is drawn once per image, not anew in each epoch.',
    'Widths, batch norm and the classifier are those of the textbook U-Net (64 to 1024) with mean pooling, 256, 64, 10.',
    'Optimizer: "momentum 0.9" leaves SGD or RMSprop. SGD, since RMSprop makes multiple optimizers collapse.',
    'Depth loss: mean squared error over all pixels, weight 1.',
    'Sequential training: depth first, then class. Fresh optimizer for the second stage.',
    'Table 2 and Table 3 contradict each other at (1:29, 3500): both strategies are run.',
    'The weights of the best validation accuracy are tested, once.',
    'The learning rate 5e-5 does not move narrow networks: the presets below paper size use 5e-3.',
  ],
  settings: settingsSchema,
  defaultSeeds: (preset) => sizes[preset].seeds,
  dataFacts: digits.facts,
  cost: ({ strategy, trainCount, epochs, baseWidth, images }) =>
    relativeCost[strategy] * trainCount * epochs * (baseWidth * images.size) ** 2,
  async train(context) {
    const { preset, data, settings } = context;
    return trainDmtl(context, settings, await digits.load(preset, data, requestOf(settings)));
  },
  tour: { tables: ['table3'], preset: 'tour' },
};
