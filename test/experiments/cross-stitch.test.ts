// Runs of cross-stitch: stopped and resumed they end with the same bits; evaluation leaves the running statistics alone; the
// command line from end to end; what a preset refuses.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import {
  createDevice,
  liveTensorCount,
  manualSeed,
  random,
  scope,
  setDefaultDevice,
  sum,
  mul,
  tensor,
} from '../../engine/index.ts';
import { generatedPets, preparePets, type RunResult, type TableResult } from '../../experiments/index.ts';
import { homography } from '../../experiments/data/warp.ts';
import { warpAsPaper } from '../../experiments/papers/cross-stitch/augmentation.ts';
import { withNormalization } from '../../experiments/papers/cross-stitch/evaluation.ts';
import { buildNetworks } from '../../experiments/papers/cross-stitch/networks.ts';
import { crossStitch } from '../../experiments/papers/cross-stitch/paper.ts';
import {
  modulesOf,
  petChannels,
  phasesOf,
  predict,
  stitchEntries,
} from '../../experiments/papers/cross-stitch/phases.ts';
import { settingsOf } from '../../experiments/papers/cross-stitch/presets.ts';
import {
  type NetworkName,
  networkNames,
  type TrainingSettings,
} from '../../experiments/papers/cross-stitch/settings.ts';
import { cellsOf } from '../../experiments/runner/runs.ts';
import { trainCrossStitch } from '../../experiments/papers/cross-stitch/training.ts';
import { sharedData } from '../shared-data.ts';
import { run as runCommand } from './command.ts';
import { killedRun } from './killed-run.ts';

const device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);
t.teardown(() => device.dispose());

const smokeOf = (network: NetworkName): TrainingSettings => settingsOf({ network }, 'smoke');
const smoke = smokeOf('mtl');
const samples = await preparePets(generatedPets(smoke.counts), smoke, undefined);

/** Trains until `saves` checkpoints have been written, or to the end. */
function train(settings: TrainingSettings, file: string, saves = Infinity): Promise<RunResult> {
  return trainCrossStitch(killedRun(file, device, saves), settings, samples);
}

const cases: [string, Partial<TrainingSettings>][] = [
  ...networkNames.map((network): [string, Partial<TrainingSettings>] => [network, { network }]),
  ['mtl, equation, a matrix per stage', { network: 'mtl', epochs: 4, weighting: 'equation', stitchPerStage: true }],
  ['oeq, warped', { network: 'oeq', auxiliaryEpochs: 2, epochs: 1, augmentation: 'paper' }],
];

for (const [name, change] of cases) {
  t.test(`${name}: killed and resumed`, async (t) => {
    const folder = t.testdir();
    const settings = { ...smokeOf(change.network ?? 'mtl'), ...change };
    const live = liveTensorCount();
    const whole = await train(settings, path.join(folder, 'whole'));
    t.equal(liveTensorCount(), live, 'nothing is left in memory');
    const file = path.join(folder, 'stopped');
    // The first checkpoint is that of the untrained network.
    await t.rejects(train(settings, file, 2), { message: 'killed' });
    await t.rejects(train(settings, file, 1), { message: 'killed' });
    const resumed = await train(settings, file);
    t.same(resumed.metrics, whole.metrics);
    t.same(resumed.curves, whole.curves);
    t.same(resumed.pictures, whole.pictures);
    const { metrics, curves = {} } = whole;
    t.ok(Object.values(metrics).every(Number.isFinite));
    for (const cohort of ['train', 'validation', 'test']) t.ok(metrics[`${cohort} miou`]! > 0);
    t.equal('test boxIou' in metrics, ['box', 'mtl', 'oeq'].includes(settings.network));
    t.equal('test accuracy, running statistics' in metrics, ['binary', 'mtl', 'oeq'].includes(settings.network));
    t.equal(curves['loss segmentation']!.length, settings.epochs);
    const matrix = { baseline: undefined, oeq: 'stitch1[2][0]', box: 'stitch[1][0]', binary: 'stitch[0][1]', mtl: settings.stitchPerStage ? 'stitch3[2][1]' : 'stitch[2][1]' }[settings.network]; // prettier-ignore
    if (matrix) t.ok(`final ${matrix}` in metrics && curves[matrix]!.length === settings.epochs, matrix);
    t.equal(whole.pictures!.length, 4);
  });
}

t.test('an epoch of a small set has as many updates as one of the set that the preset asks for', async (t) => {
  const steps: number[] = [];
  // 25 images are five chunks, three batches: asked for 75, three passes make an epoch.
  for (const train of [25, 75]) {
    const settings = { ...smokeOf('baseline'), epochs: 1, counts: { ...smoke.counts, train } };
    const run = killedRun(path.join(t.testdir(), String(train)), device);
    const progress = (_: number, total: number) => Promise.resolve(void steps.push(total));
    await trainCrossStitch({ ...run, progress }, settings, samples);
    t.equal(steps.at(-1), 3 * (train / 25));
  }
});

t.test('a loss that is not finite names the first operation that made one', async (t) => {
  const settings = { ...smoke, learningRate: 1e30 };
  await t.rejects(
    train(settings, path.join(t.testdir(), 'x')),
    /loss \w+ is \S+; step \d+: '\w+' is the first operation.*in layer '[\w.]+'/,
  );
});

t.test('batch statistics at evaluation leave the running ones as they were', async (t) => {
  manualSeed(1);
  const networks = buildNetworks(smokeOf('oeq'));
  const modules = Object.values(modulesOf(networks));
  const state = async () => (await Promise.all(modules.map((module) => module.stateDict()))).map((each) => [...each]);
  const before = await state();
  const x = random(0, 'x').uniformArray(2 * 3 * 32 * 32);
  const outcome = async (): Promise<number> => {
    using _ = scope();
    const { segmentation } = predict(networks, tensor(x, [2, 3, 32, 32]));
    return sum(mul(segmentation!, segmentation!)).item();
  };
  const batch = await withNormalization(modules, 'batch', outcome);
  t.same(await state(), before);
  const running = await withNormalization(modules, 'running', outcome);
  t.not(batch, running);
  t.ok(modules.every((module) => module.training));
  t.equal(await withNormalization(modules, 'batch', outcome), batch);
});

t.test('phases of OEQ: the auxiliary network is not touched by the second', async (t) => {
  manualSeed(1);
  const networks = buildNetworks(smokeOf('oeq'));
  if (networks.kind !== 'sequential') return t.fail('two networks');
  const [first, second] = phasesOf(networks, smokeOf('oeq'));
  t.same([first!.tasks, second!.tasks], [['binary', 'box'], ['segmentation']]);
  using _ = scope();
  const x = tensor(random(0, 'x').uniformArray(2 * 3 * 32 * 32), [2, 3, 32, 32]);
  sum(second!.forward(x).segmentation!).backward();
  t.ok(networks.auxiliary.parameters().every(({ grad }) => grad === undefined));
  t.ok(networks.funnel.parameters().every(({ grad }) => grad !== undefined));
  t.equal(Object.keys(await stitchEntries(networks)).length, 9 + 4 + 6);
  t.ok([0, 1, 2, 3].includes(await petChannels(networks)));
});

t.test('the warp of the authors: pictures move, boxes do not', (t) => {
  const corners = [[0, 0], [8, 0], [8, 8], [0, 8]] as const; // prettier-ignore
  const to = [[1, 2], [9, 1], [7, 7], [-1, 6]] as const; // prettier-ignore
  const [a, b, c, d, e, f, g, h] = homography(corners, to) as [number, number, number, number, number, number, number, number]; // prettier-ignore
  corners.forEach(([x, y], i) => {
    const w = g * x + h * y + 1;
    t.ok(Math.abs((a * x + b * y + c) / w - to[i]![0]) < 1e-9 && Math.abs((d * x + e * y + f) / w - to[i]![1]) < 1e-9);
  });
  const batch = {
    count: 1,
    size: 8,
    images: new Float32Array(192).fill(1),
    masks: new Int32Array(64),
    boxes: Float32Array.of(1, 2, 3, 4),
    species: Int32Array.of(1),
  };
  const warped = Array.from({ length: 200 }, (_, step) => warpAsPaper(batch, 0, step));
  const moved = warped.filter(({ images }) => images !== batch.images);
  t.ok(moved.length > 50 && moved.length < 110, `${moved.length} of 200 at probability 0.4`);
  t.ok(moved.every(({ images, boxes }) => boxes === batch.boxes && images.every((v) => v >= 0 && v <= 1 + 1e-6)));
  t.same(warpAsPaper(batch, 0, 7), warpAsPaper(batch, 0, 7));
  t.end();
});

t.test('tables and presets', async (t) => {
  t.match(settingsOf({ network: 'mtl', variant: 'no sigmoid' }, 'paper'), {
    segmentationSigmoid: false,
    chunk: 13,
    chunksPerBatch: 3,
    epochs: 150,
    flip: false,
  });
  t.equal(cellsOf(crossStitch.tables[0]!).length, 33);
  await t.rejects(crossStitch.dataFacts('paper', undefined), /needs the real Oxford-IIIT Pet/);
  await t.rejects(crossStitch.dataFacts('laptop', t.testdir()), /there is no Oxford-IIIT Pet/);
  const data = sharedData('data');
  if (!data) return;
  await t.rejects(crossStitch.dataFacts('paper', data), /needs all pictures with a head box/);
  t.match(await crossStitch.dataFacts('laptop', data), {
    real: true,
    name: /296 of its 3686 head boxes\), 178 \+ 59 \+ 59/,
  });
});

t.test('from the command line', async (t) => {
  const out = path.join(t.testdir(), 'out');
  const chosen = ['table1', 'figure3', 'task-weights', 'stitch', 'last-batch', 'parameters'].map(
    (name) => `cross-stitch/${name}`,
  );
  const { status, stderr } = await runCommand(
    ['reproduce', ...chosen, '--preset', 'smoke', '--device', 'wasm', '--out', out],
    path.dirname(out),
  );
  t.equal(status, 0, stderr);
  const { tables: results } = JSON.parse(await readFile(path.join(out, 'results.json'), 'utf8')) as {
    tables: TableResult[];
  };
  const cellsIn = (name: string) => results.find(({ table }) => table === name)!.cells;
  t.equal(cellsIn('table1').filter(({ ours }) => ours !== null).length, 33);
  t.ok(
    cellsIn('table1').every(({ verdict }) => verdict === 'not comparable'),
    'a smaller network on drawn pets is another experiment',
  );
  t.same(
    cellsIn('parameters').map(({ verdict }) => verdict),
    networkNames.map(() => 'reproduced'),
    'parameters are those of the paper under every preset, with any number of seeds',
  );
  const report = await readFile(path.join(out, 'report.html'), 'utf8');
  t.match(report, /generated pets, 25 \+ 10 \+ 12 \(a stand-in for the paper&#39;s data\)/);
  t.match(report, /true \(green\) and predicted \(red\) box/);
  t.match(report, /baseline: true mask/);
  t.notMatch(report, /mtl: true mask/, 'the same picture once');
  t.match(
    report,
    /\n\s*test image 0, (cat|dog); .*binary.*: taken for a (cat|dog)/,
    'what is the same for all, then the rest',
  );
  t.match(report, /<svg/, 'weights and matrices over epochs');
});
