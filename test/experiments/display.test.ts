// Text for terminals of any width, the choice of tables, and the arithmetic of progress.
import t from 'tap';
import { duration } from '../../experiments/cli/status-lines.ts';
import { plainMessage } from '../../experiments/cli/errors.ts';
import { select } from '../../experiments/cli/select.ts';
import { layOut } from '../../experiments/cli/tables.ts';
import { papers } from '../../experiments/index.ts';
import { Progress } from '../../experiments/runner/progress.ts';
import { suggestion } from '../../experiments/runner/suggestion.ts';
import type { WorkerTask } from '../../experiments/runner/worker.ts';
import { html } from '../../experiments/report/html.ts';

t.test('tables turn into lines where they do not fit', (t) => {
  const head = ['row', 'published', 'ours'];
  const rows = [
    ['single task', '0.577', '0.6'],
    ['sequential', '0.797', '-'],
  ];
  const wide = ['row          published  ours', 'single task  0.577      0.6', 'sequential   0.797      -'];
  t.equal(layOut(head, rows, 28), wide.join('\n'));
  const narrow = ['single task', '  published: 0.577', '  ours: 0.6', 'sequential', '  published: 0.797', '  ours: -'];
  t.equal(layOut(head, rows, 27), narrow.join('\n'));
  t.end();
});

t.test('a selection keeps the order of the paper and takes nothing twice', (t) => {
  const [dmtl] = select(['dmtl/table3', 'dmtl/table1', 'dmtl/table3'], papers);
  t.same(
    dmtl!.tables.map(({ name }) => name),
    ['table1', 'table3'],
  );
  t.equal(select([], papers).length, papers.length);
  t.equal(select(['dmtl/table3', 'dmtl'], papers)[0]!.tables.length, select(['dmtl'], papers)[0]!.tables.length);
  t.equal(suggestion('tabl2', ['table2', 'figure7']), "Did you mean 'table2'?");
  t.equal(suggestion('x', ['table2', 'figure7']), 'There are: table2, figure7');
  t.end();
});

t.test('progress counts cells, runs and cost', (t) => {
  let now = 0;
  const task = (run: string): WorkerTask => ({
    request: { paper: 'p', run, seed: 0, preset: 'smoke', device: 'wasm', data: undefined },
    out: '',
    dataFacts: { name: '', real: false, checksums: {} },
    threads: 1,
  });
  const key = (run: string): string => `p ${run}, seed 0`;
  const progress = new Progress([[key('a')], [key('a'), key('b')], [key('c')]], [key('c')], [3, 1], () => now);
  t.match(progress.snapshot(), { cellsDone: 1, cells: 3, runsDone: 1, runs: 3, share: 0, secondsLeft: undefined });
  progress.start(task('a'), 3);
  progress.start(task('b'), 1);
  progress.update(task('a'), 0, 100);
  now = 2000;
  progress.update(task('a'), 50, 100);
  t.match(progress.snapshot(), { share: 0.375, stepsPerSecond: 25, current: [key('a'), key('b')] });
  t.ok(Math.abs(progress.snapshot().secondsLeft! - (2 * 0.625) / 0.375) < 1e-9);
  now = 4000;
  t.equal(progress.finish(task('a')), 4);
  t.match(progress.snapshot(), { cellsDone: 2, runsDone: 2, share: 0.75, current: [key('b')] });
  progress.finish(task('b'));
  t.match(progress.snapshot(), { cellsDone: 3, share: 1, secondsLeft: 0 });
  t.equal(duration(59.4), '59 s');
  t.equal(duration(61), '1 min 1 s');
  t.equal(duration(7260), '2 h 1 min');
  t.end();
});

t.test('what a resumed run has brought along took no time', (t) => {
  let now = 0;
  const request = { paper: 'p', run: 'a', seed: 0, preset: 'smoke', device: 'wasm', data: undefined } as const;
  const task = { request, out: '', dataFacts: { name: '', real: false, checksums: {} }, threads: 1 };
  const progress = new Progress([], [], [1], () => now);
  progress.start(task, 1);
  progress.update(task, 80, 100);
  now = 1000;
  progress.update(task, 90, 100);
  t.match(progress.snapshot(), { share: 0.9, stepsPerSecond: 10 });
  t.ok(Math.abs(progress.snapshot().secondsLeft! - 1) < 1e-9);
  t.end();
});

t.test('texts', (t) => {
  t.equal(plainMessage(new Error('bad shape [at /some/file.js:3:14]')), 'bad shape');
  t.equal(
    html`<b title="${'"'}">${['<', html`<i>&amp;</i>`, undefined, 3]}</b>`.text,
    '<b title="&quot;">&lt;<i>&amp;</i>3</b>',
  );
  t.end();
});
