// Tables 3 and 4: NYUDv2. Nine rows by what they see and learn from, their claims, and where text and tables contradict each other.
import { above, claim, difference, rising } from '../../runner/definition.ts';
import type { Cell, Claim, TableDefinition } from '../../runner/paper.ts';
import { type PrintedRow, protocolMatrix, pseudoMatrix, scored, type Scored } from './cells.ts';
import { type Change, type DataSetName, type RowName, rowOf } from './settings.ts';

const ownTruth = 'its truth is also an input: the number does not count';
const val = 'the text says 295, which with 500 makes the 795 of the official training split';

// prettier-ignore
const printed: Readonly<Partial<Record<RowName, Omit<PrintedRow, 'run'>>>> = {
  MMST: { scores: [24.0], counts: [250, null, 395] },
  'MMMT-D': {
    scores: [24.4, 0.337, 0.102], counts: [500, 250, 395],
    notes: { rmse: ownTruth, logrmse: ownTruth, A: 'the text trains the teacher on the 250 with both labels; on all of them: table choices' },
  },
  'MMMT-S': { scores: [52.6, 0.805, 0.261], counts: [500, 250, 395], notes: { mIoU: ownTruth, A: 'the same' } },
  FMST: { scores: [19.7], counts: [250, null, 395] },
  'UMST-S': { scores: [20.7], counts: [250, null, 395] },
  UMMT: { scores: [22.1, 0.79, 0.264], counts: [250, null, 395] },
  'UMMT-D': { scores: [19.2, 0.783, 0.243], counts: [500, 250, 395] },
  'UMMT-PD': { scores: [23.9, 0.882, 0.272], counts: [500, 250, 395] },
  'UMMT-PS': { scores: [25.3, 0.653, 0.206], counts: [500, 250, 395] },
};

/** Rows of one data set with one change, in the order of Table 4; the published numbers where they belong to it. */
export function rowsFor(
  data: DataSetName,
  { equal, ...change }: Change = {},
  names = Object.keys(printed) as RowName[],
): Record<string, PrintedRow> {
  const isPublished = data === 'nyud' && equal === undefined && Object.keys(change).length === 0;
  return Object.fromEntries(
    names.map((row) => {
      // Of the rows on the labelled pictures alone, updates and epochs are the same.
      const counted = equal && rowOf(row).pictures === 'all' ? { equal } : {};
      return [row, { run: { data, row, ...change, ...counted }, ...(isPublished ? withVal(printed[row] ?? {}) : {}) }];
    }),
  );
}

const withVal = (row: Omit<PrintedRow, 'run'>): Omit<PrintedRow, 'run'> => ({ ...row, notes: { ...row.notes, val } });

type At = Scored['at'];

/** That the student is better than some row in every score that both have. */
const betterThan = (at: At, other: RowName): Claim[] => [
  above(`the student UMMT-PS is above ${other} in mIoU`, at('UMMT-PS', 'mIoU'), at(other, 'mIoU')),
  ...(at(other, 'rmse')
    ? [above(`the student UMMT-PS is better than ${other} in rmse`, at(other, 'rmse'), at('UMMT-PS', 'rmse'))]
    : []),
  ...(at(other, 'logrmse')
    ? [above(`the student UMMT-PS is better than ${other} in logrmse`, at(other, 'logrmse'), at('UMMT-PS', 'logrmse'))]
    : []),
];

/** Conditions 1 and 2: whether a task helps the other, by giving its truth to the other's teacher. */
export function conditionClaims(at: At): Claim[] {
  const [plain, given] = [at('UMMT', 'rmse'), at('MMMT-S', 'rmse')];
  return [
    above('depth helps segmentation: MMMT-D is above UMMT in mIoU', at('MMMT-D', 'mIoU'), at('UMMT', 'mIoU')),
    above('condition 2, segmentation does not help depth: MMMT-S is worse than UMMT in rmse', given, plain),
    above('condition 1 in its place, help both ways: MMMT-S is better than UMMT in rmse', plain, given),
    above('nor does it help a student: UMMT-PD is worse than UMMT in rmse', at('UMMT-PD', 'rmse'), at('UMMT', 'rmse')),
  ];
}

/** What the paper says of its nine rows. */
export function claimsAbout(at: At): Claim[] {
  const mIoU = (row: RowName): Cell => at(row, 'mIoU');
  return [
    ...(['UMMT-D', 'UMMT', 'UMST-S'] as const).flatMap((row) => betterThan(at, row)),
    above(
      'imbalanced multi-task training is worse than a single task: UMMT-D below UMST-S',
      mIoU('UMST-S'),
      mIoU('UMMT-D'),
    ),
    ...conditionClaims(at),
    rising(
      'the order in mIoU: UMMT-D, UMST-S, UMMT, MMST, MMMT-D, UMMT-PS',
      (['UMMT-D', 'UMST-S', 'UMMT', 'MMST', 'MMMT-D', 'UMMT-PS'] as const).map(mIoU),
    ),
    claim(
      'of the networks that see the picture alone UMMT-PS has the best rmse',
      (['UMMT', 'UMMT-D', 'UMMT-PD'] as const).map((row) => difference(at(row, 'rmse'), at('UMMT-PS', 'rmse'))),
    ),
  ];
}

const rows = rowsFor('nyud');
const table = scored(rows);

/** What the letters of the rows mean, and who learns from what. */
export const rowNotes = [
  'MM: the picture and a second input, each through a backbone, features added; UM: the picture alone; FM: depth as a fourth channel. ST, MT: ' +
    'one task, both. Labels S segmentation, D depth; GT true ones, PS pseudo-labels.',
  'A: pictures trained on; B: those of them with both true labels, where these are fewer. UMST-S, FMST, MMST: RGB (+ D) -> S, GTS. UMMT: ' +
    'RGB -> S + D, GTS + GTD. UMMT-D: the same, S of the other pictures missing. MMMT-D, the teacher for S: RGB + D -> S + D. UMMT-PS, the ' +
    'student: RGB -> S + D, its missing S from MMMT-D (PSS + GTS + GTD). MMMT-S and UMMT-PD are teacher and student with S and D exchanged ' +
    '(PSD + GTS + GTD).',
];

const students = [
  ['UMMT-PS', { data: 'nyud', row: 'UMMT-PS' }],
  ['UMMT-PD', { data: 'nyud', row: 'UMMT-PD' }],
] as const;

export const table4: TableDefinition = {
  name: 'table4',
  title: 'NYUDv2: teachers, students and controls',
  source: 'Table 4',
  data: 'nyud',
  matrix: table.matrix,
  besides: [pseudoMatrix(students), protocolMatrix(rows)],
  claims: claimsAbout(table.at),
  notes: [
    ...rowNotes,
    'All rows make the same number of updates: as many as are the epochs of the protocol for the row with one task. By epochs: table epochs.',
    'The losses of the last three rows are printed "GTG + ...", a misprint of GTD. The table says 395 validation pictures, the text 295. The ' +
      'text gives more digits: UMST-S 20.7; UMMT-D 19.23, 0.7825; UMMT 22.17, 0.7896; MMST 24.02; MMMT-D 24.45; UMMT-PS 25.38, 0.6534.',
  ],
};

const ablation = scored(
  Object.fromEntries(
    (['UMMT', 'UMMT-PS'] as const).map((row) => {
      const { scores } = printed[row]!;
      return [row, { run: { data: 'nyud', row }, scores: scores! }];
    }),
  ),
);

export const table3: TableDefinition = {
  name: 'table3',
  title: 'NYUDv2: the student and the network without pseudo-labels',
  source: 'Table 3',
  data: 'nyud',
  matrix: ablation.matrix,
  claims: betterThan(ablation.at, 'UMMT'),
  notes: [
    'The text says that UMMT has 500 depth and 250 segmentation labels here; Table 4 prints the same three numbers for UMMT with 250 of both, ' +
      'and has the imbalanced network as UMMT-D (19.2). UMMT of Table 4 is run: A and B are those that were used.',
  ],
};
