// Training of MultiDepth at smoke size: the same bits after any number of stops, the search, the range test, the baselines, and
// runs that cannot work. Real frames go through loader, training, evaluation and prediction where they are beside the checkout.
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { createDevice, type Device, setDefaultDevice, type StateDict } from '../../../engine/index.ts';
import { decode } from 'fast-png';
import { listDrives, readFrame } from '../../../experiments/data/sets/kitti-depth.ts';
import { encodeColorPng, encodeDepthPng } from '../../../experiments/data/formats/png.ts';
import { cohortsOf, multidepth } from '../../../experiments/papers/multidepth/paper.ts';
import { settingsOf } from '../../../experiments/papers/multidepth/presets.ts';
import { type RunName, runKey, type TrainingSettings } from '../../../experiments/papers/multidepth/settings.ts';
import { trainNetwork } from '../../../experiments/papers/multidepth/training.ts';
import type { Checkpoint } from '../../../experiments/runner/checkpoint.ts';
import type { RunResult, TrainContext } from '../../../experiments/runner/paper.ts';
import { cellsOf, runsOf } from '../../../experiments/runner/runs.ts';
import { sharedData } from '../../shared-data.ts';
import { run as command } from '../command.ts';

const device: Device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);
const folder = t.testdir();

/** Thrown by a save, as if the process had been killed right after it. */
class Stopped extends Error {}

interface Kept {
  checkpoint?: Checkpoint | undefined;
  weights: Record<string, StateDict>;
}

type Change = Partial<TrainingSettings>;

const contextOf = (
  run: RunName,
  kept: Kept,
  stops: number,
  { data, change = {} }: { data?: string; change?: Change } = {},
): TrainContext<TrainingSettings> => {
  let left = stops;
  return {
    run: runKey(run),
    settings: { ...settingsOf(run, 'smoke'), ...change },
    seed: 0,
    preset: 'smoke',
    device,
    data,
    resume: () => Promise.resolve(structuredClone(kept.checkpoint)),
    save(checkpoint) {
      kept.checkpoint = { states: structuredClone(checkpoint.states), position: structuredClone(checkpoint.position) };
      return --left === 0 ? Promise.reject(new Stopped()) : Promise.resolve();
    },
    keep(name, state) {
      kept.weights[name] = structuredClone(state);
      return Promise.resolve();
    },
    progress: () => Promise.resolve(),
  };
};

/** The result of a run that is stopped at each of its first `stops` checkpoints. */
async function finish(
  run: RunName,
  stops: number,
  change?: Change,
): Promise<{ result: Omit<RunResult, 'diagnostics'>; kept: Kept }> {
  const kept: Kept = { weights: {} };
  for (let left = stops; ; left--) {
    try {
      const { diagnostics: _, ...result } = await multidepth.train(
        contextOf(run, kept, left > 0 ? 1 : 0, change ? { change } : {}),
      );
      return { result, kept };
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }
}

t.test('every cell names a run or says why there is none, and every run has settings', (t) => {
  for (const table of multidepth.tables) {
    for (const run of runsOf(table)) {
      t.ok(multidepth.cost(run.settings('laptop') as TrainingSettings) > 0);
    }
    t.ok(cellsOf(table).every(({ cell }) => cell.run !== undefined || (cell.reason && cell.published)));
  }
  const paper = settingsOf({ weighting: 'learned', patch: 256 }, 'paper');
  t.match(paper, {
    patch: 256,
    batch: 16,
    iterations: 500_000,
    learningRate: 1e-4,
    weightsLearningRate: 1e-4,
    baseWidth: 64,
  });
  const [usual, longer] = [undefined, 'longer' as const].map((variant) =>
    settingsOf({ weighting: 'learned', ...(variant ? { variant } : {}) }, 'laptop'),
  );
  t.equal(longer!.iterations, 3 * usual!.iterations);
  t.equal(longer!.iterations / longer!.validateEvery, usual!.iterations / usual!.validateEvery);
  t.equal(
    longer!.iterations * longer!.weightsLearningRate,
    usual!.iterations * usual!.weightsLearningRate,
    'the task weights can go as far',
  );
  t.end();
});

t.test('a run that was stopped ends with the same bits', async (t) => {
  const run = { weighting: 'learned', classes: 4 } as const;
  const whole = await finish(run, 0);
  const stopped = await finish(run, 2);
  t.same(stopped.result, whole.result);
  t.ok(
    [...whole.kept.weights.network!].every(([key, { values }]) =>
      Buffer.from(values.buffer).equals(Buffer.from(stopped.kept.weights.network!.get(key)!.values.buffer)),
    ),
    'and with the same weights',
  );
  const { curves, metrics, pictures } = whole.result;
  t.same(curves!.iteration, [3, 6]);
  t.ok(
    curves!.sReg!.every((s, i) => s < (curves!.sReg![i - 1] ?? 1)),
    's_reg falls',
  );
  t.ok(metrics.regression! <= metrics.regressionLast!);
  t.same(
    pictures![0]!.images.map(({ caption }) => caption),
    ['picture', 'measured', 'regression', 'error of the regression', 'classification', 'error of the classification'],
  );
});

t.test('the search tries every weight, and goes on after a stop', async (t) => {
  const run = { weighting: 'manual', classes: 4 } as const;
  const search = [3, 300];
  const whole = await finish(run, 0, { search });
  // In the midst of the second network.
  const stopped = await finish(run, 6, { search });
  t.same(stopped.result, whole.result);
  const { metrics } = whole.result;
  const tried = search.map((weight) => metrics[`regression at ${weight}`]!);
  t.equal(metrics.regression, Math.min(...tried));
  t.equal(metrics[`regression at ${metrics.bestWeight}`], metrics.regression);
  t.same(Object.keys(whole.kept.weights), ['network-3', 'network-300'], 'every network is kept');
});

t.test('the baselines have one output', async (t) => {
  for (const weighting of ['regression', 'classification'] as const) {
    const { result } = await finish({ weighting }, 0);
    const outputs = ['regression', 'classification'].filter((output) => result.metrics[output] !== undefined);
    t.same(outputs, [weighting]);
  }
});

t.test('the range test shows a loss that falls and then diverges', async (t) => {
  const { result } = await finish({ weighting: 'learned', variant: 'range test' }, 0);
  const { learningRate, loss } = result.curves!;
  t.ok(Math.abs(learningRate![0]! - 1e-8) < 1e-12 && Math.abs(learningRate!.at(-1)! - 10) < 1e-9);
  t.ok(loss!.every(Number.isFinite));
  t.ok(result.metrics['loss at 1e1']! > result.metrics['loss at 1e-2']!);
});

t.test('a diverging run is an error that says so', async (t) => {
  const settings = { ...settingsOf({ weighting: 'regression' }, 'smoke'), learningRate: 1e30 };
  const context = contextOf({ weighting: 'regression' }, { weights: {} }, 0);
  await t.rejects(trainNetwork(context, settings, await cohortsOf('smoke', undefined)), {
    name: 'NonFiniteError',
    message: /Loss is \S+; step \d+: '\w+' is the first operation with a result that is not finite, in layer '[\w.]+'/,
  });
});

t.test('data that are not there', async (t) => {
  await t.rejects(multidepth.dataFacts('paper', undefined), { name: 'ConfigError', message: /needs the real KITTI/ });
  await t.rejects(multidepth.dataFacts('smoke', folder), {
    name: 'DataError',
    message: /no KITTI depth prediction in .*kitti.*data show kitti/,
  });
  const bare = path.join(folder, 'bare');
  await mkdir(path.join(bare, 'kitti', 'depth', 'train'), { recursive: true });
  await t.rejects(multidepth.dataFacts('smoke', bare), {
    name: 'DataError',
    message: /no training pairs.*data show kitti/,
  });
  const facts = await multidepth.dataFacts('smoke', undefined);
  t.match(facts, { name: 'generated road scenes, 8 training and 2 validation frames', real: false });
});

t.test('the command line', async (t) => {
  const out = path.join(folder, 'runs');
  const run = await command(
    ['reproduce', 'multidepth/figure4', 'multidepth/figure8', '--preset', 'smoke', '--device', 'wasm', '--out', out],
    folder,
  );
  t.equal(run.status, 0, run.stderr);
  t.match(run.stdout, /generated road scenes.*a stand-in/);
  const report = await readFile(path.join(out, 'report.html'), 'utf8');
  t.match(report, /<svg/);
  t.match(report, /alt="classification, /);
  t.match(report, /alt="error of the regression, /);
  const shown = await command(['data', 'show', 'kitti'], folder);
  t.match(shown.stdout, /avg-kitti.*data_depth_annotated/);
  t.match((await command(['data', 'show', 'mnist'], folder)).stdout, /440fcabf/);
  const fetched = await command(['data', 'fetch', 'kitti'], folder);
  t.equal(fetched.status, 2);
  t.match(fetched.stderr, /cannot be fetched by a command.*wgrad data show kitti/);

  const scenes = await cohortsOf('smoke', undefined);
  const [first] = scenes.validation.pairs;
  const weights = path.join(out, 'runs/multidepth');
  const network = (await readdir(weights, { recursive: true })).find((name) => name.endsWith('network.safetensors'))!;
  const odd = path.join(folder, 'odd.png');
  await sharp(first!.color).resize(101, 50).toFile(odd);
  const predict = await command(
    [
      'predict',
      'multidepth',
      path.join(weights, network),
      first!.color,
      odd,
      '--out',
      'depths',
      '--device',
      'wasm',
      '--profile',
    ],
    folder,
  );
  t.equal(predict.status, 0, predict.stderr);
  t.match(predict.stdout, /odd\.png: 101 x 50/);
  t.match(predict.stdout, /peak memory: tensors \d+ MiB, process \d+ MiB/);
  t.match(predict.stdout, /Profile of 2 picture\(s\).*means over 2 step\(s\)/);
  t.match(predict.stdout, /layer [^]*(res_block|head_d)/);
  t.match(JSON.parse(await readFile(path.join(folder, 'depths', 'trace.json'), 'utf8')), {
    traceEvents: [{ ph: 'M' }],
  });
  const depth = decode(await readFile(path.join(folder, 'depths', 'odd-depth.png')));
  t.same([depth.width, depth.height, depth.depth, depth.channels], [101, 50, 16, 1]);
  t.ok(Math.min(...depth.data) >= 2 * 256 - 1 && Math.max(...depth.data) <= 125 * 256);
  const twice = await command(['predict', 'multidepth', path.join(weights, network), odd, odd], folder);
  t.match(twice.stderr, /another picture is also called/);
  // The development kit: 16-bit grey maps in units of 1/256 m, 0 for none, called as their pictures, in the root of an archive.
  const pictures = await mkdir(path.join(folder, 'test/image'), { recursive: true }).then(() =>
    Promise.all(
      ['0000000000.png', '0000000499.png'].map(async (name) => {
        const file = path.join(folder, 'test/image', name);
        await sharp(first!.color).resize(1216, 352, { fit: 'fill' }).toFile(file);
        return file;
      }),
    ),
  );
  const predicting = [
    'predict',
    'multidepth',
    path.join(weights, network),
    ...pictures,
    '--upload',
    '--device',
    'wasm',
  ];
  const upload = await command([...predicting, '--out', 'upload'], folder);
  t.equal(upload.status, 0, upload.stderr);
  t.same((await readdir(path.join(folder, 'upload'))).sort(), ['0000000000.png', '0000000499.png'], 'nothing else');
  for (const name of await readdir(path.join(folder, 'upload'))) {
    const map = decode(await readFile(path.join(folder, 'upload', name)));
    t.same([map.width, map.height, map.depth, map.channels], [1216, 352, 16, 1], name);
    t.ok(
      map.data.every((units) => units >= 2 * 256 - 1 && units <= 125 * 256),
      `${name}: every pixel, in 1/256 m`,
    );
  }
  const over = await command([...predicting, '--out', 'test/image'], folder);
  t.equal(over.status, 2);
  t.match(over.stderr, /0000000000\.png' would be written over the picture itself/);
  await writeFile(path.join(folder, 'not.safetensors'), 'no weights');
  const broken = await command(['predict', 'multidepth', 'not.safetensors', odd], folder);
  t.equal(broken.status, 2);
  t.match(broken.stderr, /not\.safetensors, byte/);
});

const real = sharedData('data/kitti');
if (!real) {
  t.pass('real frames', { skip: 'the folder of shared data is not beside this checkout' });
} else {
  t.test('real frames through training and evaluation', async (t) => {
    // The validation selection is not there: it is imitated by 1216 x 352 pixels from the lower middle of two real frames.
    const data = path.join(folder, 'real');
    await mkdir(path.join(data, 'kitti'), { recursive: true });
    for (const part of ['depth', 'rgb'])
      await cp(path.join(real, part), path.join(data, 'kitti', part), { recursive: true });
    const selection = path.join(data, 'kitti', 'depth_selection', 'val_selection_cropped');
    await mkdir(path.join(selection, 'image'), { recursive: true });
    await mkdir(path.join(selection, 'groundtruth_depth'), { recursive: true });
    const { pairs } = await listDrives(real, 'train');
    const [width, height] = [1216, 352];
    for (const [i, pair] of pairs.slice(0, 2).entries()) {
      const frame = await readFrame(pair);
      const [left, top] = [(frame.width - width) >> 1, frame.height - height];
      const color = new Uint8Array(3 * width * height);
      const depth = new Uint16Array(width * height);
      for (let y = 0; y < height; y++) {
        const from = (top + y) * frame.width + left;
        color.set(frame.color.subarray(3 * from, 3 * (from + width)), 3 * y * width);
        // The second frame has lost all of its measurements.
        if (i === 0) depth.set(frame.depth.subarray(from, from + width), y * width);
      }
      const name = (kind: string): string => path.join(`drive_${kind}_000000000${i}_image_02.png`);
      await writeFile(
        path.join(selection, 'image', name('image')),
        await encodeColorPng({ width, height, data: color }),
      );
      const file = path.join(selection, 'groundtruth_depth', name('groundtruth_depth'));
      await writeFile(file, await encodeDepthPng({ width, height, data: depth }));
    }
    const facts = await multidepth.dataFacts('smoke', data);
    t.match(facts, { name: 'KITTI depth prediction, 4 training and 2 validation frames', real: true });
    const kept: Kept = { weights: {} };
    const { metrics } = await multidepth.train(contextOf({ weighting: 'learned' }, kept, 0, { data }));
    t.ok(metrics.regression! > 5 && metrics.regression! < 150, `SILog ${metrics.regression}`);
    t.equal(metrics.withoutDepth, 1, 'the frame without measurements is left out and counted');
  });
}
