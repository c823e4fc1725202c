// The view and its renderings; run folders read back, merged, and refused where they are damaged; the tables of the READMEs.
import { readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import {
  buildView,
  csvText,
  markdownText,
  mergeFolders,
  papers,
  readRunFolder,
  type TableData,
  type TableView,
  writeResults,
} from '../../experiments/index.ts';
import { viewOfFolders } from '../../experiments/cli/report.ts';
import { tableText } from '../../experiments/cli/tables.ts';
import { htmlText } from '../../experiments/report/report.ts';
import { tableView } from '../../experiments/report/table-view.ts';
import { writeJson } from '../../experiments/runner/files.ts';
import { cellsOf, placeOf, runsOf } from '../../experiments/index.ts';
import { repositoryRoot } from '../shared-data.ts';
import { known } from './made-table.ts';
import { trackedResults } from './tracked-results.ts';

const values = { low: [0.5, 0.5, 0.5], high: [0.81, 0.8, 0.82], control: [1, 2, 3], count: [7, 7, 7] };

t.test('the view', (t) => {
  const view = tableView(known(values));
  t.match(view, {
    paper: 'paper',
    name: 'made',
    source: 'Table 9',
    setting: { text: 'preset paper, data: data, device wasm, seeds 0..2', presetText: 'as published' },
    matrix: {
      corner: 'row',
      columns: [{ name: 'score', better: 'higher' }],
      rows: [
        { name: 'low', cells: [{ ours: { mean: 0.5, text: '0.50 ± 0.00' }, verdict: 'reproduced' }] },
        {
          name: 'high',
          cells: [
            {
              ours: { text: '0.81 ± 0.01', bySeed: [{ seed: 0, value: 0.81 }, {}, {}] },
              published: {
                text: '0.80 ± 0.10',
                source: 'Table 9',
                tolerance: { value: 0.005, source: 'half a unit of the last printed digit' },
              },
              note: 'a misprint',
              verdict: 'not reproduced',
            },
          ],
        },
        { name: 'missing', cells: [{ ours: undefined, verdict: 'not attempted', reason: 'no loader' }] },
      ],
    },
    besides: [{ title: 'control: other', rows: [{ cells: [{ verdict: null, published: undefined }] }] }, {}],
    claims: [
      {
        text: 'high is above low',
        source: 'Table 9',
        verdict: 'holds',
        effects: [{ text: 'high - low', claimed: { direction: 'above', size: 0 } }],
      },
      {
        verdict: 'holds',
        effects: [{ claimed: { size: 0.2 }, summary: /^\+0\.31 \[\+0\.29, \+0\.33\], claimed above 0\.20$/ }],
      },
    ],
    curves: { axis: 'epoch', lines: [{ label: 'loss', bySeed: [{ seed: 0, values: [1, 0.5, 0.25] }, {}, {}] }] },
    costs: [{ run: 'a', seconds: [2, 2, 2] }],
  });
  t.equal(
    tableView(known(values, { seeds: [4, 7, 9] }))
      .setting!.text.split(', ')
      .slice(3)
      .join(', '),
    'seeds 4, 7, 9',
  );
  t.end();
});

t.test('a machine that failed is a reason, in one seed of many too', (t) => {
  const whole = known(values);
  const cells = new Map(whole.cells);
  const place = placeOf({ group: undefined, row: 'low', column: 'score' });
  cells.set(place, { bySeed: new Map([[0, 0.5]]), reason: 'the run of seed 1 failed: out of memory' });
  const { matrix, claims } = tableView({ ...whole, cells });
  t.match(matrix!.rows[0]!.cells[0], { verdict: 'not attempted', reason: /out of memory/, ours: undefined });
  t.match(claims[0], { verdict: 'not attempted', reason: /out of memory/ });
  t.end();
});

t.test('renderings', async (t) => {
  const view = buildView([known(values)], [], ['x.json: it is damaged']);
  t.equal(
    markdownText(view),
    `### paper/made: made \\| for \\<tests\\> (Table 9)

preset paper, data: data, device wasm, seeds 0..2.

| row | score |
| --- | --- |
| low | 0.50 ± 0.00 / 0.50<br>reproduced |
| high | 0.81 ± 0.01 / 0.80 ± 0.10<br>not reproduced |
| missing | - / 0.30<br>not attempted |

| claim | where | verdict | effect, 90 % interval |
| --- | --- | --- | --- |
| high is above low | Table 9 | **holds** | in 3 of 3 seeds; high - low: +0.31 [+0.29, +0.33], claimed above 0 |
| high is above low by 0.2 | Table 9 | **holds** | in 3 of 3 seeds; high - low: +0.31 [+0.29, +0.33], claimed above 0.20 |

control: other:

| row | score |
| --- | --- |
| low | 2.00 ± 1.00 |

control: counted:

| row | number |
| --- | --- |
| all | 7 / 7<br>reproduced |

- not attempted: no loader
- high, score: a misprint

- Not used: x.json: it is damaged
`,
  );
  t.equal(
    csvText(view).split('\n').slice(0, 4).join('\n'),
    [
      '"paper/made, preset paper, data: data, device wasm, seeds 0..2: row",score,score (spread),score (published),score (verdict)',
      'low,0.5,0,0.5,reproduced',
      `high,${(0.81 + 0.8 + 0.82) / 3},${view.papers[0]!.tables[0]!.matrix!.rows[1]!.cells[0]!.ours!.std},0.8,not reproduced`,
      'missing,,,0.3,not attempted',
    ].join('\n'),
  );
  const terminal = tableText(view.papers[0]!.tables[0]!, 200);
  t.match(terminal, /^low +0\.50 ± 0\.00 \/ 0\.50 \(reproduced\)$/m);
  t.match(terminal, /^claim: high is above low: holds \(in 3 of 3 seeds; high - low: /m);
  t.match(tableText(view.papers[0]!.tables[0]!, 20), /^low\n {2}score: 0\.50/m, 'narrow');
  const page = await htmlText(view);
  t.match(page, /made \| for &lt;tests&gt;/);
  t.match(page, /<svg/, 'the curve');
  t.match(page, /x\.json: it is damaged/);
});

/** A table of a real paper with made values, written as a command writes it. */
async function writeFolder(folder: string, seeds: readonly number[], value: (seed: number) => number): Promise<void> {
  const paper = papers.find(({ name }) => name === 'dmtl')!;
  const tables = ['table3', 'figure9'].map((name): TableData => {
    const table = paper.tables.find((each) => each.name === name)!;
    const bySeed = new Map(seeds.map((seed) => [seed, value(seed)]));
    const settings = runsOf(table).map((run) => [run.key, run.settings('laptop')] as const);
    return {
      ...known({ low: [0] }),
      paper,
      table,
      preset: 'laptop',
      seeds,
      cells: new Map(cellsOf(table).map((placed) => [placeOf(placed), { bySeed }])),
      settings: new Map(settings),
      curves: new Map(),
      costs: settings.map(([run]) => ({ run, seconds: [1] })),
    };
  });
  await writeResults(
    folder,
    tables.map((table) => ({ known: table, view: tableView(table) })),
  );
  const configurations = { dmtl: Object.fromEntries(tables.flatMap(({ settings }) => [...settings])) };
  await writeJson(path.join(folder, 'manifest.json'), {
    version: 2,
    wgrad: '0',
    device: {},
    configurations,
    commandLine: ['wgrad'],
    finished: 'now',
  });
}

const tableIn = (tables: readonly TableView[], name: string): TableView => tables.find((each) => each.name === name)!;

t.test('folders of other seeds become one', async (t) => {
  const folder = t.testdir();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => path.join(folder, name)) as [string, string, string];
  await writeFolder(a, [0, 1], (seed) => seed / 10);
  await writeFolder(b, [1, 5], (seed) => seed / 10);
  await writeFolder(c, [1], () => 0.9);
  const { papers: merged, problems, provenance } = await viewOfFolders([a, b]);
  t.same(problems, []);
  t.equal(provenance.length, 2);
  const table = tableIn(merged[0]!.tables, 'table3');
  t.same(table.setting!.seeds, [0, 1, 5]);
  t.same(
    table.matrix!.rows[0]!.cells[0]!.ours!.bySeed,
    [0, 1, 5].map((seed) => ({ seed, value: seed / 10 })),
  );
  t.equal(table.claims[0]!.verdict, 'fails', 'three seeds are enough to judge');
  t.match((await viewOfFolders([a, c])).problems, [/dmtl\/table3: the folders differ in values of seed 1/, /figure9/]);

  const other = await readRunFolder(b);
  const changed = other.tables.map((each) => ({ ...each, preset: 'smoke' as const }));
  const apart = mergeFolders([await readRunFolder(a), { ...other, tables: changed }]);
  t.equal(apart.tables.length, 4, 'another preset is another experiment');
});

t.test('damaged files are named and refused, and the rest is kept', async (t) => {
  const folder = t.testdir();
  const of = (...parts: string[]): string => path.join(folder, ...parts);
  await writeFolder(folder, [0, 1, 2], () => 0.5);
  const names = (view: Awaited<ReturnType<typeof viewOfFolders>>): string[] =>
    view.papers.flatMap(({ tables }) => tables.map(({ name }) => name));
  t.same(names(await viewOfFolders([folder])), ['table3', 'figure9']);

  await truncate(of('results.json'), 40);
  t.same((await viewOfFolders([folder])).problems, [], 'the list of all tables is for others');
  await truncate(of('dmtl/table3/controls.json'), 100);
  const without = await viewOfFolders([folder]);
  t.match(without.problems, [/dmtl\/table3\/controls\.json: it is damaged: /]);
  t.match(tableIn(without.papers[0]!.tables, 'table3').besides[0]!.rows[0]!.cells[0], {
    reason: 'not among these results',
  });

  const whole = await readFile(of('dmtl/table3/results.json'), 'utf8');
  const cases: [string, RegExp][] = [
    [whole.slice(0, whole.length / 2), /table3\/results\.json: it is damaged/],
    [
      whole.replace('"version": 2', '"version": 3'),
      /of version 3, a version that this wgrad does not know; use a newer one/,
    ],
    [whole.replace('  "version": 2,\n', ''), /of version 1, an older version; make it anew/],
    [whole.replace('"table": "table3"', '"table": "table33"'), /wgrad has no table dmtl\/table33/],
    [whole.replace(/"mean": [\d.]+/, '"mean": "x"'), /cells\.0\.ours\.mean: /],
    ['null', /the whole file|version 1/],
  ];
  for (const [content, problem] of cases) {
    await writeFile(of('dmtl/table3/results.json'), content);
    const view = await viewOfFolders([folder]);
    t.match(view.problems[0], problem);
    t.same(names(view), ['figure9'], 'the other table');
  }
  await writeFile(of('dmtl/table3/results.json'), whole.replace('"row": "sequential"', '"row": "sequenced"'));
  t.match((await viewOfFolders([folder])).problems.join('\n'), /dmtl\/table3 has no cell sequenced, test accuracy/);

  await writeFile(of('dmtl/table3/results.json'), whole);
  const manifest = await readFile(of('manifest.json'), 'utf8');
  await writeFile(of('manifest.json'), manifest.replace('"version": 2', '"version": 9'));
  const refused = await viewOfFolders([folder]);
  t.match(refused.problems[0], /manifest\.json: it is of version 9, a version that this wgrad does not know/);
  t.equal(refused.provenance[0]!.manifest, undefined);
  t.same(names(refused), ['table3', 'figure9']);
  t.equal((await readRunFolder(folder)).tables[0]!.settings.size, 5, 'the settings stand beside the table too');
  await t.rejects(readRunFolder(of('nothing')), { name: 'DataError' });
  await t.rejects(readRunFolder(path.join(folder, '..', 'empty')), { name: 'DataError' });
});

/** The parts of a README that `wgrad report FOLDER... --markdown` makes: between its command in a comment and the next comment. */
function generatedParts(text: string): { folders: string[]; content: string }[] {
  const pattern = /<!-- wgrad report ([^\n]+?) --markdown -->\n\n([\s\S]*?)\n<!-- end of report -->/g;
  return [...text.matchAll(pattern)].map(([, folders, content]) => ({
    folders: folders!.split(' '),
    content: content!,
  }));
}

t.test('the tables in the READMEs of the results are current', async (t) => {
  const root = repositoryRoot();
  for (const { paper, folder } of trackedResults) {
    const parts = generatedParts(await readFile(path.join(folder, 'README.md'), 'utf8'));
    t.ok(parts.length > 0, `${paper.name}: tables made by the command`);
    for (const { folders, content } of parts) {
      const view = await viewOfFolders(folders.map((folder) => path.join(root, folder)));
      t.same(view.problems, []);
      t.equal(content, markdownText(view), `${paper.name}: ${folders.join(' ')}`);
    }
  }
});
