// `wgrad list --coverage`: every item that the specifications of ../shared/papers name is in the list, and its states are those of the
// tracked results.
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { papers } from '../../experiments/index.ts';
import { type CoverageItem, coverageOf, coverageStates, placesIn } from '../../experiments/runner/coverage.ts';
import { sharedData } from '../shared-data.ts';
import { run } from './command.ts';

const { items, hasResults } = await coverageOf(papers);

t.test('places in a source', (t) => {
  t.same(placesIn('Figures 6, 7 and 9 to 11'), ['Figure 6', 'Figure 7', 'Figure 9', 'Figure 10', 'Figure 11']);
  t.same(placesIn('Table 1 and its text'), ['Table 1']);
  t.same(placesIn('Figs 5, 6; Fig. 8, Tables 4, 5'), ['Figure 5', 'Figure 6', 'Figure 8', 'Table 4', 'Table 5']);
  t.same(placesIn('Fig. 5/6'), ['Figure 5', 'Figure 6']);
  t.same(placesIn('text'), []);
  t.end();
});

t.test('every item has a state, and what is not run a reason', (t) => {
  t.ok(hasResults);
  for (const { state, why, tracked, table, what } of items) {
    t.ok(coverageStates.includes(state));
    if (state === 'not run') t.ok(why !== undefined && why.length > 5, `${what}: why`);
    else t.ok(table, `${what}: the table that answers it`);
    t.equal(tracked.length > 0, !['not run', 'runs, not tracked'].includes(state), what);
    t.equal(tracked[0]?.state ?? state, state, what);
  }
  t.end();
});

t.test('without tracked results, as in an installed package, nothing is called tracked', async (t) => {
  const bare = await coverageOf(papers, t.testdir());
  t.notOk(bare.hasResults);
  t.same([...new Set(bare.items.map(({ state }) => state))].sort(), ['not run', 'runs, not tracked']);
  t.equal(bare.items.length, items.length);
});

const find = (paper: string, place: string, what = /./): CoverageItem | undefined =>
  items.find((item) => item.paper === paper && item.place === place && what.test(item.what));

t.test('states', (t) => {
  t.match(find('imbalanced-mtl', 'Table 2'), { state: 'paper scale', tracked: [{ preset: 'paper', seeds: 20 }] });
  t.match(find('imbalanced-mtl', 'Table 1'), { state: 'not run', why: /nothing to run/ });
  t.match(find('dmtl', 'Table 3'), { state: 'laptop, real data', table: 'dmtl/table3' });
  t.match(find('multidepth', 'Table 1'), { state: 'laptop, stand-in' });
  t.match(find('densedepth', 'Figure 6'), { state: 'drawn only', tracked: [{ without: [] }] });
  t.match(find('densedepth', 'text', /52 is best/), { state: 'laptop, stand-in', kind: 'claim' });
  t.match(find('imbalanced-mtl', 'Table 5'), { state: 'runs, not tracked' });
  t.match(find('cross-stitch', 'Table 1', /parameters/), { state: 'paper scale' }, 'counts are exact in every preset');
  t.match(find('dmtl', 'Table 3', /^sequential is above/), { tracked: [{ verdict: 'within noise' }] });
  for (const place of ['Table 4', 'Figure 3', 'Figure 12']) {
    t.match(find('dmtl', place), { state: 'runs, not tracked' }, `dmtl, ${place}`);
  }
  t.match(find('dmtl', 'text', /less than 40 %/), { state: 'runs, not tracked', table: 'dmtl/table4', kind: 'claim' });
  t.notOk(
    items.some(({ place }) => /of ours/.test(place)),
    'no control',
  );
  t.end();
});

/** Rows of the specifications in words, by their beginning, with the item that they ask for. */
const rows: Readonly<Record<string, Readonly<Record<string, readonly [place: RegExp, what: RegExp]>>>> = {
  'imbalanced-mtl': {
    'Multi-modal teacher + pseudo-labels beats': [/Table 4/, /UMMT-PS is above UMST-S in mIoU/],
    'Plain multi-task training on imbalanced data': [/Table 4/, /UMMT-D below/],
    'Whether task X helps task Y': [/text/, /condition 2/],
    'Table 2, "about 30 % better than MTL"': [/Table 2/, /30 %/],
    'pseudo-labels': [/text/, /share that is kept/],
    'equal updates against equal epochs': [/text/, /equal epochs/],
    'text against table': [/Table 5/, /UMMT-PS has the worst logrmse/],
    'single-task head': [/text/, /same architecture/],
    'condition 2': [/text/, /condition 2/],
  },
  'dmtl': {
    'Among the ways to train': [/Table 3/, /multitask loss: in this order/],
    'A small training set hurts mainly': [/^text, claim 2$/, /few images hit classification/],
    'Depth as auxiliary task raises': [/Figure 11/, /dMTL is above single task at N = 3500/],
    'The effect carries over': [/text/, /kitchen/],
  },
  'multidepth': {
    'Predicting metric depth from one RGB': [/Figure 5/, /gets worse/],
    'Adding a second decoder': [/Figure 5/, /below both baselines/],
    'Combining the two losses': [/Table 1/, /learned is below manual/],
    'As few as 2 classes already help': [/Figure 5/, /^2 classes are below/],
  },
  'cross-stitch': {
    'No auxiliary task changes': [/Table 1/, /no auxiliary task changes/],
    'The three-task network does better': [/Table 1/, /MTL's accuracy is above/],
    'OEQ (two auxiliary networks': [/Table 1/, /OEQ does not help/],
  },
  'densedepth': {
    'A frozen ImageNet DenseNet169': [/Figure 8/, /final DenseNet169/],
    'With the same recipe EfficientNetV2B0': [/Figure 2/, /stays on it/],
    'Unfreezing upper encoder layers': [/text/, /unfreezing does not help/],
    'Fine-tuning': [/text/, /0\.37 m/],
    'Filters n in': [/text/, /52 is best/],
    'Learning rates 0.1 to 1e-5': [/text/, /largest rate/],
    'Loss weights 1/1/1': [/Equation 1/, /1, 1, 1/],
    'The toy fully convolutional network': [/text/, /toy network/],
    '"better on trash container': [/text/, /trash containers/],
    '400 against "around 350"': [/text/, /around 350/],
  },
}; // prettier-ignore

const plain = (text: string): string => text.replaceAll('**', '').trim();

/** The text of a section, from its heading to the next of its level. */
const section = (text: string, number: number): string =>
  new RegExp(`^## ${number}\\. [\\s\\S]*?(?=^## |(?![\\s\\S]))`, 'm').exec(text)?.[0] ?? '';

/** The claims at the head of section 1: a numbered list, or the first one with bullets. */
function claimsOf(text: string): string[] {
  const lines = section(text, 1).split('\n');
  const numbered = lines.filter((line) => /^\d+\. /.test(line));
  if (numbered.length > 0) return numbered.map((line) => plain(line.replace(/^\d+\. /, '')));
  const first = lines.findIndex((line) => line.startsWith('- '));
  const end = lines.findIndex((line, i) => i > first && line.trim() === '');
  return lines
    .slice(first, end)
    .filter((line) => line.startsWith('- '))
    .map((line) => plain(line.slice(2)));
}

/** The first column of the tables of section 9, where that section lists rows that are easily forgotten. */
function forgottenRows(text: string): string[] {
  const found = section(text, 9);
  if (!/easily forgotten/.test(found)) return [];
  const table = found.split('\n').filter((line) => line.startsWith('|'));
  return table.slice(2).map((line) => plain(line.split('|')[1]!));
}

for (const { name } of papers) {
  const file = sharedData(`papers/${name}.md`);
  t.test(`${name}: nothing is missing`, { skip: file ? false : 'no ../shared/papers' }, async (t) => {
    const text = await readFile(file!, 'utf8');
    const own = items.filter(({ paper }) => paper === name);
    const listed = new Set(own.flatMap(({ place, kind }) => (kind === 'claim' ? [] : [place])));
    const named = new Set(placesIn(text));
    t.ok(named.size > 0, 'the specification names some');
    for (const place of named) t.ok(listed.has(place), place);

    const inWords = [...claimsOf(text), ...forgottenRows(text)];
    t.ok(inWords.length > 2, `${inWords.length} rows in words`);
    for (const row of inWords) {
      // A table or figure by name is among those above.
      if (/^(Tables?|Figs?\.?) \d/.test(row) && !row.includes('"')) continue;
      const known = Object.entries(rows[name]!).find(([beginning]) => row.startsWith(beginning));
      if (!known) {
        t.fail(`no item is named for "${row}"`);
        continue;
      }
      const [, [place, what]] = known;
      t.ok(
        own.some((item) => place.test(item.place) && what.test(item.what)),
        row,
      );
    }
  });
}

t.test('the command', async (t) => {
  const cwd = t.testdir();
  const { status, stdout, stderr } = await run(['list', '--coverage', '--json'], cwd);
  t.equal(status, 0, stderr);
  t.same(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    JSON.parse(JSON.stringify(items)),
  );
  const text = await run(['list', '--coverage'], cwd);
  t.match(
    text.stdout,
    /Table 3\n {2}what: training strategies.*\n {2}state: laptop, real data\n {2}table: dmtl\/table3/,
  );
  t.match(text.stdout, new RegExp(`^${items.length} items; paper scale: \\d+;`, 'm'));
  t.match((await run(['list', '--json'], cwd)).stdout, /^\{"table":"imbalanced-mtl\/table1".*"attempted":false\}$/m);
});
