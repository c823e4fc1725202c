// "Multitask Learning in Image Recognition, Segmentation, and Classification" (coursework of the UCL module COMP0090, 2022): encoder
// branches joined by cross-stitch units, for segmentation, head box and cat or dog on Oxford-IIIT Pet.
import path from 'node:path';
import { DataError } from '../../../engine/index.ts';
import { dataOf } from '../../data/dataset.ts';
import { preparedPets } from '../../data/pet-store.ts';
import type { PetCohort, PetCounts, PetSamples, PetSource } from '../../data/pets.ts';
import { officialCounts, oxfordPets } from '../../data/sets/oxford-pets.ts';
import { presetTexts } from '../../runner/definition.ts';
import type { Paper, PresetName, RunContext } from '../../runner/paper.ts';
import { figure3, learningCurves, stitchMatrixTable, taskWeights } from './figures.ts';
import { otherItems } from './items.ts';
import { type Counting, countParameters, isCounting, parameterTable } from './parameters.ts';
import { describePreset, sizes } from './presets.ts';
import { type NetworkName, settingsSchema, type TrainingSettings } from './settings.ts';
import { choiceTable, collapseTable, lastBatchTable, protocolTable } from './studies.ts';
import { table1, table1BiasAlone, table1WithBias, table1WithoutSigmoid } from './table1.ts';
import { trainCrossStitch } from './training.ts';

/** Multiply-adds of one epoch relative to the baseline (section 8.1 of the specification). */
const relativeCost: Readonly<Record<NetworkName, number>> = { baseline: 1, binary: 1.5, box: 1.5, mtl: 2.1, oeq: 3 };

const pets = dataOf('cross-stitch', oxfordPets, (preset) => sizes[preset].counts);

/** The pictures of a preset or of a run; the preset `paper` takes no part of them. */
async function petSource(preset: PresetName, data: string | undefined, counts?: PetCounts): Promise<PetSource> {
  const found = await pets.load(preset, data, counts);
  if (preset === 'paper' && found.counts.train < officialCounts.train) {
    throw new DataError('the preset paper of cross-stitch needs all pictures with a head box', {
      expected: String(officialCounts.train + officialCounts.validation + officialCounts.test),
      given: found.name,
    });
  }
  return found;
}

async function samplesOf(context: RunContext, settings: TrainingSettings): Promise<Record<PetCohort, PetSamples>> {
  const { size, borderIsPet, chunk, counts } = settings;
  const source = await petSource(context.preset, context.data, counts);
  return preparedPets(source, { size, borderIsPet, chunk }, context.cache && path.join(context.cache, 'cross-stitch'));
}

export const crossStitch: Paper<TrainingSettings | Counting> = {
  name: 'cross-stitch',
  title: 'Multitask Learning in Image Recognition, Segmentation, and Classification',
  citation:
    'Coursework of the UCL module COMP0090, 2022; networks and training from the public scripts of its authors.',
  tables: [
    table1,
    table1WithoutSigmoid,
    table1WithBias,
    table1BiasAlone,
    parameterTable,
    protocolTable,
    lastBatchTable,
    figure3,
    learningCurves,
    taskWeights,
    stitchMatrixTable,
    choiceTable,
    collapseTable,
  ],
  otherItems,
  presets: presetTexts(describePreset),
  ambiguities: [
    'Batch 39 as the paper says (three chunks of 13); the scripts of the ablations and of MTL use 30. No image is left out of an ' +
      'evaluation.',
    '3,686 images, 2,210 + 738 + 738; the paper says 3,684. The split of the course is not known: shuffled once with a fixed seed.',
    'One stitch matrix for all five places, at the rate of the other parameters; a matrix for each stage is a control.',
    'The stem is shared and called once. The authors call it once per branch, which changes its running statistics alone.',
    'A sigmoid before the cross-entropy, as in the scripts; no-sigmoid leaves it out.',
    'Distance IoU with the squared centre distance, as in its definition and the scripts; the paper prints it unsquared. Boxes with ' +
      'their corners in the wrong order count as empty.',
    'Task weights by iteration with priors, and a task is left out of an iteration when its loss is below 0.2 (binary of OEQ: 0.1), ' +
      'as in the scripts; the equation of the paper is a control. A parameter without a gradient is not moved by Adam.',
    'When the binary loss of OEQ is left out, its box loss has weight 1, as in the script.',
    'Batch norm uses the statistics of each batch at evaluation too, as the scripts do; running statistics beside it.',
    'The border class of a trimap counts as pet. Of a picture with two heads the first one counts.',
    'Pictures are resized with a triangle filter, trimaps by nearest neighbour with half-pixel centres.',
    'OEQ: the warp of the first phase leaves the boxes where they were, so it is off; with it: table choices.',
    'The weights after the last epoch are tested, once.',
  ],
  settings: settingsSchema,
  defaultSeeds: (preset) => sizes[preset].seeds,
  async dataFacts(preset, data) {
    const { train, validation, test } = (await petSource(preset, data)).counts;
    const facts = await pets.facts(preset, data);
    return { ...facts, name: `${facts.name}, ${train} + ${validation} + ${test}` };
  },
  cost(settings) {
    if (isCounting(settings)) return 0;
    const { network, widths, size, counts, epochs } = settings;
    return relativeCost[network] * counts.train * epochs * (widths[0]! * size) ** 2;
  },
  async train(context) {
    const { settings } = context;
    if (isCounting(settings)) return countParameters();
    return trainCrossStitch(context, settings, await samplesOf(context, settings));
  },
};
