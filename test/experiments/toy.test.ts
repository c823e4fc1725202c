// The toy problem in the one loop: stopped at any checkpoint and resumed it ends with the same bits, and a number that is not finite
// is traced to its network, step and operation.
import path from 'node:path';
import t from 'tap';
import { createDevice, liveTensorCount, NonFiniteError, setDefaultDevice } from '../../engine/index.ts';
import type { RunResult } from '../../experiments/index.ts';
import { toySettings, type ToySettings } from '../../experiments/papers/imbalanced-mtl/toy-settings.ts';
import { trainToy } from '../../experiments/papers/imbalanced-mtl/toy.ts';
import { killedRun } from './killed-run.ts';

const device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);
t.teardown(() => device.dispose());

/** Trains until `saves` checkpoints have been written, or to the end. Returns how many there were besides. */
async function train(settings: ToySettings, file: string, saves = Infinity): Promise<RunResult & { saved: number }> {
  let saved = 0;
  const run = killedRun(file, device, saves, () => saved++);
  const result = await trainToy({ ...run, seed: 5 }, settings);
  return { ...result, saved };
}

t.test('stopped after any checkpoint and resumed', async (t) => {
  const folder = t.testdir();
  const live = liveTensorCount();
  const { saved, ...whole } = await train(toySettings.smoke, path.join(folder, 'whole'));
  t.equal(liveTensorCount(), live, 'nothing is left in memory');
  t.equal(Object.keys(whole.metrics).length, 12);
  t.ok(Object.values(whole.metrics).every((value) => value > 0 && Number.isFinite(value)));
  t.ok(saved >= 8, 'four networks, each before its first step and after its last');
  for (let stop = 1; stop < saved; stop++) {
    const file = path.join(folder, `stopped ${stop}`);
    await t.rejects(train(toySettings.smoke, file, stop), { message: 'killed' });
    const { saved: rest, ...resumed } = await train(toySettings.smoke, file);
    t.same(resumed, whole, `after ${stop}`);
    t.equal(rest, saved - stop, 'nothing is trained twice');
  }
});

t.test('a number that is not finite names the first operation that made one', async (t) => {
  const folder = t.testdir();
  const file = path.join(folder, 'diverging');
  // Where the loss is finite still and its gradient is not, a weight is what is found.
  for (const learningRate of [1e12, 1e30, 1e38]) {
    const diverging = { ...toySettings.smoke, learningRate };
    const error = await train(diverging, `${file} ${learningRate}`).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    t.ok(error instanceof NonFiniteError, `learning rate ${learningRate}: ${String(error)}`);
    t.match(
      (error as NonFiniteError).message,
      /^loss of ST is \S+; step \d+: '\w+' is the first operation with a result that is not finite, in layer '[\w.]+'/,
    );
    t.match((error as NonFiniteError).details.hint, /The last checkpoint, of step 0, is sound/);
  }
});

t.test('a later network: what was trained before it is kept', async (t) => {
  const file = path.join(t.testdir(), 'later');
  await t.rejects(train(toySettings.smoke, file, 4), { message: 'killed' });
  await t.rejects(train({ ...toySettings.smoke, learningRate: 1e30 }, file), {
    name: 'NonFiniteError',
    message: /^loss of (MTL|teacher) is \S+; step \d+: /,
  });
  const resumed = await train(toySettings.smoke, file);
  const undisturbed = await train(toySettings.smoke, `${file} undisturbed`);
  t.same(resumed.metrics, undisturbed.metrics, 'the sound checkpoint was not written over');
});
