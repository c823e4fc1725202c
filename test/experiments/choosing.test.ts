// Choosing what runs: seeds, rows, other values of settings, and the list of runs that nothing is trained for.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { z } from 'zod';
import { papers, presetNames, reproduce, type ReproduceOptions, type TableResult } from '../../experiments/index.ts';
import { selectOnly } from '../../experiments/runner/only.ts';
import { overridesFor, splitSettings } from '../../experiments/runner/overrides.ts';
import { applyOverrides, cellsOf, runsOf, settingsOf } from '../../experiments/runner/runs.ts';
import { parseSeeds, seedsText } from '../../experiments/runner/seeds.ts';
import { filesBelow, run } from './command.ts';

const folder = t.testdir();
const paperOf = (name: string) => papers.find((paper) => paper.name === name)!;

t.test('seeds', (t) => {
  const choices: [string, number[]][] = [
    ['3', [0, 1, 2]],
    ['100..103', [100, 101, 102, 103]],
    ['7..7', [7]],
    ['7,', [7]],
    ['4,7', [4, 7]],
    [' 9, 2 .. 4 ', [9, 2, 3, 4]],
    ['9007199254740991,0', [9007199254740991, 0]],
  ];
  for (const [text, seeds] of choices) t.same(parseSeeds(text), seeds, text);
  for (const text of [
    '',
    ',',
    '0',
    '-1',
    '1.5',
    '1e3',
    '5..3',
    '1...3',
    '4,4',
    '1..5,3',
    '10001',
    '0..10000',
    '1,,2',
    'x',
  ]) {
    t.throws(() => parseSeeds(text), { name: 'ConfigError', message: /not a choice of seeds: .*100\.\.119/ }, text);
  }
  t.throws(() => parseSeeds('9007199254740992..9007199254740993'), { name: 'ConfigError' });
  t.equal(seedsText([0]), 'seed 0');
  t.equal(seedsText([0, 1]), 'seeds 0, 1');
  t.equal(seedsText([4, 7, 20, 21, 22]), 'seeds 4, 7, 20..22');
  const any = fc.uniqueArray(fc.nat(200), { minLength: 2 });
  fc.assert(
    fc.property(any, (seeds) => t.same(parseSeeds(`${seedsText(seeds).replace(/^seeds /, '')}`), seeds)),
    { seed: 3, numRuns: 50 },
  );
  t.end();
});

/** Settings that some rows have, so that those without it keep their fingerprints. */
const isOptional = (schema: z.ZodType, key: string): boolean =>
  schema instanceof z.ZodUnion
    ? schema.options.some((kind) => isOptional(kind as z.ZodType, key))
    : schema instanceof z.ZodObject && (schema.shape[key] as z.ZodType | undefined) instanceof z.ZodOptional;

t.test(
  'every setting of every run of every preset is in the schema, and changing it changes the configuration',
  (t) => {
    for (const paper of papers) {
      for (const preset of presetNames) {
        for (const run of new Map(paper.tables.flatMap(runsOf).map((each) => [each.key, each])).values()) {
          if (run.exact) continue; // trains nothing
          const settings = settingsOf(run, preset);
          const checked = paper.settings.safeParse(settings);
          t.ok(checked.success, `${paper.name} ${run.key}, ${preset}: ${checked.error?.message}`);
          t.same(checked.data, settings, 'and taken as they are');
          for (const key of Object.keys(settings)) {
            t.notSame(applyOverrides(settings, { [key]: 'another' }), settings);
            const { [key]: _, ...rest } = settings;
            t.equal(paper.settings.safeParse(rest).success, isOptional(paper.settings, key), `without ${key}`);
          }
          t.notOk(paper.settings.safeParse({ ...settings, other: 1 }).success);
        }
      }
    }
    t.end();
  },
);

t.test('other values of settings', (t) => {
  const [toy, dmtl, pets] = [paperOf('imbalanced-mtl'), paperOf('dmtl'), paperOf('cross-stitch')];
  const tables = (paper: typeof toy, ...names: string[]) => paper.tables.filter(({ name }) => names.includes(name));
  const set = (paper: typeof toy, names: string[], ...texts: string[]) =>
    overridesFor(paper, tables(paper, ...names), 'smoke', splitSettings(texts));
  t.same(set(toy, ['table2'], 'epochs=3', 'learningRate = 1e-2', 'hidden=4,5'), {
    'epochs': 3,
    'learningRate': 0.01,
    'hidden': [4, 5],
  }); // prettier-ignore
  t.same(set(toy, ['table2'], 'hidden=[7]'), { hidden: [7] });
  t.same(set(dmtl, ['table3'], 'images.size=32', 'optimizer=rmsprop'), { 'images.size': 32, 'optimizer': 'rmsprop' }); // prettier-ignore
  t.same(set(pets, ['table1', 'parameters'], 'flip=false', 'counts.train=20'), { 'flip': false, 'counts.train': 20 }); // prettier-ignore

  const refused: [typeof toy, string[], string, RegExp][] = [
    [toy, ['table2'], 'epoch=3', /imbalanced-mtl has no setting 'epoch'\. Did you mean 'epochs'\?/],
    [dmtl, ['table3'], 'image.size=3', /Did you mean 'images\.size'\?/],
    [dmtl, ['table3'], 'images=3', /dmtl has no setting 'images'/],
    [toy, ['table2'], 'constructor=3', /no setting 'constructor'/],
    [toy, ['table2'], 'epochs=many', /'epochs' of imbalanced-mtl cannot be 'many': .*expected number, received string/],
    [toy, ['table2'], 'epochs=1.5', /cannot be '1\.5': .*int/],
    [toy, ['table2'], 'epochs=', /cannot be ''/],
    [toy, ['table2'], 'learningRate=NaN', /cannot be 'NaN'/],
    [toy, ['table2'], 'hidden=4,x', /cannot be '4,x'/],
    [toy, ['table2'], 'labelled=65', /more points have f2 than there are/],
    [dmtl, ['table3'], 'optimizer=adam', /cannot be 'adam': .*"sgd"\|"rmsprop"/],
    [dmtl, ['table3'], 'momentum=1', /cannot be '1': .*<1/],
    [dmtl, ['table3'], 'strategy=sequential', /'strategy' tells the rows of dmtl\/table3 apart.*--only/],
    [dmtl, ['table2'], 'trainCount=4', /'trainCount' tells the rows of dmtl\/table2 apart/],
  ];
  for (const [paper, names, text, message] of refused) {
    t.throws(() => set(paper, names, text), { name: 'ConfigError', message }, text);
  }
  for (const texts of [['epochs'], ['=3'], ['epochs=3', 'epochs=4']]) {
    t.throws(() => splitSettings(texts), { name: 'ConfigError' }, texts.join());
  }
  t.same(
    applyOverrides({ counts: 'the networks' }, { 'counts.train': 3 }),
    { counts: 'the networks' },
    'no such place',
  );
  t.end();
});

t.test('rows and columns', (t) => {
  const selection = [
    { paper: paperOf('dmtl'), tables: paperOf('dmtl').tables },
    { paper: paperOf('imbalanced-mtl'), tables: paperOf('imbalanced-mtl').tables },
  ];
  const [chosen, ...others] = selectOnly(selection, ['ST', 'MTL only']);
  t.same(others, [], 'papers without such a column are left out');
  t.same(
    chosen!.tables.map((table) => [table.name, cellsOf(table).length, table.claims?.length, table.conclusion]),
    [['table2', 4, 1, undefined]],
    'with the claims about these columns alone',
  );
  for (const { paper, tables } of selection) {
    for (const table of tables) {
      for (const name of new Set(cellsOf(table).flatMap(({ row, column }) => [row, column]))) {
        const [only] = selectOnly([{ paper, tables: [table] }], [name]);
        const needed = new Set(
          cellsOf(table).flatMap((placed) =>
            [placed.row, placed.column].includes(name) ? (placed.cell.run?.key ?? []) : [],
          ),
        );
        t.same(
          new Set(runsOf(only!.tables[0]!).map(({ key }) => key)),
          needed,
          `${table.name}, ${name}: its runs and no others`,
        );
      }
    }
  }
  t.throws(() => selectOnly(selection, ['MTL onl']), {
    message: /no row or column 'MTL onl'\. Did you mean 'MTL only'\?/,
  });
  t.end();
});

const smoke = ['reproduce', 'imbalanced-mtl/table2', '--preset', 'smoke', '--device', 'wasm'];
const json = async <T>(...parts: string[]): Promise<T> =>
  JSON.parse(await readFile(path.join(folder, ...parts), 'utf8')) as T;

t.test('a dry run lists what is to be made, and makes nothing', async (t) => {
  const args = [...smoke, '--seeds', '101..102', '--only', 'ST', '--set', 'epochs=1', '--out', 'out'];
  const before = await run([...args, '--dry-run'], folder);
  t.equal(before.status, 0, before.stderr);
  t.match(before.stdout, /toy, seed 101 +to make +1\.0 +50 %\n.*toy, seed 102 +to make/);
  t.match(before.stdout, /with epochs = 1/);
  t.match(before.stdout, /2 runs to make, 0 on disk/);
  t.same(await filesBelow(folder), []);

  const made = await run(args, folder);
  t.equal(made.status, 0, made.stderr);
  t.match(made.stdout, /with epochs = 1, .*seeds 101, 102/);
  const [result] = (await json<{ tables: TableResult[] }>('out', 'results.json')).tables;
  t.match(result, { set: { epochs: 1 } });
  t.same(
    result!.cells.map(({ row, column, ours }) => [row, column, ours?.n]),
    [['average MSE', 'ST', 2]],
  );
  t.match(await json('out', 'manifest.json'), {
    papers: { 'imbalanced-mtl': { seeds: [101, 102] } },
    configurations: { 'imbalanced-mtl': { toy: { epochs: 1 } } },
  });

  const after = await run(
    [...args.map((arg) => (arg === '101..102' ? '101..103' : arg)), '--dry-run', '--json'],
    folder,
  );
  t.same(
    after.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { seed: number; onDisk: boolean })
      .map(({ seed, onDisk }) => [seed, onDisk]),
    [
      [101, true],
      [102, true],
      [103, false],
    ],
  );
  const other = await run([...args.map((arg) => (arg === 'epochs=1' ? 'epochs=2' : arg)), '--dry-run'], folder);
  t.match(other.stdout, /2 runs to make, 0 on disk/, 'runs of other settings are not taken');
});

t.test('options of the function that do not exist, or are of another kind', async (t) => {
  const silent = { notice: () => undefined, run: () => undefined, progress: () => undefined, end: () => undefined };
  const options: ReproduceOptions = {
    selection: [{ paper: papers[0]!, tables: [] }],
    preset: 'smoke',
    device: 'wasm',
    out: path.join(folder, 'refused'),
    commandLine: [],
    display: silent,
    signal: new AbortController().signal,
  };
  const refused = (change: object): Promise<unknown> => reproduce({ ...options, ...change } as ReproduceOptions);
  for (const [name, nearest] of [
    ['seed', 'seeds'],
    ['Jobs', 'jobs'],
    ['devise', 'device'],
    ['command_line', 'commandLine'],
    ['profiles', 'profile'],
    ['dates', 'data'],
  ] as const) {
    const message = new RegExp(`reproduce: there is no such option .*'${name}'.*Did you mean '${nearest}'`);
    await t.rejects(refused({ [name]: 1 }), { name: 'ConfigError', message }, name);
  }
  await t.rejects(refused({ out: undefined }), { name: 'ConfigError', message: /reproduce: .*'out'/ });
  await t.rejects(refused({ jobs: 'two' }), { name: 'ConfigError', message: /a number, got .*two/ });
  await t.rejects(refused({ seeds: 3 }), { name: 'ConfigError', message: /an array, got 3/ });
  t.same(await filesBelow(folder).then((files) => files.filter((file) => file.startsWith('refused'))), []);
});
