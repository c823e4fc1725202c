// The pictures of a run: which labels it may see, flips and scales that take depth along, inputs as the networks take them, and
// pseudo-labels against plain code.
import t from 'tap';
import { createDevice, noGrad, random, scope, setDefaultDevice, tensor } from '../../../engine/index.ts';
import { type RoomScenes, splitRooms, VOID } from '../../../experiments/data/rooms.ts';
import { RoomNetwork } from '../../../experiments/papers/imbalanced-mtl/network.ts';
import { requestOf, settingsOf } from '../../../experiments/papers/imbalanced-mtl/presets.ts';
import { believedClasses, pseudoLabels } from '../../../experiments/papers/imbalanced-mtl/pseudo.ts';
import {
  augmented,
  inputsOf,
  readSample,
  type Sample,
  Samples,
  targetsOf,
} from '../../../experiments/papers/imbalanced-mtl/samples.ts';
import type { RoomSettings, RowName } from '../../../experiments/papers/imbalanced-mtl/settings.ts';
import { nyud } from '../../../experiments/data/sets/nyud.ts';

const device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);
t.teardown(() => device.dispose());

const data: RoomScenes = await nyud.standIn(requestOf('smoke', 'nyud'));
const of = (row: RowName, change: Partial<RoomSettings> = {}): RoomSettings => ({
  ...settingsOf({ data: 'nyud', row }, 'smoke'),
  ...change,
});
const split = splitRooms(data.cohorts, of('UMMT').split);
const samplesOf = (settings: RoomSettings, seed = 0): Samples => new Samples(data, split, settings, seed);
const pixels = data.width * data.height;

/** All bytes of a map: two large arrays are compared by their text. */
const text = (map: Uint8Array | Float32Array | undefined): string | undefined =>
  map && Buffer.from(map.buffer, map.byteOffset, map.byteLength).toString('base64');
const batchText = (batch: readonly Sample[]): string =>
  batch.map(({ image, segmentation, depth }) => [image, segmentation, depth].map(text).join()).join();

t.test('each row sees its own pictures and labels', async (t) => {
  const [labelled, hidden] = [split.labelled, split.hidden];
  t.same(samplesOf(of('UMMT')).pictures, labelled);
  t.same(samplesOf(of('MMMT-D')).pictures, labelled);
  for (const row of ['UMMT-D', 'UMMT-PS', 'UMMT-PD'] as const)
    t.same(samplesOf(of(row)).pictures, [...labelled, ...hidden]);
  const cohort = data.cohorts.train;
  const imbalanced = samplesOf(of('UMMT-D'));
  for (const index of imbalanced.pictures) {
    const { segmentation, depth } = await imbalanced.read(index, undefined);
    t.equal(text(depth), text(await cohort.depth(index)));
    const truth = await cohort.labels(index);
    t.equal(text(segmentation), text(hidden.includes(index) ? new Uint8Array(pixels).fill(VOID) : truth));
  }
  const map = new Uint8Array(pixels).fill(3);
  const student = await samplesOf(of('UMMT-PS')).read(hidden[0]!, new Map([[hidden[0]!, map]]));
  t.equal(student.segmentation, map, "the teacher's labels");
  const swapped = samplesOf(of('UMMT-PD'));
  const without = await swapped.read(hidden[1]!, undefined);
  t.equal(text(without.depth), text(new Float32Array(pixels)), 'depth is what is hidden here');
  t.equal(text(without.segmentation), text(await cohort.labels(hidden[1]!)));
  const single = await samplesOf(of('UMST-S')).read(labelled[0]!, undefined);
  t.equal(single.depth, undefined, 'what no network wants is not read');
});

t.test('batches are a function of the seed and the step, and go through all pictures', async (t) => {
  const settings = of('UMMT-D', { batch: 3 });
  const batch = async (seed: number): Promise<string> => batchText(await samplesOf(settings, seed).batch(5, undefined));
  t.equal(await batch(1), await batch(1));
  t.ok((await batch(1)) !== (await batch(2)), 'another seed, another batch');
  const still = samplesOf({ ...settings, flip: 0 });
  const seen = new Map<string, number>();
  for (let k = 0; k < 8; k++) {
    for (const { image } of await still.batch(k, undefined)) {
      const key = Buffer.from(image).toString('base64');
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
  }
  t.same([...seen.values()], new Array(8).fill(3), '24 places are three epochs of eight pictures');
});

t.test('flips and scales', (t) => {
  const size = { width: 6, height: 4 };
  const image = Uint8Array.from({ length: 3 * 24 }, (_, i) => (37 * i) % 256);
  const segmentation = Uint8Array.from({ length: 24 }, (_, i) => i);
  const depth = Float32Array.from({ length: 24 }, (_, i) => i);
  const sample: Sample = { image, segmentation, depth };
  t.equal(augmented(sample, size, { flip: false, scale: 1 }).image, image, 'nothing is copied for nothing');
  const mirror = (i: number): number => i - (i % 6) + 5 - (i % 6);
  const flipped = augmented(sample, size, { flip: true, scale: 1 });
  t.same(
    [...flipped.segmentation!],
    Array.from({ length: 24 }, (_, i) => mirror(i)),
  );
  t.same(
    [...flipped.depth!],
    Array.from({ length: 24 }, (_, i) => mirror(i)),
  );
  t.same(
    [...flipped.image],
    Array.from({ length: 72 }, (_, i) => image[3 * mirror(Math.floor(i / 3)) + (i % 3)]),
  );

  const larger = augmented(sample, size, { flip: false, scale: 1.5 });
  t.ok(
    larger.depth!.every((metres, i) => Math.abs(metres * 1.5 - larger.segmentation![i]!) < 1e-5),
    'depth is divided',
  );
  const from = (i: number, length: number): number => Math.round((length - 1) / 2 + (i - (length - 1) / 2) / 1.5);
  const expected = Array.from({ length: 24 }, (_, i) => 6 * from(Math.floor(i / 6), 4) + from(i % 6, 6));
  t.same([...larger.segmentation!], expected, 'about the centre, in the same frame');
  const flat = augmented({ image: new Uint8Array(72).fill(90) }, size, { flip: true, scale: 1.2 });
  t.ok(
    [...flat.image].every((value) => Math.abs(value - 90) < 1e-3),
    'cubic weights add up to 1',
  );
  t.same([flat.segmentation, flat.depth], [undefined, undefined]);
  t.end();
});

t.test('inputs as the networks take them', async (t) => {
  const index = split.labelled[0]!;
  const sample = await readSample(data.cohorts.train, index, new Set(['segmentation', 'depth']));
  const [w, h] = [data.width, data.height];
  const planes = async (row: RowName, change: Partial<RoomSettings['network']> = {}) => {
    using _ = scope();
    const tensors = inputsOf([sample, sample], { ...of(row).network, ...change }, data);
    return Promise.all(
      tensors.map(async (each) => ({ shape: each.shape, values: Float32Array.from(await each.array()) })),
    );
  };
  const [alone] = await planes('UMMT');
  t.same(alone!.shape, [2, 3, h, w]);
  t.ok(Math.abs(alone!.values[2 * pixels + 7]! - (sample.image[3 * 7 + 2]! / 255 - 0.5) / 0.25) < 1e-6);
  const [, depth] = await planes('MMMT-D');
  t.same(depth!.shape, [2, 1, h, w]);
  t.ok(Math.abs(depth!.values[11]! - (sample.depth![11]! - 3) / 1.5) < 1e-6);
  const [, published] = await planes('MMMT-D', { depthInput: { mean: 0, deviation: 10, channels: 3 } });
  t.same(published!.shape, [2, 3, h, w]);
  t.ok(Math.abs(published!.values[2 * pixels + 11]! - sample.depth![11]! / 10) < 1e-6);
  const [stacked] = await planes('FMST');
  t.same(stacked!.shape, [2, 4, h, w]);
  t.equal(text(stacked!.values.subarray(3 * pixels, 4 * pixels)), text(depth!.values.subarray(0, pixels)));
  const label = sample.segmentation![5]!;
  const [, oneHot] = await planes('MMMT-S');
  t.same(oneHot!.shape, [2, data.classes.length, h, w]);
  t.equal(oneHot!.values[label * pixels + 5], 2);
  t.equal(
    oneHot!.values.reduce((sum, value) => sum + value),
    2 * 2 * sample.segmentation!.filter((each) => each !== VOID).length,
  );
  const [, colours] = await planes('MMMT-S', { segmentationInput: { encoding: 'colours', scale: 1 } });
  t.ok(Math.abs(colours!.values[pixels + 5]! - data.palette[label]![1] / 255) < 1e-6);
  const nothing = { ...sample, depth: new Float32Array(pixels), segmentation: new Uint8Array(pixels).fill(VOID) };
  for (const row of ['MMMT-D', 'MMMT-S'] as const) {
    const values = await inputsOf([nothing], of(row).network, data)[1]!.array();
    t.ok(
      values.every((value) => value === 0),
      `${row}: nothing is 0`,
    );
  }
  t.same(targetsOf([sample], of('UMST-S').network).depth, undefined);
});

t.test('pseudo-labels: what is believed, how much of it, and how much of that is right', async (t) => {
  const [count, classes] = [2, 5];
  const stream = random(4, 'scores');
  const scores = Float32Array.from({ length: count * classes * pixels }, () => 3 * stream.normal());
  const plain = (values: Float32Array, n: number, channels: number, i: number, tau: number): number => {
    const own = Array.from({ length: channels }, (_, c) => values[(n * channels + c) * pixels + i]!);
    const best = own.indexOf(Math.max(...own));
    return 1 / own.reduce((sum, value) => sum + Math.exp(value - own[best]!), 0) > tau ? best : VOID;
  };
  for (const tau of [0, 0.5, 0.9, 1]) {
    const made = await believedClasses(tensor(scores, [count, classes, data.height, data.width]), tau);
    const expected = Uint8Array.from({ length: count * pixels }, (_, k) =>
      plain(scores, Math.floor(k / pixels), classes, k % pixels, tau),
    );
    const share = expected.filter((label) => label !== VOID).length / expected.length;
    t.ok(tau === 0 ? share === 1 : tau === 1 ? share === 0 : share > 0 && share < 1);
    t.equal(text(made), text(expected), `tau ${tau}`);
  }

  const teacher = new RoomNetwork(of('MMMT-D').network, data.classes.length, 7);
  const asked = { task: 'segmentation', tau: 0.2, batch: 3 } as const;
  const { maps, metrics } = await pseudoLabels(teacher, data, split.hidden, asked, () => Promise.resolve());
  let [kept, judged, right] = [0, 0, 0];
  teacher.module.eval();
  for (const index of split.hidden) {
    using _ = scope();
    const sample = await readSample(data.cohorts.train, index, new Set(['segmentation', 'depth']));
    const outputs = noGrad(() => teacher.forward(inputsOf([sample], teacher.settings, data)));
    const values = Float32Array.from(await outputs.predictions.segmentation!.array());
    const map = maps.get(index)!;
    for (let i = 0; i < pixels; i++) {
      const label = plain(values, 0, data.classes.length, i, asked.tau);
      if (label !== map[i]) t.fail(`picture ${index}, pixel ${i}`);
      if (label === VOID) continue;
      kept++;
      if (sample.segmentation![i] === VOID) continue;
      judged++;
      if (label === sample.segmentation![i]) right++;
    }
  }
  t.equal(metrics['pseudo kept'], kept / (split.hidden.length * pixels));
  t.equal(metrics['pseudo accuracy'], judged > 0 ? right / judged : undefined);
  t.ok(kept > 0 && kept < split.hidden.length * pixels, `${kept} kept, ${right} right`);

  const other = new RoomNetwork(of('MMMT-S').network, data.classes.length, 7);
  const depth = await pseudoLabels(other, data, split.hidden, { task: 'depth', tau: 0.9, batch: 2 }, () =>
    Promise.resolve(),
  );
  t.ok([...depth.maps.values()].every((map) => map.every((metres) => metres > 0 && metres <= data.depthRange)));
  t.match(depth.metrics, { 'pseudo kept': 1, 'pseudo rmse': Number });
});
