// The depth errors behind the pictures of Tables 1 and 2, which the paper shows and does not count, and its second claim: noise hurts
// the depth estimate, few images the classifier.
import { above, beside, cell, claim, column, effect, rowsOf } from '../../runner/definition.ts';
import type { Cell, CellValue, Effect, TableDefinition } from '../../runner/paper.ts';
import { byImages, byNoise, type Comparison } from './cells.ts';

const metrics = ['digitDepthRmse', 'depthRmse', 'accuracy'] as const;
const columns = [
  column('depth error, digit pixels (RMSE)', 4, 'lower'),
  column('depth error, all pixels (RMSE)', 4, 'lower'),
  column('test accuracy', 3, 'higher'),
];
/** A comparison with the cells of dMTL. */
interface Place {
  readonly depth: Cell;
  readonly accuracy: Cell;
}
const placeOf = ({ multiRun }: Comparison): Place & { readonly row: readonly Cell[] } => {
  const row = metrics.map((metric) => cell(multiRun, metric));
  return { row, depth: row[0]!, accuracy: row[2]! };
};
const [noisy, scarce] = [byNoise, byImages].map((list) => list.map((each) => ({ name: each.name, ...placeOf(each) })));
const shown = (list: typeof noisy) =>
  rowsOf(
    list!.map((each) => [each.name, each] as const),
    metrics,
    ({ row }, metric) => row[metrics.indexOf(metric)]!,
  );

const [clean, loud] = [noisy!.at(0)!, noisy!.at(-1)!];
const [few, many] = [scarce!.at(0)!, scarce!.at(-1)!];

/** By which factor an error grows from one place to another. */
const depthFactor = (value: CellValue, from: Place, to: Place): number => value(to.depth) / value(from.depth);
const classFactor = (value: CellValue, from: Place, to: Place): number =>
  (1 - value(to.accuracy)) / Math.max(1e-6, 1 - value(from.accuracy));

const factors = (text: string, from: Place, to: Place, of: Effect['of']): Effect =>
  effect(text, [from.depth, to.depth, from.accuracy, to.accuracy], 'above', 0, of);

export const depthErrors: TableDefinition = {
  name: 'depth-errors',
  title: 'depth errors of dMTL by noise and by training images',
  source: 'text, claim 2',
  besides: [
    beside('by noise, N = 5000', 'S:N', columns, shown(noisy)),
    beside('by training images, S:N = 1:29', 'training images', columns, shown(scarce)),
  ],
  claims: [
    above('noise hits depth: its error grows from no noise to 1:29', loud.depth, clean.depth),
    claim('noise hits depth more than few images do', [
      effect(
        'growth by noise - growth by scarcity',
        [loud.depth, clean.depth, few.depth, many.depth],
        'above',
        0,
        (value) => depthFactor(value, clean, loud) - depthFactor(value, many, few),
      ),
    ]),
    above('size hits classification: accuracy falls from N = 5000 to 3500', many.accuracy, few.accuracy),
    claim('few images hit classification more than depth', [
      factors('growth of the class error - of the depth error, by scarcity', many, few, (value) => {
        return classFactor(value, many, few) - depthFactor(value, many, few);
      }),
    ]),
    claim('noise hits depth more than classification', [
      factors('growth of the depth error - of the class error, by noise', clean, loud, (value) => {
        return depthFactor(value, clean, loud) - classFactor(value, clean, loud);
      }),
    ]),
  ],
  notes: [
    'The paper says that few images hurt mainly the classifier and noise mainly the depth estimate; it shows depth by pictures alone. Read ' +
      'as factors by which errors grow: of depth the root mean squared error over digit pixels, of classification the share of wrong answers.',
    'By the published accuracies the last claim asks for much: from no noise to 1:29 the share of wrong answers grows from 0.033 to 0.149.',
  ],
};
