// Trainings on pictures at smoke size: settings as the specification has them, the same bits after a stop, a student of its teacher, and
// predictions from the weights that a run keeps.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { decode } from 'fast-png';
import t from 'tap';
import { createDevice, saveCheckpoint, setDefaultDevice, type StateDict } from '../../../engine/index.ts';
import { cellsOf, runsOf, type RunResult, type TrainContext, withNeeds } from '../../../experiments/index.ts';
import { nyud } from '../../../experiments/data/sets/nyud.ts';
import { encodeJpeg } from '../../../experiments/data/formats/png.ts';
import { runOf } from '../../../experiments/papers/imbalanced-mtl/cells.ts';
import { imbalancedMtl } from '../../../experiments/papers/imbalanced-mtl/paper.ts';
import { loadNetwork } from '../../../experiments/papers/imbalanced-mtl/predict.ts';
import { requestOf, settingsOf } from '../../../experiments/papers/imbalanced-mtl/presets.ts';
import {
  type RoomSettings,
  type RunName,
  settingsSchema,
} from '../../../experiments/papers/imbalanced-mtl/settings.ts';
import { type Checkpoint, writeState } from '../../../experiments/runner/checkpoint.ts';
import { run as command } from '../command.ts';
import { put } from '../data/files.ts';

const device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);
t.teardown(() => device.dispose());
const folder = t.testdir();

/** Thrown by a save, as if the process had been killed right after it. */
class Stopped extends Error {}

/** Trains a run, stopped at each of its first `stops` checkpoints, and keeps its weights as a file. */
async function finish(
  name: RunName,
  {
    stops = 0,
    needed,
    change = {},
  }: { stops?: number; needed?: ReadonlyMap<string, string>; change?: Partial<RoomSettings> } = {},
) {
  const run = runOf(name);
  let checkpoint: Checkpoint | undefined;
  const file = path.join(folder, `${run.key}.safetensors`);
  const context: TrainContext<RoomSettings> = {
    ...{ run: run.key, seed: 0, preset: 'smoke', device, data: undefined, ...(needed ? { needed } : {}) },
    settings: { ...run.settings('smoke'), ...change },
    resume: () => Promise.resolve(structuredClone(checkpoint)),
    save(made) {
      checkpoint = structuredClone({ ...made });
      return stops-- > 0 ? Promise.reject(new Stopped()) : Promise.resolve();
    },
    keep: (_, state, metadata) => writeState(file, state, metadata),
    progress: () => Promise.resolve(),
  };
  for (;;) {
    try {
      const { diagnostics: _, ...result } = await imbalancedMtl.train(context);
      return { result: result as Omit<RunResult, 'diagnostics'>, file };
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }
}

const teacher = { data: 'nyud', row: 'MMMT-D' } as const;
const student = { data: 'nyud', row: 'UMMT-PS' } as const;
const made = await finish(teacher);
const needed = new Map([[runOf(teacher).key, made.file]]);

t.test('settings are those of the specification', (t) => {
  for (const table of imbalancedMtl.tables) {
    const runs = withNeeds(runsOf(table));
    for (const preset of ['smoke', 'tour', 'laptop', 'paper'] as const) {
      for (const run of runs) t.ok(imbalancedMtl.cost(imbalancedMtl.settings.parse(run.settings(preset))) > 0);
    }
  }
  t.match(settingsOf({ data: 'nyud', row: 'UMMT' }, 'paper'), {
    ...{
      split: { labelled: 250, hidden: 250, validation: 295, validateOn: 'train' },
      pictures: 'labelled',
      hidden: null,
    },
    ...{ batch: 4, updates: 6250, learningRate: 1e-4, weightDecay: 1e-4, alpha: 1, scales: [1, 1.2, 1.5], flip: 0.5 },
    schedule: { power: 0.9, steps: 100 },
    network: { backbone: 'w18-small-v2', width: 640, height: 480, fpmPairing: 'official' },
    pseudo: null,
  });
  const published = settingsOf(student, 'paper');
  t.match(published, {
    pictures: 'all',
    hidden: 'segmentation',
    updates: 6250,
    pseudo: { teacher: 'nyud, MMMT-D', tau: 0.9 },
  });
  t.match(settingsOf({ data: 'nyud', row: 'UMMT-PD' }, 'paper'), {
    hidden: 'depth',
    pseudo: { teacher: 'nyud, MMMT-S' },
  });
  t.equal(settingsOf({ data: 'nyud', row: 'UMMT-PS', equal: 'epochs' }, 'paper').updates, 12500);
  t.equal(settingsOf({ data: 'nyud', row: 'UMST-S', equal: 'epochs' }, 'paper').updates, 6250);
  const streets = (row: RunName['row'], small?: true) =>
    settingsOf({ data: 'cityscapes', row, ...(small ? { small } : {}) }, 'paper');
  t.match(streets('UMMT'), {
    updates: 148750,
    batch: 2,
    split: { labelled: 2725, hidden: 250, validation: 500, validateOn: 'test' },
  });
  t.match(streets('UMMT-PS', true), {
    split: { labelled: 200, hidden: 100, validation: 200 },
    pseudo: { teacher: 'cityscapes small, MMMT-D' },
  });
  t.match(streets('UMMT').network, { width: 1024, height: 512, depthInput: { deviation: 200, channels: 3 } });
  t.equal(settingsOf({ data: 'nyud', row: 'UMMT' }, 'laptop').updates, 1500);
  for (const text of [
    { network: { ...published.network, width: 100 } },
    { scales: [0] },
    { pseudo: { teacher: 'x', tau: 2 } },
  ]) {
    t.notOk(settingsSchema.safeParse({ ...published, ...text }).success, JSON.stringify(text));
  }
  const names = imbalancedMtl.tables.flatMap((table) => cellsOf(table).map(({ row }) => row));
  for (const row of [
    'MMST',
    'MMMT-D',
    'MMMT-S',
    'FMST',
    'UMST-S',
    'UMMT',
    'UMMT-D',
    'UMMT-PD',
    'UMMT-PS',
    'UMMT-L',
    'UMST-S-L',
    'MMMT-L',
    'UMMT-PS-L',
  ]) {
    t.ok(names.includes(row), row);
  }
  t.end();
});

t.test('a student learns from its teacher, and ends with the same bits after stops', async (t) => {
  const change = { pseudo: { teacher: runOf(teacher).key, tau: 0.05 }, updates: 6 };
  const whole = await finish(student, { needed, change });
  const stopped = await finish(student, { needed, change, stops: 3 });
  t.same(stopped.result, whole.result);
  const { metrics, curves, pictures } = whole.result;
  for (const name of ['mIoU (MTI-Net)', 'rmse', 'logrmse', 'pseudo kept', 'pseudo accuracy', 'clamped pixels']) {
    t.ok(Number.isFinite(metrics[name]), name);
  }
  t.match(metrics, { pictures: 8, 'pictures with all labels': 4, 'validation pictures': 4 });
  t.same(Object.keys(curves!), ['loss', 'loss segmentation', 'loss depth']);
  t.same(
    pictures![0]!.images.map(({ caption }) => caption),
    ['picture', 'true classes', 'classes', 'true depth', 'depth'],
  );

  const other = await finish(
    { ...student, tau: 0.97 },
    { needed, change: { ...change, pseudo: { ...change.pseudo, tau: 0.97 } } },
  );
  t.ok(other.result.metrics['pseudo kept']! < metrics['pseudo kept']!, 'less is believed');
  await t.rejects(finish(student), { name: 'ConfigError', message: /weights of 'nyud, MMMT-D' are not among/ });
});

t.test('predictions from what a run keeps', async (t) => {
  const { file } = await finish(student, { needed });
  await finish({ data: 'nyud', row: 'UMST-S' });
  const data = await nyud.standIn(requestOf('smoke', 'nyud'));
  const jpeg = path.join(folder, 'room.jpg');
  await put(
    folder,
    'room.jpg',
    await encodeJpeg({ width: data.width, height: data.height, data: await data.cohorts.train.image(0) }),
  );
  const predict = (weights: string) =>
    command(['predict', 'imbalanced-mtl', weights, jpeg, '--device', 'wasm', '--out', 'out'], folder);
  const { status, stdout, stderr } = await predict(file);
  t.equal(status, 0, stderr);
  t.match(stdout, /room\.jpg: 64 x 32: out\/room-depth\.png, out\/room-classes\.png, .+ \d+ %/);
  const depth = decode(await readFile(path.join(folder, 'out/room-depth.png')));
  t.same([depth.width, depth.height, depth.depth], [64, 32, 16]);
  const classes = decode(await readFile(path.join(folder, 'out/room-classes.png')));
  const palette = new Set(data.palette.map(String));
  for (let i = 0; i < 64 * 32; i++) {
    if (!palette.has(String([...classes.data.subarray(3 * i, 3 * i + 3)]))) t.fail(`pixel ${i} is of no class`);
  }
  const facts = JSON.parse(await readFile(path.join(folder, 'out/room.json'), 'utf8')) as {
    classes: Record<string, number>;
  };
  t.ok(Math.abs(Object.values(facts.classes).reduce((a, b) => a + b) - 1) < 1e-9);
  const single = await predict(path.join(folder, 'nyud, UMST-S.safetensors'));
  t.match(single.stdout, /room\.jpg: 64 x 32: out\/room-classes\.png/, 'without depth');

  const refused = await predict(made.file);
  t.equal(refused.status, 2);
  t.match(refused.stderr, /needs the depth beside the picture.*UMST-S/);
  const foreign = path.join(folder, 'foreign.safetensors');
  await saveCheckpoint(foreign, new Map([['w', { shape: [1], values: Float32Array.of(1) }]]) as StateDict);
  await t.rejects(loadNetwork(foreign), {
    name: 'ConfigError',
    message: /foreign\.safetensors holds the weights of another network/,
  });
  await writeState(foreign, new Map(), { 'imbalanced-mtl': '{' });
  await t.rejects(loadNetwork(foreign), {
    name: 'DataError',
    message: /foreign\.safetensors: what it says of its network is damaged/,
  });
});
