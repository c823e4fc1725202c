// K. Namdar, P. Vafaeikia, F. Khalvati, "Minimizing the Effect of Noise and Limited Dataset Size in Image Classification Using
// Depth Estimation as an Auxiliary Task with Deep Multitask Learning" (arXiv 2208.10390, 2022).
import { dataOf } from '../../data/dataset.ts';
import { mnist, type MnistRequest } from '../../data/sets/mnist.ts';
import { nyud } from '../../data/sets/nyud.ts';
import { tooFewForBatchNorm } from '../../parallel/parts.ts';
import { presetTexts } from '../../runner/definition.ts';
import type { Paper, RunResult, TrainContext } from '../../runner/paper.ts';
import { depthErrors } from './depth-errors.ts';
import { figure11, figure7, figure9 } from './figures.ts';
import { otherItems } from './items.ts';
import { describePreset, sizes } from './presets.ts';
import { readingsTable } from './readings.ts';
import { countScenes } from './scene-histogram.ts';
import { mapScenes } from './scene-map.ts';
import { describeScenes, presetRequest, requestOf as roomsOf, sceneSeeds } from './scene-presets.ts';
import {
  type HistogramSettings,
  histogramSchema,
  mapSchema,
  type MapSettings,
  sceneSchema,
  type SceneSettings,
} from './scene-settings.ts';
import { scenePictures } from './scene-split.ts';
import { figure12, figure3, NYU, table4 } from './scene-tables.ts';
import { trainScenes } from './scene-training.ts';
import { settingsSchema, type Strategy, type TrainingSettings } from './settings.ts';
import { lambda, ordering } from './studies.ts';
import { table1, table2, table3 } from './tables.ts';
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

const rooms = dataOf('dmtl', nyud, presetRequest);

type Settings = TrainingSettings | SceneSettings | MapSettings | HistogramSettings;
type SceneRunSettings = Exclude<Settings, TrainingSettings>;
/** All runs on rooms say how many of them are generated, and none on digits. */
const isOnRooms = (settings: Settings): settings is SceneRunSettings => 'rooms' in settings;

/** Steps of a t-SNE for a pair of pictures beside the arithmetic of a pixel of a network of width 1, estimated. */
const PAIR_COST = 0.4;

function costOfScenes(settings: SceneRunSettings): number {
  const pictures = settings.rooms.train + settings.rooms.test;
  if ('mapped' in settings) return PAIR_COST * settings.iterations * pictures ** 2;
  if ('counts' in settings) return 1;
  const { labels, strategy, epochs, baseWidth, size } = settings;
  // Of all pictures a quarter are kitchens, and as many of the rest are beside them.
  const taking = labels === 'seven' ? pictures : pictures / 2;
  return relativeCost[strategy] * 0.6 * taking * epochs * (baseWidth * size) ** 2;
}

async function trainOnRooms(context: TrainContext<Settings>, settings: SceneRunSettings): Promise<RunResult> {
  const size = 'mapped' in settings ? settings.mapped : 'size' in settings ? settings.size : undefined;
  const request = size === undefined ? presetRequest(context.preset) : roomsOf(size, settings.rooms);
  const data = await rooms.load(context.preset, context.data, request);
  if ('mapped' in settings) return mapScenes(context, settings, data);
  return 'counts' in settings ? countScenes(data) : trainScenes(context, settings, data);
}

export const dmtl: Paper<Settings> = {
  name: 'dmtl',
  title: 'Minimizing the Effect of Noise and Limited Dataset Size in Image Classification Using Depth Estimation',
  citation: 'K. Namdar, P. Vafaeikia, F. Khalvati, arXiv 2208.10390, 2022.',
  tables: [
    table1,
    table2,
    table3,
    table4,
    figure3,
    figure7,
    figure9,
    figure11,
    figure12,
    depthErrors,
    lambda,
    ordering,
    readingsTable,
  ],
  otherItems,
  presets: presetTexts((preset) => `${describePreset(preset)} ${describeScenes(preset)}`),
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
    'NYU: labels from the kinds of rooms in the data set, by a map into seven categories, since those given by hand cannot be had.',
    'NYU: a balanced subset, for always answering "no" on all pictures would score above every entry of Table 4.',
    'NYU: pictures of both official cohorts, from -1 to 1; depth over 10 m, where it was measured; mirrored at random in training; 30 epochs.',
  ],
  settings: settingsSchema.or(sceneSchema).or(mapSchema).or(histogramSchema),
  defaultSeeds: (preset, set) => (set === NYU ? sceneSeeds(preset) : sizes[preset].seeds),
  async dataFacts(preset, data, set) {
    if (set !== NYU) return digits.facts(preset, data);
    const facts = await rooms.facts(preset, data);
    // Throws where the data do not say which kinds of rooms they are, before anything is run.
    scenePictures(await rooms.load(preset, data));
    return facts;
  },
  cost(settings) {
    if (isOnRooms(settings)) return costOfScenes(settings);
    const { strategy, trainCount, epochs, baseWidth, images } = settings;
    return relativeCost[strategy] * trainCount * epochs * (baseWidth * images.size) ** 2;
  },
  parts(settings, count) {
    if (isOnRooms(settings)) return 'depth in rooms is averaged over the pixels that were measured in the whole batch';
    const { strategy, multiOpt, batch } = settings;
    if (strategy === 'multipleOptimizers' && multiOpt === 'sharedForward') {
      return 'two optimizers take two gradients of the same forward pass, which are not added up';
    }
    return tooFewForBatchNorm(batch, count);
  },
  async train(context) {
    const { preset, data, settings } = context;
    if (isOnRooms(settings)) return trainOnRooms(context, settings);
    return trainDmtl(context, settings, await digits.load(preset, data, requestOf(settings)));
  },
  tour: { tables: ['table3'], preset: 'tour' },
};
