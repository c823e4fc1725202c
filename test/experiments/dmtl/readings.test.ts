// The readings of what dMTL leaves open: settings that a run without a reading does not have, every new way through the training at the
// smallest size, and the conclusion drawn from made-up numbers.
import t from 'tap';
import { createDevice, setDefaultDevice } from '../../../engine/index.ts';
import { dmtl } from '../../../experiments/papers/dmtl/paper.ts';
import { settingsOf } from '../../../experiments/papers/dmtl/presets.ts';
import { type ReadingName, readings } from '../../../experiments/papers/dmtl/reading-names.ts';
import { readingsTable } from '../../../experiments/papers/dmtl/readings.ts';
import { runKey, settingsSchema, type TrainingSettings } from '../../../experiments/papers/dmtl/settings.ts';
import type { Cell, Effect, RunResult } from '../../../experiments/runner/paper.ts';
import { cellsOf, runsOf } from '../../../experiments/runner/runs.ts';

const device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);
t.teardown(() => device.dispose());

const name = { strategy: 'multitaskLoss', noise: '1:29', n: 3500 } as const;

t.test('a run without a reading has the settings that it always had', (t) => {
  const keys = ['strategy', 'trainCount', 'validationCount', 'testCount', 'images', 'baseWidth', 'epochs', 'batch', 'optimizer', 'learningRate', 'momentum', 'weightDecay', 'depthLoss', 'lambda', 'multiOpt']; // prettier-ignore
  const settings = settingsOf(name, 'laptop');
  t.same(Object.keys(settings), keys);
  t.same(Object.keys(settings.images), ['size', 'noise', 'depthMode']);
  t.equal(runKey(name), 'multitaskLoss 1:29 N=3500');
  t.equal(runKey({ ...name, lambda: 10 }), 'multitaskLoss 1:29 N=3500 lambda=10');
  t.equal(runKey({ ...name, variant: 'rate/5' }), 'multitaskLoss 1:29 N=3500 rate/5');
  t.end();
});

t.test('every reading changes something, is valid, and is run', (t) => {
  const keys = runsOf(readingsTable).map(({ key }) => key);
  t.equal(new Set(keys).size, keys.length);
  for (const reading of Object.keys(readings) as ReadingName[]) {
    const settings = settingsOf({ ...name, reading }, 'laptop');
    t.ok(settingsSchema.safeParse(settings).success, reading);
    t.notSame(settings, settingsOf(name, 'laptop'), reading);
    t.ok(
      keys.some((key) => key.includes(`(${reading})`)),
      reading,
    );
  }
  t.match(settingsOf({ ...name, reading: 'noise*2' }, 'laptop'), { images: { noise: { k: 58, kind: 'mixUniform' } } });
  t.match(settingsOf({ ...name, reading: 'power ratio' }, 'laptop'), { images: { noise: { k: 29, kind: 'power' } } });
  t.equal(settingsOf({ ...name, reading: 'SGD 1e-4', longer: 8 }, 'laptop').epochs, 80);
  t.end();
});

const smoke = (settings: TrainingSettings): Promise<RunResult> =>
  dmtl.train({
    ...{ run: 'reading', seed: 0, preset: 'smoke', device, data: undefined, settings },
    resume: () => Promise.resolve(undefined),
    save: () => Promise.resolve(),
    keep: () => Promise.resolve(),
    progress: () => Promise.resolve(),
  });

// Those with a way of their own through data, network or losses.
const ways: readonly ReadingName[] = ['RMSprop 5e-5, one forward', 'noise before upsampling', 'power ratio', 'half of the images noisy', 'flattened', 'three levels', 'not standardised', 'no batch norm', 'fresh noise', 'grey digits', 'absolute depth loss', 'depth c / 9', 'unweighted classes']; // prettier-ignore

t.test('the smallest size', async (t) => {
  const counts = { trainCount: 12, validationCount: 4, testCount: 4 };
  const plain = await smoke({ ...settingsOf(name, 'smoke'), ...counts });
  for (const reading of ways) {
    const strategy = reading.endsWith('one forward') ? 'multipleOptimizers' : 'multitaskLoss';
    const { metrics, curves } = await smoke({ ...settingsOf({ ...name, strategy, reading }, 'smoke'), ...counts });
    t.ok(Object.values(metrics).every(Number.isFinite), reading);
    // At 16 x 16 the lowest level is one pixel: flattened and pooled are the same there (test/models/unet.test.ts has a larger one).
    if (reading !== 'flattened') t.notSame(curves!.loss, plain.curves!.loss, `${reading}: another training`);
  }
});

t.test('the conclusion: validation chooses, the criterion names', (t) => {
  const [search] = readingsTable.besides!;
  const places = new Map<Cell, readonly [row: string, column: number]>(
    search!.rows.flatMap(([row, ...cells]) => cells.map((cell, i) => [cell!, [row, i]] as const)),
  );
  const valueWith =
    (special: string) =>
    (cell: Cell): number => {
      const [row, column] = places.get(cell)!;
      return row === special ? [0.5, 0.9, 0.5, 0.75][column]! : [0.8, 0.85, 0.8, 0.82][column]!;
    };
  const chosen = readingsTable.conclusion!(valueWith('three levels'));
  t.match(chosen, /largest gap is that of "three levels" \(\+0\.400\); on the test set it is \+0\.250/);
  t.match(chosen, /readings these have a mean gap of 0\.1 or more on the test set: three levels\.$/);
  t.match(readingsTable.conclusion!(valueWith('none')), /None of \d+ readings/);
  const claims = readingsTable.claims!.filter(({ text }) => text.includes('by more than 0.05'));
  t.equal(claims.length, search!.rows.length, 'every reading is judged');
  t.ok(
    claims.every(({ effects }) =>
      effects.every(({ size, direction }: Effect) => size === 0.05 && direction === 'above'),
    ),
  );
  const known = new Set(cellsOf(readingsTable).map(({ cell }) => cell));
  t.ok(
    readingsTable.claims!.every(({ effects }) => effects.every(({ cells }) => cells.every((cell) => known.has(cell)))),
  );
  t.end();
});
