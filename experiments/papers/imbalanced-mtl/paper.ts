// O. Erkent, "Multi-Task Learning for Robot Perception with Imbalanced Data" (arXiv 2602.01899, 2025): a teacher with a second
// input labels what has no label, a student learns from it. The toy problem runs; the image tables are listed only.
import { presetTexts } from '../../runner/definition.ts';
import type { DataFacts, Paper } from '../../runner/paper.ts';
import { settingsSchema, toySeeds, toySettings, type ToySettings } from './settings.ts';
import { table2 } from './table2.ts';
import { trainToy } from './toy.ts';
import { unattempted } from './unattempted.ts';

/** The paper defines its toy data by formulas: generated here, and not a stand-in. */
const data: DataFacts = { name: "the paper's two functions", real: true, checksums: {} };

export const imbalancedMtl: Paper<ToySettings> = {
  name: 'imbalanced-mtl',
  title: 'Multi-Task Learning for Robot Perception with Imbalanced Data',
  citation: 'O. Erkent, arXiv 2602.01899; Ordu Univ. J. Science and Technology 15(2), 151-164, 2025.',
  tables: [table2, ...unattempted],
  presets: presetTexts((preset) => {
    const { points, labelled, hidden, epochs } = toySettings[preset];
    const sizes = `${points} points, ${labelled} of them with f2, hidden layers of ${hidden.join(', ')}, ${epochs} epochs`;
    return preset === 'smoke' ? `${sizes}.` : `As published, which fits every machine: ${sizes}.`;
  }),
  ambiguities: [
    'All toy hyper-parameters except 4 x 128 neurons, 640 and 160 points are unstated: standardised inputs and targets, relu, ' +
      'Adam 1e-3, batch 16, 10 epochs for every network.',
    'The 160 points with f2 are taken to be a subset of the 640.',
    'The student learns from pseudo values at all 640 points, also where f2 is known.',
    '"Average MSE" may be a mean absolute error: both are reported.',
    'The paper counts training in epochs; with equal numbers of updates its order disappears, as the controls show.',
  ],
  settings: settingsSchema,
  defaultSeeds: (preset) => toySeeds[preset],
  dataFacts: () => Promise.resolve(data),
  cost: () => 1,
  train: (context) => trainToy(context, context.settings),
  tour: { tables: ['table2'], preset: 'paper' },
};
