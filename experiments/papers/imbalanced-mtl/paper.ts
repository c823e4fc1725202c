// O. Erkent, "Multi-Task Learning for Robot Perception with Imbalanced Data" (arXiv 2602.01899, 2025): a teacher with a second
// input labels what has no label, a student learns from it. A toy problem, NYUDv2 and Cityscapes with MTI-Net.
import { dataOf } from '../../data/dataset.ts';
import type { RoomRequest, RoomScenes } from '../../data/rooms.ts';
import { cityscapes } from '../../data/sets/cityscapes.ts';
import { nyud } from '../../data/sets/nyud.ts';
import { presetTexts } from '../../runner/definition.ts';
import type { DataFacts, Paper, PresetName } from '../../runner/paper.ts';
import { figure3, figure5, figure6, table1 } from './figures.ts';
import { otherItems } from './items.ts';
import { predictor } from './predict.ts';
import { describePreset, requestOf, seeds } from './presets.ts';
import { type DataSetName, type RoomSettings, settingsSchema } from './settings.ts';
import { choicesTable, condition2, epochs, headsTable, tau } from './studies.ts';
import { table2 } from './table2.ts';
import { table3, table4 } from './table4.ts';
import { table5 } from './table5.ts';
import { toySchema, toySeeds, toySettings, type ToySettings } from './toy-settings.ts';
import { trainToy } from './toy.ts';
import { trainRooms } from './training.ts';

/** The paper defines its toy data by formulas: generated here, and not a stand-in. */
const formulas: DataFacts = { name: "the paper's two functions", real: true, checksums: {} };

const pictures = {
  nyud: dataOf('imbalanced-mtl', nyud, (preset) => requestOf(preset, 'nyud')),
  cityscapes: dataOf('imbalanced-mtl', cityscapes, (preset) => requestOf(preset, 'cityscapes')),
};

/** The pictures of a preset or of a run. Of the harder rooms there are none but generated ones. */
const load = async (
  set: DataSetName,
  preset: PresetName,
  data: string | undefined,
  request: RoomRequest,
): Promise<RoomScenes> => (set === 'harder' ? nyud.standIn(request) : pictures[set].load(preset, data, request));

async function factsOf(set: DataSetName, preset: PresetName, data: string | undefined): Promise<DataFacts> {
  if (set !== 'harder') return pictures[set].facts(preset, data);
  const { name, checksums } = await load(set, preset, data, requestOf(preset, set));
  return { name, real: false, checksums };
}

const isToy = (settings: ToySettings | RoomSettings): settings is ToySettings => 'points' in settings;

/** Multiply-adds for a picture of 64 x 64 in the small networks, in millions (section 8.2 of the specification). */
const cost = { single: 14.2, both: 29.4, second: 9.9 };

export const imbalancedMtl: Paper<ToySettings | RoomSettings> = {
  name: 'imbalanced-mtl',
  title: 'Multi-Task Learning for Robot Perception with Imbalanced Data',
  citation: 'O. Erkent, arXiv 2602.01899; Ordu Univ. J. Science and Technology 15(2), 151-164, 2025.',
  tables: [
    table1,
    table2,
    figure3,
    table3,
    table4,
    figure5,
    table5,
    figure6,
    tau,
    headsTable,
    epochs,
    choicesTable,
    condition2,
  ],
  otherItems,
  presets: presetTexts((preset) => {
    const { points, labelled, hidden, epochs } = toySettings[preset];
    const published = preset === 'smoke' ? '' : ', as published';
    return `Toy: ${points} points, ${labelled} of them with f2, hidden layers of ${hidden.join(', ')}, ${epochs} epochs${published}. ${describePreset(preset)}`;
  }),
  ambiguities: [
    'All toy hyper-parameters except 4 x 128 neurons, 640 and 160 points are unstated: standardised inputs and targets, relu, ' +
      'Adam 1e-3, batch 16, 10 epochs for every network.',
    'The 160 points with f2 are taken to be a subset of the 640.',
    'The student learns from pseudo values at all 640 points, also where f2 is known; on pictures from true labels where there are any.',
    '"Average MSE" may be a mean absolute error: both are reported.',
    'The paper counts training in epochs; with equal numbers of updates its order disappears, as the controls of table2 show. On pictures all ' +
      'rows make equal updates; table epochs has equal epochs.',
    'Validation pictures of NYUDv2: 295 in the text, 395 in the tables; 500 + 295 is the official training split, cut by a fixed permutation.',
    'The teacher is trained on the pictures with both labels; its row in the tables says all. On all depths: table choices.',
    'HRNet-W18 is W18-Small-v2, as in the code of MTI-Net. Epochs, Adam, poly schedule, weight decay and augmentation are those of its NYUD ' +
      'configuration, for Cityscapes too; the last weights are evaluated.',
    'The backbone of the second input begins at random; that of the picture too, unless --weights gives it ImageNet’s.',
    'Segmentation as an input is a picture in the colours of the classes (small networks: a channel for each); depth is divided by its range.',
    'FMST, which the paper does not define: depth as a fourth channel of the picture.',
    'A single task is backbone and feature aggregation, the official baseline; with as many layers as UMMT: table heads.',
    'First predictions are supervised at full size with weight 1, as in MTI-Net; the paper prints L_D + alpha L_S alone.',
    'Pseudo-labels of depth have no threshold: all pixels, clipped to the range of the data.',
    'Cityscapes: 512 x 1024, 250 pictures withheld (the table says 500), depth from disparity and camera, at most 200 m, pixels without a ' +
      'disparity masked. The units of Table 5 are not matched.',
    'The softmax of the feature propagation pairs channels as the official code does.',
    'mIoU is over all classes of the data set by one confusion matrix, classes that are nowhere counting 0; logrmse clamps predictions at 1 mm.',
  ],
  settings: settingsSchema.or(toySchema),
  defaultSeeds: (preset, set) => (set === undefined ? toySeeds[preset] : seeds[preset]),
  dataFacts: (preset, data, set) =>
    set === undefined ? Promise.resolve(formulas) : factsOf(set as DataSetName, preset, data),
  cost(settings) {
    if (isToy(settings)) return 1;
    const { updates, batch, network } = settings;
    const { tasks, second, width, height, backbone } = network;
    const perPicture =
      (tasks.length > 1 ? cost.both : cost.single) + (second?.fusion === 'backbones' ? cost.second : 0);
    // The published network on pictures of 480 x 640 against the small one on those of 64 x 64: 17.1 G and 29.4 M.
    const scale = ((width * height) / 64 ** 2) * (backbone === 'nano' ? 1 : 7.8);
    return (updates * batch * perPicture * scale) / 1e3;
  },
  parts: ({ batch }, count) => (batch < count ? `a batch has ${batch} samples` : undefined),
  async train(context) {
    const { settings, preset, data } = context;
    if (isToy(settings)) return trainToy(context, settings);
    const { network, counts, rooms } = settings;
    const request = { width: network.width, height: network.height, counts, kind: rooms };
    return trainRooms(context, settings, await load(settings.data, preset, data, request));
  },
  tour: { tables: ['table2'], preset: 'paper' },
  predict: predictor,
};
