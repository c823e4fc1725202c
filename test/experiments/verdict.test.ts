// The four verdicts and the claims behind them, on a table made for it; and that every paper's own tables are sound.
import t from 'tap';
import {
  ascending,
  type CellDefinition,
  type CellOutcome,
  judge,
  papers,
  type TableDefinition,
} from '../../experiments/index.ts';
import { parseRunKey, runKey } from '../../experiments/papers/dmtl/settings.ts';

const cell = (row: string, published: number | null): CellDefinition => ({
  row,
  column: 'c',
  published,
  run: row,
  metric: 'm',
});

const table: TableDefinition = {
  name: 'made',
  title: '',
  cells: [cell('low', 0.5), cell('high', 0.8), cell('line', null), cell('control', null), cell('lonely', 0.3)],
  claims: [
    ascending('high is above low', [
      ['low', 'c'],
      ['high', 'c'],
    ]),
    ascending('line is above low', [
      ['low', 'c'],
      ['line', 'c'],
    ]),
  ],
  tolerance: 0.02,
  format: String,
  notes: [],
};

/** Verdicts by row for the given values; a text is a reason for having none. */
function verdicts(values: Record<string, number[] | string>, comparable: boolean) {
  const outcome = ({ row }: CellDefinition): CellOutcome => {
    const found = values[row]!;
    return typeof found === 'string' ? { reason: found } : { values: found };
  };
  const { cells, claims } = judge(table, outcome, comparable);
  return { of: Object.fromEntries(cells.map(({ row, verdict }) => [row, verdict])), cells, claims };
}

const near = { low: [0.51], high: [0.79], line: [0.6], control: [1], lonely: [0.31] };

t.test('paper size on the paper data', (t) => {
  t.same(verdicts(near, true).of, {
    low: 'reproduced',
    high: 'reproduced',
    line: 'same ordering',
    control: null,
    lonely: 'reproduced',
  });
  t.equal(verdicts({ ...near, high: [0.7] }, true).of.high, 'same ordering', 'far, but in order');
  t.equal(verdicts({ ...near, high: [0.6, 0.9] }, true).of.high, 'reproduced', 'within our own spread');
  t.equal(verdicts({ ...near, lonely: [0.4] }, true).of.lonely, 'not reproduced', 'far, and no claim about it');
  const reversed = verdicts({ ...near, low: [0.515], line: [0.51] }, true).of;
  t.equal(reversed.line, 'not reproduced');
  t.equal(reversed.low, 'not reproduced', 'near, but one of its claims fails');
  t.equal(reversed.high, 'reproduced', 'untouched by the claim that fails');
  t.end();
});

t.test('a smaller size or a stand-in is never called reproduced', (t) => {
  const { of } = verdicts(near, false);
  t.same([of.low, of.high, of.lonely], ['same ordering', 'same ordering', 'not reproduced']);
  t.end();
});

t.test('cells without values', (t) => {
  const { of, cells, claims } = verdicts({ ...near, low: 'no data' }, true);
  t.equal(of.low, 'not attempted');
  t.equal(cells[0]!.reason, 'no data');
  t.equal(cells[0]!.ours, null);
  t.equal(of.high, 'reproduced', 'a claim that cannot be tested does not count');
  t.same(claims[0], { text: 'high is above low', holds: null, seedsHolding: 0, seeds: 0 });
  t.end();
});

t.test('claims hold in the means and are counted per seed', (t) => {
  const { claims } = verdicts({ ...near, low: [0.5, 0.5, 0.9], high: [0.8, 0.6, 0.7] }, true);
  t.same(claims[0], { text: 'high is above low', holds: true, seedsHolding: 2, seeds: 3 });
  t.equal(verdicts({ ...near, low: [0.7], high: [0.7] }, true).claims[0]!.holds, false, 'a tie is no order');
  t.end();
});

t.test('mean and spread', (t) => {
  const { cells } = verdicts({ ...near, low: [0.4, 0.6], high: [0.8] }, true);
  t.match(cells[0]!.ours, { mean: 0.5, n: 2, values: [0.4, 0.6] });
  t.ok(Math.abs(cells[0]!.ours!.std - Math.SQRT2 / 10) < 1e-12, 'sample standard deviation');
  t.equal(cells[1]!.ours!.std, 0);
  t.end();
});

t.test('the tables of the papers', (t) => {
  for (const paper of papers) {
    for (const { name, cells, claims } of paper.tables) {
      const places = cells.map(({ row, column }) => `${row} | ${column}`);
      t.equal(new Set(places).size, places.length, `${paper.name}/${name}: no cell twice`);
      t.ok(
        cells.every(({ run, metric, reason }) => (run !== undefined && metric !== undefined) || reason),
        `${paper.name}/${name}: every cell has a run or a reason`,
      );
      t.ok(
        claims.every((claim) => claim.cells.every(([row, column]) => places.includes(`${row} | ${column}`))),
        `${paper.name}/${name}: claims are about cells of the table`,
      );
    }
  }
  const dmtl = papers.find(({ name }) => name === 'dmtl')!;
  const studies = ['lambda', 'ordering'];
  const published = dmtl.tables.filter(({ name }) => !studies.includes(name));
  const runs = new Set(published.flatMap(({ cells }) => cells.flatMap(({ run }) => run ?? [])));
  t.equal(runs.size, 8 + 6 + 2 + 1, 'figure 7, figure 11, table 3 and the control share their runs');
  t.same(parseRunKey('multitaskLoss 1:29 N=3500 lambda=10'), {
    strategy: 'multitaskLoss',
    noise: '1:29',
    n: 3500,
    lambda: 10,
  });
  const varied = 'singleTask 1:29 N=3500 size*2';
  t.equal(runKey(parseRunKey(varied)), varied);
  t.throws(() => parseRunKey('singleTask 1:29 N=3500 size*3'), /no run/);
  t.throws(() => parseRunKey('everything 1:29 N=3500'), /no run/);
  t.end();
});
