// A table made for tests, and what is known of it for given values.
import { z } from 'zod';
import {
  above,
  type Cell,
  cell,
  cellsOf,
  column,
  type Paper,
  placeOf,
  printedDigits,
  type Run,
  type TableData,
  type TableDefinition,
} from '../../experiments/index.ts';

export const run: Run = { key: 'a', settings: (preset) => ({ size: preset === 'paper' ? 9 : 1 }) };
const exact: Run = { key: 'count', settings: () => ({ counting: true }), exact: true };

export const low = cell(run, 'low', 0.5);
export const high = cell(run, 'high', 0.8, { publishedSpread: 0.1, note: 'a misprint' });
export const control = cell(run, 'control');
const missing: Cell = { published: 0.3, reason: 'no loader' };

export const table: TableDefinition = {
  name: 'made',
  title: 'made | for <tests>',
  source: 'Table 9',
  matrix: {
    corner: 'row',
    columns: [column('score', 2, 'higher', printedDigits(2))],
    rows: [
      ['low', low],
      ['high', high],
      ['missing', missing],
    ],
  },
  besides: [
    { title: 'control: other', corner: 'row', columns: [column('score', 2)], rows: [['low', control]] },
    {
      title: 'control: counted',
      corner: 'row',
      columns: [{ ...column('number', 0), tolerance: { of: () => 0, source: 'a count' } }],
      rows: [['all', cell(exact, 'count', 7)]],
    },
  ],
  claims: [above('high is above low', high, low), above('high is above low by 0.2', high, low, 0.2)],
  curves: [{ run, curve: 'loss', label: 'loss' }],
};

export const paper: Paper = {
  name: 'paper',
  title: 'A paper',
  citation: 'Somebody, 2020.',
  tables: [table],
  presets: { smoke: 'tiny', tour: 'small', laptop: 'small', paper: 'as published' },
  ambiguities: ['A choice.'],
  settings: z.strictObject({ size: z.int() }),
  defaultSeeds: () => 3,
  dataFacts: () => Promise.resolve({ name: 'data', real: true, checksums: {} }),
  cost: () => 1,
  train: () => Promise.resolve({ metrics: {} }),
};

/** What is known for values by metric, in the order of the seeds. A metric without values is missing. */
export function known(values: Readonly<Record<string, readonly number[]>>, change: Partial<TableData> = {}): TableData {
  const seeds = change.seeds ?? Array.from({ length: Math.max(...Object.values(values).map(({ length }) => length)) }, (_, i) => i); // prettier-ignore
  const cells = cellsOf(table).flatMap((placed) => {
    const found = values[placed.cell.metric ?? ''];
    return found ? [[placeOf(placed), { bySeed: new Map(found.map((value, i) => [seeds[i]!, value])) }] as const] : [];
  });
  return {
    paper,
    table,
    preset: 'paper',
    device: 'wasm',
    data: { name: 'data', real: true },
    set: {},
    seeds,
    cells: new Map(cells),
    settings: new Map([
      ['a', { size: 9 }],
      ['count', { counting: true }],
    ]),
    curves: new Map([['loss', new Map(seeds.map((seed) => [seed, [1, 0.5, 0.25]]))]]),
    panels: [],
    costs: [{ run: 'a', seconds: seeds.map(() => 2) }],
    ...change,
  };
}
