// The verdicts on numbers and claims: by examples, and by properties that no noise may break. And that every paper's own tables
// are sound.
import * as fc from 'fast-check';
import t from 'tap';
import {
  above,
  type Cell,
  cellsOf,
  type Claim,
  type ClaimVerdict,
  halfTheSmallestStep,
  isPaperScale,
  judgeClaim,
  judgeNumber,
  matricesOf,
  type NumberVerdict,
  papers,
  rising,
  runNamed,
  runsOf,
  summarize,
  tQuantile,
} from '../../experiments/index.ts';
import { high, known, low, run } from './made-table.ts';
import { tableView } from '../../experiments/report/table-view.ts';

const near = (a: number, b: number, tolerance = 1e-12): boolean => Math.abs(a - b) <= tolerance;

t.test('mean, spread and interval', (t) => {
  t.match(summarize([0.4, 0.6]), { mean: 0.5, n: 2, values: [0.4, 0.6], interval: null });
  t.ok(near(summarize([0.4, 0.6]).std, Math.SQRT2 / 10), 'sample standard deviation');
  t.equal(summarize([0.8]).std, 0);
  const { mean, std, interval } = summarize([1, 2, 3]);
  t.ok(near(interval![1] - mean, (2.92 * std) / Math.sqrt(3)));
  t.ok(near(interval![0] + interval![1], 2 * mean));
  t.same([1, 2, 10, 30].map(tQuantile), [6.314, 2.92, 1.812, 1.697]);
  t.equal(tQuantile(1000), tQuantile(30), 'beyond the table a little too wide');
  t.end();
});

t.test('numbers', (t) => {
  const tight = [0.798, 0.8, 0.802];
  const cases: [string, readonly number[], Partial<Parameters<typeof judgeNumber>[0]>, NumberVerdict][] = [
    ['within the tolerance', tight, {}, 'reproduced'],
    ['near in the mean, with too wide an interval', [0.7, 0.8, 0.9], {}, 'not reproduced'],
    ['beyond it in the better direction', [0.9, 0.901, 0.902], {}, 'better than published'],
    ['beyond it where lower is better', [0.9, 0.901, 0.902], { better: 'lower' }, 'not reproduced'],
    ['lower where lower is better', [0.6, 0.601, 0.602], { better: 'lower' }, 'better than published'],
    ['beyond it where neither is better', [0.9, 0.901, 0.902], { better: undefined }, 'not reproduced'],
    ['better in the mean only', [0.7, 0.9, 1.1], {}, 'not reproduced'],
    ['two seeds', [0.8, 0.8], {}, 'too few seeds'],
    ['one seed of an exact run', [0.8], { exact: true, tolerance: 0 }, 'reproduced'],
    ['another exact number', [0.81], { exact: true, tolerance: 0, better: undefined }, 'not reproduced'],
    ['a stand-in', tight, { comparable: false }, 'not comparable'],
    ['a number that is NaN', [0.8, NaN, 0.8], {}, 'not reproduced'],
  ];
  const usual = { published: 0.8, tolerance: 0.02, better: 'higher', comparable: true } as const;
  for (const [name, values, change, verdict] of cases) {
    t.equal(judgeNumber({ ours: summarize(values), ...usual, ...change }), verdict, name);
  }
  t.equal(judgeNumber({ ours: undefined, ...usual }), 'not attempted');
  t.equal(judgeNumber({ ours: undefined, ...usual, comparable: false }), 'not attempted');
  t.end();
});

/** The verdict on a claim for values of two cells. */
const judged = (claim: Claim, values: ReadonlyMap<Cell, readonly number[]>) =>
  judgeClaim(claim, (cell) => ({ values: values.get(cell)! }));
const about = (a: readonly number[], b: readonly number[], size = 0) =>
  judged(
    above('', high, low, size),
    new Map([
      [high, a],
      [low, b],
    ]),
  );

t.test('claims', (t) => {
  const cases: [string, readonly number[], readonly number[], number, ClaimVerdict, number][] = [
    ['clear in every seed', [0.8, 0.81, 0.8], [0.5, 0.52, 0.5], 0, 'holds', 3],
    ['paired: the seeds differ more than the cells', [0.2, 0.5, 0.9], [0.1, 0.4, 0.8], 0, 'holds', 3],
    ['in the means, with one seed against it', [0.8, 0.9, 0.5], [0.5, 0.5, 0.6], 0, 'within noise', 2],
    ['in the means, in one seed of three', [0.9, 0.5, 0.5], [0.5, 0.51, 0.51], 0, 'within noise', 1],
    ['by 0.0003 and noise', [0.5003, 0.51, 0.49], [0.5, 0.5, 0.5], 0, 'within noise', 2],
    ['not even in the means', [0.4, 0.5, 0.5], [0.5, 0.5, 0.5], 0, 'fails', 0],
    ['a tie is no order', [0.5, 0.5, 0.5], [0.5, 0.5, 0.5], 0, 'fails', 0],
    ['as high, not as much as claimed', [0.6, 0.61, 0.6], [0.5, 0.5, 0.5], 0.2, 'fails', 0],
    ['as much as claimed', [0.8, 0.81, 0.8], [0.5, 0.5, 0.5], 0.2, 'holds', 3],
    ['two seeds', [0.8, 0.8], [0.5, 0.5], 0, 'too few seeds', 2],
  ];
  for (const [name, a, b, size, verdict, seedsHolding] of cases) {
    t.match(about(a, b, size), { verdict, seedsHolding, seeds: a.length }, name);
  }
  const reason = judgeClaim(above('', high, low), (cell) => (cell === low ? { reason: 'no data' } : { values: [1] }));
  t.match(reason, { verdict: 'not attempted', reason: 'no data', effects: [] });
  t.end();
});

t.test('an order is all of its adjacent differences, in the same seeds', (t) => {
  const cells: Cell[] = [{}, {}, {}];
  const order = (...lists: number[][]) => judged(rising('', cells), new Map(cells.map((cell, i) => [cell, lists[i]!])));
  t.match(order([1, 1, 1], [2, 2, 2], [3, 3, 3]), { verdict: 'holds', effects: [{ mean: 1 }, { mean: 1 }] });
  t.match(order([1, 1, 1], [2, 2, 2], [1.5, 1.5, 1.5]), { verdict: 'fails', effects: [{ verdict: 'holds' }, { verdict: 'fails' }] }); // prettier-ignore
  const each = order([0, 0, 0], [1, 1.1, -0.5], [2, 1, 1.2]);
  t.match(each, { verdict: 'within noise', seedsHolding: 1 }, 'every difference in two seeds, both in one');
  t.end();
});

/** The same values with their distance from the mean multiplied. */
function spreadOut(values: readonly number[], factor: number): number[] {
  const { mean } = summarize(values);
  return values.map((value) => mean + factor * (value - mean));
}

const someValues = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 12 });
const factors = fc.double({ min: 1, max: 50, noNaN: true });

t.test('noise never makes a number easier', (t) => {
  const isGood = (verdict: NumberVerdict): boolean => verdict !== 'not reproduced';
  const property = fc.property(
    someValues,
    factors,
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom('higher' as const, 'lower' as const, undefined),
    (values, factor, published, tolerance, better) => {
      const verdict = (list: readonly number[]): NumberVerdict =>
        judgeNumber({ ours: summarize(list), published, tolerance, better, comparable: true });
      const [calm, noisy] = [verdict(values), verdict(spreadOut(values, factor))];
      // Means of values that were moved apart round otherwise.
      const { mean } = summarize(values);
      fc.pre(near(summarize(spreadOut(values, factor)).mean, mean, 1e-12) && !near(Math.abs(mean - published), tolerance, 1e-9)); // prettier-ignore
      return isGood(calm) || !isGood(noisy);
    },
  );
  fc.assert(property, { numRuns: 500 });
  t.pass();
  t.end();
});

t.test('noise never makes a claim easier, and takes no failure away', (t) => {
  const rank: Readonly<Record<string, number>> = { 'fails': 0, 'within noise': 1, 'holds': 2 }; // prettier-ignore
  const property = fc.property(
    someValues,
    factors,
    fc.double({ min: -1, max: 1, noNaN: true }),
    (values, factor, size) => {
      fc.pre(!near(summarize(values).mean, size, 1e-9));
      const zeros = values.map(() => 0);
      return rank[about(spreadOut(values, factor), zeros, size).verdict]! <= rank[about(values, zeros, size).verdict]!;
    },
  );
  fc.assert(property, { numRuns: 500 });
  t.pass();
  t.end();
});

t.test('what both cells of a seed share cancels', (t) => {
  const property = fc.property(someValues, fc.array(fc.integer({ min: -64, max: 64 }), { minLength: 12, maxLength: 12 }), (values, shared) => {
    // Multiples of a power of two add without rounding.
    const exact = values.map((value) => Math.round(value * 1024) / 1024);
    const moved = about(exact.map((value, i) => value + shared[i]!), exact.map((_, i) => shared[i]!)); // prettier-ignore
    return moved.verdict === about(exact, exact.map(() => 0)).verdict;
  }); // prettier-ignore
  fc.assert(property, { numRuns: 200 });
  t.pass();
  t.end();
});

t.test('only the paper at its scale is compared with the paper', (t) => {
  const verdicts = (change: Parameters<typeof known>[1]) => {
    const { matrix, besides } = tableView(known({ low: [0.5, 0.5, 0.5], count: [7, 7, 7] }, change));
    return [matrix!.rows[0]!.cells[0]!.verdict, besides[1]!.rows[0]!.cells[0]!.verdict];
  };
  t.same(verdicts({}), ['reproduced', 'reproduced']);
  t.same(verdicts({ data: { name: 'drawn', real: false } }), ['not comparable', 'reproduced'], 'a count needs no data');
  t.same(verdicts({ settings: new Map([['a', { size: 1 }]]) })[0], 'not comparable', 'smaller');
  t.same(verdicts({ settings: new Map() })[0], 'not comparable', 'with settings that nobody knows');
  t.ok(isPaperScale(run, { size: 9 }));
  t.notOk(isPaperScale(run, { size: 9, changed: 1 }), 'a setting that the paper has not');
  t.end();
});

t.test('tolerances', (t) => {
  t.ok(near(halfTheSmallestStep([25.96, 12.27, 19.56, 14.65, 15.75]).of({}), 0.55));
  t.end();
});

t.test('the tables of the papers', (t) => {
  for (const paper of papers) {
    for (const table of paper.tables) {
      const name = `${paper.name}/${table.name}`;
      const placed = cellsOf(table);
      const places = placed.map(({ group, row, column }) => `${group} | ${row} | ${column}`);
      t.equal(new Set(places).size, places.length, `${name}: no place twice`);
      t.equal(new Set(placed.map(({ cell }) => cell)).size, placed.length, `${name}: no cell twice`);
      t.ok(
        placed.every(({ cell }) => (cell.run && cell.metric !== undefined) || cell.reason),
        `${name}: every cell has a run or a reason`,
      );
      t.ok(
        placed.every(({ cell, group }) => group === undefined || cell.published === undefined),
        `${name}: published numbers stand in the paper's table alone`,
      );
      const own = new Set(placed.map(({ cell }) => cell));
      for (const { text, effects } of table.claims ?? []) {
        t.ok(effects.length > 0 && effects.every(({ cells }) => cells.every((cell) => own.has(cell))), `${name}: ${text}`); // prettier-ignore
      }
      const hasNumbers = placed.some(({ cell }) => cell.published !== undefined);
      t.ok(!hasNumbers || table.source, `${name}: published numbers say where they stand`);
      for (const { columns, rows } of matricesOf(table)) {
        t.ok(
          rows.every(([, ...cells]) => cells.length === columns.length),
          `${name}: a cell or null for each column`,
        );
        columns.forEach(({ name: column, tolerance }, i) => {
          const published = rows.some(([, ...cells]) => cells[i]?.published !== undefined);
          t.ok(!published || tolerance?.source, `${name}, ${column}: the tolerance says where it comes from`);
        });
      }
      for (const found of runsOf(table)) t.same(runNamed(paper, found.key).settings('smoke'), found.settings('smoke'));
    }
    t.throws(() => runNamed(paper, 'no such run'), { name: 'ConfigError' });
  }
  const dmtl = papers.find(({ name }) => name === 'dmtl')!;
  const runs = new Set(
    dmtl.tables.filter(({ source }) => source).flatMap((table) => runsOf(table).map(({ key }) => key)),
  );
  const digits = [...runs].filter((key) => !key.startsWith('NYU'));
  t.equal(digits.length, 8 + 6 + 2 + 1, 'figure 7, figure 11, table 3 and the control share their runs');
  t.equal(runs.size - digits.length, 4 + 2, 'table 4 with its control, figures 3 and 12');
  t.end();
});
