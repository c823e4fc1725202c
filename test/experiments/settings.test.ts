// Runs as values: every setting is part of what a stored run is found by, and nothing else stands between a run and its settings.
import t from 'tap';
import { type DataFacts, type Paper, papers, type Run, runsOf, type TableDefinition } from '../../experiments/index.ts';
import { column } from '../../experiments/runner/definition.ts';
import { type RunRecord, type RunRequest, RunStore } from '../../experiments/runner/store.ts';

const data: DataFacts = { name: 'made', real: false, checksums: {} };

/** The paper with one run alone, whose settings are these. */
function withSettings(paper: Paper, run: Run, settings: object): Paper {
  const changed: Run = { key: run.key, settings: () => settings };
  const table: TableDefinition = {
    name: 'made',
    title: '',
    besides: [{ title: 'made', corner: '', columns: [column('c', 1)], rows: [['r', { run: changed, metric: 'm' }]] }],
  };
  return { ...paper, tables: [table] };
}

/** All values in settings with one of them changed, each with its path. */
function changes(value: unknown): [path: string, changed: unknown][] {
  if (typeof value === 'number') return [['', value + 1]];
  if (typeof value === 'boolean') return [['', !value]];
  if (typeof value === 'string') return [['', `${value}x`]];
  if (value === null) return [['', 1]];
  if (Array.isArray(value)) {
    return value.flatMap((each, i) =>
      changes(each).map(([path, changed]): [string, unknown] => [
        `[${i}]${path}`,
        value.map((other: unknown, k) => (k === i ? changed : other)),
      ]),
    );
  }
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, each]) =>
    changes(each).map(([path, changed]): [string, unknown] => [`.${name}${path}`, { ...value, [name]: changed }]),
  );
}

for (const paper of papers) {
  t.test(`${paper.name}: a run of other settings is another run`, async (t) => {
    const runs = new Map(paper.tables.flatMap(runsOf).map((run) => [run.key, run]));
    // The last run of each number of settings: together they have all kinds.
    const kinds = new Map([...runs.values()].map((run) => [changes(run.settings('smoke')).length, run]));
    for (const run of kinds.values()) {
      const settings = run.settings('smoke');
      const out = t.testdir();
      const request: RunRequest = { paper: paper.name, run: run.key, seed: 0, preset: 'smoke', device: 'wasm', data: undefined }; // prettier-ignore
      const store = (of: object): RunStore => new RunStore(out, request, withSettings(paper, run, of), data);
      const record = { result: { metrics: { m: 1 } } } as unknown as RunRecord;
      await store(settings).write(record);
      t.same(await store(structuredClone(settings)).read(), record, 'equal settings, not the same object');
      for (const [path, changed] of changes(settings)) {
        t.equal(await store(changed as object).read(), undefined, `${run.key}: ${path}`);
      }
    }
  });
}
