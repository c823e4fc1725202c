// Every setting is part of the key of a run: each is changed in turn, at any depth, and the key is another.
import path from 'node:path';
import t from 'tap';
import { papers, presetNames, runsOf } from '../../experiments/index.ts';
import { settingsOf } from '../../experiments/papers/cross-stitch/presets.ts';
import { column } from '../../experiments/runner/definition.ts';
import type { Paper, PresetName, Run, TableDefinition } from '../../experiments/runner/paper.ts';
import { noData } from '../../experiments/runner/results.ts';
import { RunStore } from '../../experiments/runner/store.ts';

/** All ways to change one number, word or switch of a value, or to add one where there is none, with their names. */
function* changes(value: unknown, name = ''): Iterable<[string, unknown]> {
  if (typeof value === 'number') yield [name, value + 1];
  else if (typeof value === 'string') yield [name, `${value}x`];
  else if (typeof value === 'boolean') yield [name, !value];
  else if (value === null) yield [name, 0];
  else if (Array.isArray(value)) {
    if (value.length === 0) yield [name, [1]];
    for (const [i, each] of value.entries()) {
      for (const [deeper, changed] of changes(each, `${name}[${i}]`))
        yield [deeper, Object.assign([...(value as unknown[])], { [i]: changed })];
    }
  } else {
    if (Object.keys(value!).length === 0) yield [name, { more: 1 }];
    for (const [key, each] of Object.entries(value!)) {
      for (const [deeper, changed] of changes(each, `${name}.${key}`)) yield [deeper, { ...value, [key]: changed }];
    }
  }
}

const folder = t.testdir();

/** The store of a run, as if these were its settings. */
const storeOf = (paper: Paper, { key }: Run, preset: PresetName, settings: object): RunStore => {
  const request = { paper: paper.name, run: key, seed: 0, preset, device: 'wasm', data: undefined } as const;
  const run: Run = { key, settings: () => settings };
  const rows = [['r', { run, metric: 'm' }]] as const;
  const table: TableDefinition = {
    name: 'made',
    title: '',
    besides: [{ corner: '', columns: [column('c', 1)], rows }],
  };
  return new RunStore(path.join(folder, preset), request, { ...paper, tables: [table] }, noData);
};

for (const paper of papers) {
  t.test(paper.name, async (t) => {
    const runs = new Map(paper.tables.flatMap(runsOf).map((run) => [run.key, run]));
    let changed = 0;
    // Each run in one preset, and each preset: which settings there are does not hang on it.
    for (const [i, run] of [...runs.values()].entries()) {
      const preset = presetNames[i % presetNames.length]!;
      const settings = run.settings(preset);
      await storeOf(paper, run, preset, settings).save({ states: {}, position: run.key });
      const found = await storeOf(paper, run, preset, structuredClone(settings)).resume();
      if (found?.position !== run.key) t.fail(`${run.key}: the same settings have another key`);
      for (const [name, other] of changes(settings)) {
        changed++;
        const taken = await storeOf(paper, run, preset, other as object).resume();
        if (taken) t.fail(`${run.key}, ${preset}: a checkpoint is taken up though ${name} has changed`);
      }
    }
    t.ok(changed > 5 * runs.size, `${changed} changes`);
  });
}

t.test('what decides a run of cross-stitch is among its settings', (t) => {
  t.match(settingsOf({ network: 'mtl' }, 'laptop'), {
    stitch: [[0.6, 0.3, 0.1], [0.1, 0.6, 0.3], [0.1, 0.3, 0.6]], // prettier-ignore
    priors: [0.3, 1, 2],
    temperature: 2,
    dropBelow: { binary: 0.2, box: 0.2 },
    keepsWeights: true,
  });
  t.match(settingsOf({ network: 'oeq' }, 'laptop'), {
    stitch: null,
    priors: [0.5, 0.5],
    temperature: 1,
    keepsWeights: false,
  });
  t.end();
});
