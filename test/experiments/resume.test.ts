// A run stopped after any of its epochs and resumed from the file of its checkpoint ends with the bits of one never stopped:
// every strategy of dmtl, with both optimizers and both forms of multiple optimizers.
import path from 'node:path';
import t from 'tap';
import { createDevice, setDefaultDevice } from '../../engine/index.ts';
import { readCheckpoint, writeCheckpoint } from '../../experiments/runner/checkpoint.ts';
import { generatedDigits, type RunResult } from '../../experiments/index.ts';
import { settingsOf } from '../../experiments/papers/dmtl/presets.ts';
import { strategies, type TrainingSettings } from '../../experiments/papers/dmtl/settings.ts';
import { batchesOf, classWeights } from '../../experiments/papers/dmtl/course.ts';
import { trainDmtl } from '../../experiments/papers/dmtl/training.ts';
import { killedRun } from './killed-run.ts';

const device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);

/** Trains until `saves` checkpoints have been written, or to the end. */
function train(settings: TrainingSettings, file: string, saves = Infinity): Promise<RunResult> {
  return trainDmtl(killedRun(file, device, saves), settings, generatedDigits());
}

const variants: [string, Partial<TrainingSettings>][] = [
  ...strategies.map((strategy): [string, Partial<TrainingSettings>] => [strategy, { strategy }]),
  ['RMSprop, L1', { strategy: 'multitaskLoss', optimizer: 'rmsprop', depthLoss: 'l1', learningRate: 1e-3 }],
  ['one forward pass', { strategy: 'multipleOptimizers', multiOpt: 'sharedForward' }],
];

for (const [name, change] of variants) {
  t.test(name, async (t) => {
    const folder = t.testdir();
    const settings = { ...settingsOf({ strategy: 'singleTask', noise: '1:5', n: 3500 }, 'smoke'), ...change };
    const whole = await train(settings, path.join(folder, 'whole'));
    const file = path.join(folder, 'stopped');
    // The first checkpoint is that of the untrained network.
    await t.rejects(train(settings, file, 2), { message: 'killed' });
    await t.rejects(train(settings, file, 1), { message: 'killed' });
    t.same(await train(settings, file), whole);
    t.ok(whole.metrics.accuracy! >= 0 && whole.metrics.accuracy! <= 1);
    t.equal('depthRmse' in whole.metrics, change.strategy !== 'singleTask');
  });
}

t.test('a loss that is not finite names the first operation that made one', async (t) => {
  for (const strategy of ['multitaskLoss', 'sequential'] as const) {
    const settings = {
      ...settingsOf({ strategy: 'singleTask', noise: '1:5', n: 3500 }, 'smoke'),
      strategy,
      learningRate: 1e30,
    };
    await t.rejects(
      train(settings, path.join(t.testdir(), strategy)),
      /loss is \S+; step \d+: .\w+. is the first operation with a result that is not finite, in layer '[\w.]+'.*called at/,
    );
  }
});

t.test('a checkpoint of other settings is not taken', async (t) => {
  const file = path.join(t.testdir(), 'checkpoint');
  await writeCheckpoint(file, { states: {}, position: { epoch: 1 } }, 'one');
  t.same(await readCheckpoint(file, 'one'), { states: {}, position: { epoch: 1 } });
  t.equal(await readCheckpoint(file, 'another'), undefined);
  t.equal(await readCheckpoint(`${file} that is not there`, 'one'), undefined);
});

t.test('batches', (t) => {
  const sizes = (count: number): number[] => batchesOf(count, 4, 0, 0).map((batch) => batch.length);
  t.same(sizes(8), [4, 4]);
  t.same(sizes(10), [4, 4, 2]);
  t.same(sizes(9), [4, 4], 'a last batch of one image is dropped');
  t.same([...batchesOf(10, 4, 0, 0).flatMap((batch) => [...batch])].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  t.notSame(batchesOf(10, 4, 0, 0), batchesOf(10, 4, 0, 1), 'each epoch has its own order');
  t.same([...classWeights([2, 0, 6])], [Math.fround(8 / 6), 0, Math.fround(8 / 18)]);
  t.end();
});

t.teardown(() => device.dispose());
