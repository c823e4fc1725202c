// Training of DenseDepth at smoke size: the same bits after any number of stops and with pre-trained weights kept or made, kept
// features, fine-tuning, rates that diverge, pools, and predictions from what runs keep.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { decode } from 'fast-png';
import t from 'tap';
import { createDevice, noGrad, saveCheckpoint, setDefaultDevice, type StateDict } from '../../../engine/index.ts';
import { runsOf, type RunResult, type TrainContext } from '../../../experiments/index.ts';
import { CachedScenes, objectClasses } from '../../../experiments/data/object-scenes.ts';
import { redwood } from '../../../experiments/data/sets/redwood.ts';
import { encodeJpeg } from '../../../experiments/data/formats/png.ts';
import { objectScene } from '../../../experiments/data/synthetic/object-scenes.ts';
import { picturesOf } from '../../../experiments/papers/densedepth/evaluation.ts';
import { Features } from '../../../experiments/papers/densedepth/features.ts';
import { SceneNetwork } from '../../../experiments/papers/densedepth/network.ts';
import { densedepth } from '../../../experiments/papers/densedepth/paper.ts';
import { loadNetwork, predictScene } from '../../../experiments/papers/densedepth/predict.ts';
import { settingsOf } from '../../../experiments/papers/densedepth/presets.ts';
import { jitter } from '../../../experiments/papers/densedepth/pretraining.ts';
import { batchOf, FLIP, pixelsOf, poolOf, Samples, SWAP } from '../../../experiments/papers/densedepth/samples.ts';
import {
  type RunName,
  runKey,
  settingsSchema,
  type TrainingSettings,
} from '../../../experiments/papers/densedepth/settings.ts';
import type { Checkpoint } from '../../../experiments/runner/checkpoint.ts';
import { writeCheckpoint, writeState } from '../../../experiments/runner/checkpoint.ts';
import { run as command } from '../command.ts';
import { put } from '../data/files.ts';

const device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);
t.teardown(() => device.dispose());
const folder = t.testdir();

/** Thrown by a save, as if the process had been killed right after it. */
class Stopped extends Error {}

interface Kept {
  checkpoint?: Checkpoint | undefined;
  weights: Record<string, { state: StateDict; metadata: Readonly<Record<string, string>> }>;
}

interface Options {
  change?: Partial<TrainingSettings>;
  cache?: string;
}

function contextOf(
  run: RunName,
  kept: Kept,
  stops: number,
  { change, cache }: Options,
): TrainContext<TrainingSettings> {
  let left = stops;
  return {
    run: runKey(run),
    settings: { ...settingsOf(run, 'smoke'), ...change },
    ...{ seed: 0, preset: 'smoke', device, data: undefined, ...(cache === undefined ? {} : { cache }) },
    resume: () => Promise.resolve(structuredClone(kept.checkpoint)),
    save(checkpoint) {
      kept.checkpoint = structuredClone({ ...checkpoint });
      return --left === 0 ? Promise.reject(new Stopped()) : Promise.resolve();
    },
    keep(name, state, metadata) {
      kept.weights[name] = { state: structuredClone(state), metadata };
      return Promise.resolve();
    },
    progress: () => Promise.resolve(),
  };
}

/** The result of a run that is stopped at each of its first `stops` checkpoints. */
async function finish(run: RunName, stops = 0, options: Options = {}) {
  const kept: Kept = { weights: {} };
  for (let left = stops; ; left--) {
    try {
      const { diagnostics: _, ...result } = await densedepth.train(contextOf(run, kept, left > 0 ? 1 : 0, options));
      return { result: result as Omit<RunResult, 'diagnostics'>, kept };
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }
}

const sameBits = (a: StateDict, b: StateDict): boolean =>
  [...a].every(([key, { values }]) => {
    const other = b.get(key)!.values;
    return Buffer.from(values.buffer, values.byteOffset, values.byteLength).equals(
      Buffer.from(other.buffer, other.byteOffset, other.byteLength),
    );
  });

const final = { network: 'densenet', protocol: 'final' } as const;
const whole = await finish(final);

t.test('every table has runs whose settings are valid', (t) => {
  const keys = new Map<string, string>();
  for (const table of densedepth.tables) {
    for (const run of runsOf(table)) {
      for (const preset of ['smoke', 'tour', 'laptop', 'paper'] as const) {
        const settings = settingsSchema.parse(run.settings(preset));
        t.ok(densedepth.cost(settings) > 0);
        const seen = keys.get(`${run.key} ${preset}`) ?? JSON.stringify(settings);
        t.equal(JSON.stringify(settings), seen);
        keys.set(`${run.key} ${preset}`, seen);
      }
    }
  }
  t.match(settingsOf(final, 'paper'), {
    ...{
      network: 'densenet169',
      filters: 52,
      lastFilters: 32,
      epochs: 100,
      batch: 16,
      learningRate: 1e-4,
      decay: null,
    },
    ...{ counts: { train: 3161, validation: 352, test: 371 }, range: 12.086, width: 128, height: 96 },
    lossWeights: { ssim: 0.85, gradient: 0.9, mae: 0.1 },
  });
  const tuned = settingsOf({ network: 'densenet', protocol: 'fine-tuning' }, 'paper');
  t.match(tuned.fineTuning, { epochs: 50, learningRate: 1e-5, decay: { factor: 0.9, every: 1000 } });
  const filters = [16, 32, 52, 64, 128].map((n) => settingsOf({ ...final, filters: n }, 'paper').filters);
  t.same(filters, [16, 32, 52, 64, 128]);
  t.end();
});

t.test('a run that was stopped ends with the same bits', async (t) => {
  const stopped = await finish(final, 4);
  t.same(stopped.result, whole.result);
  t.same(Object.keys(stopped.kept.weights), ['epoch1', 'last', 'best']);
  for (const name of ['epoch1', 'last', 'best']) {
    t.ok(sameBits(whole.kept.weights[name]!.state, stopped.kept.weights[name]!.state), name);
  }
  const { metrics, curves, pictures } = whole.result;
  t.equal(curves!['validation mae']!.length, 3);
  t.equal(metrics['validation loss'], Math.min(...curves!['validation loss']!));
  for (const score of ['loss', 'mae', 'maeValid', 'ssim', 'ssimFixed', 'accuracy', 'precision', 'recall', 'mae car']) {
    for (const cohort of ['train', 'inference', 'validation', 'test'])
      t.ok(Number.isFinite(metrics[`${cohort} ${score}`]), `${cohort} ${score}`);
  }
  t.ok(metrics.featureSpread! > 0);
  t.equal(pictures!.length, 6);
  t.same(
    pictures![0]!.images.map(({ caption }) => caption),
    ['picture', 'truth', 'after 1 epochs', 'after 3 epochs'],
  );
});

t.test('pre-trained weights are made once, and are the same if they are kept', async (t) => {
  const cache = path.join(folder, 'cache');
  const first = await finish(final, 0, { cache });
  const [file, ...more] = await readdir(path.join(cache, 'densedepth'));
  t.match(file, /^mini-densenet-.*\.safetensors$/);
  t.same(more, []);
  t.same(await readdir(cache), ['densedepth'], 'no features are left behind');
  const written = await readFile(path.join(cache, 'densedepth', file!));
  const again = await finish(final, 0, { cache });
  t.ok(written.equals(await readFile(path.join(cache, 'densedepth', file!))));
  for (const { result } of [first, again]) t.same(result, whole.result);
  await put(cache, `densedepth/${file}`, written.subarray(0, 1000));
  t.same((await finish(final, 0, { cache })).result, whole.result, 'damaged weights are made again');
});

t.test('fine-tuning goes on from the best weights and moves the upper backbone alone', async (t) => {
  const tuned = { network: 'densenet', protocol: 'fine-tuning' } as const;
  const { result, kept } = await finish(tuned);
  t.equal(result.curves!['train loss']!.length, 3);
  t.equal(result.metrics['fine-tuned validation loss'], result.curves!['validation loss']![2]);
  const [early, last] = [kept.weights.epoch1!.state, kept.weights.last!.state];
  const moved = [...early.keys()].filter(
    (key) => key.startsWith('backbone.') && !sameBits(new Map([[key, early.get(key)!]]), last),
  );
  t.ok(
    moved.length > 0 && moved.every((key) => /denseblock3\.denselayer[3-9]|transition3|denseblock4|norm5/.test(key)),
    moved.join(),
  );
  t.notOk(
    moved.some((key) => /running|batches/.test(key)),
    'running statistics stay',
  );
  t.same((await finish(tuned, 5)).result, result);
});

t.test('a rate that diverges is shown as such, and all networks train', async (t) => {
  const high = await finish({ network: 'densenet', protocol: 'short', rate: 0.1 }, 0, {
    change: { learningRate: 1e8 },
  });
  t.ok(Object.values(high.result.metrics).every(Number.isFinite));
  t.equal(high.result.metrics['last train loss'], 100);
  t.equal(high.result.metrics.fell, 0);
  for (const network of ['resnet', 'efficientnet', 'toy'] as const) {
    const { result } = await finish({ network, protocol: 'study' });
    t.ok(result.metrics['last train loss']! > 0);
    t.notOk('validation loss' in result.metrics, 'the study holds nothing back');
  }
});

const size = { width: 64, height: 32 };
const { cohorts } = await redwood.standIn({ ...size, counts: { train: 12, validation: 6, test: 6 }, framesPerScan: 1 });

t.test('kept features are those of the backbone, in memory and on disk, whatever asks first', async (t) => {
  const network = new SceneNetwork(settingsOf(final, 'smoke'), 3);
  network.module.eval();
  const pool = poolOf(cohorts, settingsOf(final, 'smoke'));
  const placed = [
    [5, 0],
    [17, FLIP],
    [0, SWAP | FLIP],
    [5, SWAP],
  ] as const;
  const places = placed.map(([scene, variant]) => ({ scene, variant }));
  const host = await batchOf(pool.scenes, places);
  const direct = noGrad(() => network.encode(picturesOf(host)));
  const wanted = await direct.half.array();
  const parent = path.join(folder, 'features');
  const found: Float32Array[] = [];
  for (const options of [{}, { memory: 0, folder: parent }]) {
    const features = (await Features.make(network, pool, size, options))!;
    if (options.folder) await features.of(places.slice(1, 2));
    const taps = await features.of(places);
    for (const name of ['half', 'quarter', 'eighth', 'sixteenth', 'mid'] as const) {
      t.same(taps[name].shape, direct[name].shape);
      const [kept, computed] = [await taps[name].array(), await direct[name].array()];
      t.ok(
        kept.every((value, i) => Math.abs(value - computed[i]!) <= 1e-5 * (1 + Math.abs(computed[i]!))),
        name,
      );
    }
    found.push(Float32Array.from(await (await features.of(places)).half.array()));
    if (options.folder) t.equal((await readdir(parent)).length, 1);
    await features.close();
  }
  t.same(await readdir(parent), [], 'nothing is left');
  t.ok(Buffer.from(found[0]!.buffer).equals(Buffer.from(found[1]!.buffer)), 'the same bits both ways');
  t.equal(found[0]!.length, wanted.length);
  t.equal(await Features.make(network, pool, size, { disk: 1000 }), undefined, 'too much is not kept');
});

t.test('flips, swaps, copies and splits', async (t) => {
  const color = Uint8Array.from({ length: 3 * 2 * 2 }, (_, i) => i);
  const scene = { width: 2, height: 2, color, depth: Uint16Array.of(1000, 2000, 0, 4000), label: 2 };
  t.same([...pixelsOf([scene], [0])], [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
  t.same([...pixelsOf([scene], [FLIP])], [3, 0, 9, 6, 4, 1, 10, 7, 5, 2, 11, 8]);
  t.same([...pixelsOf([scene], [SWAP])], [1, 4, 7, 10, 0, 3, 6, 9, 2, 5, 8, 11]);
  const one = new CachedScenes(1, () => scene);
  const { metres, labels } = await batchOf(one, [{ scene: 0, variant: FLIP | SWAP }]);
  t.same([...metres, ...labels], [2, 1, 4, 0, 2]);

  const settings = settingsOf(final, 'smoke');
  const copies = { kind: 'copies', flips: 1 / 2, swaps: 1 / 4 } as const;
  const plain = poolOf(cohorts, { leakySplit: false, augmentation: settings.augmentation });
  t.same([plain.train.length, plain.validation.length], [12, 6]);
  const appended = poolOf(cohorts, { leakySplit: false, augmentation: copies });
  const variants = (places: readonly { variant: number }[], variant: number) =>
    places.filter((place) => place.variant === variant).length;
  t.same(
    [0, FLIP, SWAP, FLIP | SWAP].map((variant) => variants(appended.train, variant)),
    [12, 6, 3, 0],
  );
  t.ok(appended.validation.every(({ scene, variant }) => scene >= 12 && variant === 0));
  const shared = ({ train, validation }: typeof plain) =>
    validation.filter(({ scene }) => train.some((place) => place.scene === scene)).length;
  t.equal(shared(appended), 0);
  const leaky = poolOf(cohorts, { leakySplit: true, augmentation: copies });
  t.same([leaky.train.length, leaky.validation.length], [18 + 9 + 4 - 6, 6]);
  t.ok(shared(leaky) > 0, 'copies lie on both sides');

  const online = (seed: number) => new Samples(plain, { batch: 4, augmentation: settings.augmentation }, seed);
  const places = async (samples: Samples, k: number) => (await samples.batch(k)).places;
  t.equal(online(1).epochs.length, 3);
  t.same(await places(online(1), 7), await places(online(1), 7), 'a function of the seed and the step');
  t.notSame(await places(online(1), 7), await places(online(2), 7));
  const drawn: { variant: number }[] = [];
  for (let k = 0; k < 300; k++) drawn.push(...(await places(online(3), k)));
  const share = (bit: number): number => drawn.filter(({ variant }) => variant & bit).length / drawn.length;
  t.ok(Math.abs(share(FLIP) - 0.5) < 0.05 && Math.abs(share(SWAP) - 0.25) < 0.05);

  const pixels = Float32Array.of(0, 128, 255, 0, 128, 255);
  jitter(pixels, 2, { ...settings.pretraining!, contrast: [1, 1], brightness: 0 }, 0);
  t.same([...pixels], [0, 128, 255, 0, 128, 255]);
  jitter(pixels, 2, { ...settings.pretraining!, contrast: [0.5, 0.5], brightness: 0 }, 0);
  t.same([...pixels], [64, 128, 191.5, 64, 128, 191.5]);
});

t.test('predictions from what a run keeps, and from its checkpoint', async (t) => {
  const { state, metadata } = whole.kept.weights.best!;
  const network = path.join(folder, 'best.safetensors');
  await writeState(network, state, metadata);
  const picture = objectScene('prediction', 1, 1);
  const image = { width: 128, height: 96, data: picture.color };
  const loaded = await loadNetwork(network);
  t.same([loaded.width, loaded.height], [64, 32]);
  const made = await predictScene(loaded, image);
  t.equal(made.metres!.length, 128 * 96);
  const jpeg = path.join(folder, 'object.JPG');
  await put(folder, 'object.JPG', await encodeJpeg(image));
  const { status, stdout, stderr } = await command(
    ['predict', 'densedepth', network, jpeg, '--device', 'wasm', '--out', 'out'],
    folder,
  );
  t.equal(status, 0, stderr);
  t.match(stdout, /128 x 96: out\/object-depth\.png, (car|trash container|bicycle) \(0\.\d\d\)/);
  const depth = decode(await readFile(path.join(folder, 'out/object-depth.png')));
  t.same([depth.width, depth.height, depth.depth, depth.channels], [128, 96, 16, 1]);
  const facts = JSON.parse(await readFile(path.join(folder, 'out/object.json'), 'utf8')) as {
    class: string;
    probabilities: Record<string, number>;
  };
  t.same(Object.keys(facts.probabilities), [...objectClasses]);
  t.ok(Math.abs(Object.values(facts.probabilities).reduce((sum, value) => sum + value, 0) - 1) < 1e-6);
  t.equal(facts.probabilities[facts.class], Math.max(...Object.values(facts.probabilities)));

  const checkpoint = path.join(folder, 'checkpoint.safetensors');
  await writeCheckpoint(checkpoint, whole.kept.checkpoint!, 'x');
  const found = await loadNetwork(checkpoint);
  t.ok(sameBits(await found.network.module.stateDict(), state), 'found by its names and shapes');

  const another = { ...metadata, densedepth: metadata.densedepth!.replace('mini-densenet', 'mini-resnet') };
  const cases: [string, StateDict, Record<string, string>, string, RegExp][] = [
    ['another', state, another, 'StateDictError', /another\.safetensors does not fit the module/],
    ['broken', state, { densedepth: '{' }, 'DataError', /broken\.safetensors: what it says of its network is damaged/],
    ['foreign', new Map([['conv.weight', { shape: [1], values: Float32Array.of(1) }]]), {}, 'ConfigError', /foreign\.safetensors holds the weights of another network/],
  ]; // prettier-ignore
  for (const [name, weights, facts, error, message] of cases) {
    const file = path.join(folder, `${name}.safetensors`);
    if (name === 'foreign') await saveCheckpoint(file, weights);
    else await writeState(file, weights, facts);
    await t.rejects(loadNetwork(file), { name: error, message });
    t.equal(((await loadNetwork(file).catch((e: Error) => e.message)) as string).split('\n').length, 1, 'one line');
  }
});
