// Looking at networks without training them: batches in order, nothing left in memory, modes and statistics as they were; means,
// windows of frames, and the parts of samples.
import t from 'tap';
import {
  createDevice,
  gradEnabled,
  liveTensorCount,
  manualSeed,
  nn,
  random,
  setDefaultDevice,
  tensor,
} from '../../engine/index.ts';
import { copyPicture, depthIn, pixelsOf, wholeOf, windowIn } from '../../experiments/data/frames.ts';
import { perspective, rotation } from '../../experiments/data/warp.ts';
import { Mean } from '../../experiments/metrics/means.ts';
import { itemOf, sampleOf } from '../../experiments/report/pictures.ts';
import { evaluateInBatches, inference, withBatchStatistics } from '../../experiments/runner/evaluation.ts';

const device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);
t.teardown(() => device.dispose());

t.test('a cohort in batches', async (t) => {
  const live = liveTensorCount();
  const seen: number[][] = [];
  let paused = 0;
  await evaluateInBatches(
    { count: 7, batch: 3, read: (first, end) => Array.from({ length: end - first }, (_, i) => first + i) },
    (items) => {
      t.notOk(gradEnabled(), 'without a tape');
      return tensor(items).mul(2);
    },
    async (outputs, items) => {
      t.same([...(await outputs.array())], items.map((item) => 2 * item)); // prettier-ignore
      seen.push(items);
    },
    () => Promise.resolve(void paused++),
  );
  t.same(seen, [[0, 1, 2], [3, 4, 5], [6]]);
  t.equal(paused, 3);
  t.equal(liveTensorCount(), live);
  const nothing = { count: 0, batch: 3, read: () => t.fail('nothing to read') };
  await evaluateInBatches(nothing, () => 0, () => void t.fail('nothing to score'), () => Promise.resolve()); // prettier-ignore
});

t.test('modes and statistics are as they were, whatever happens', async (t) => {
  manualSeed(3);
  const norm = new nn.BatchNorm2d(2);
  t.teardown(() => norm.dispose());
  const x = random(1, 'x').normalArray(2 * 2 * 9);
  const state = async () => [...(await norm.stateDict())].map(([key, { values }]) => [key, ...values]);
  const before = await state();
  const look = async (): Promise<boolean> => {
    const output = norm.forward(tensor(x, [2, 2, 3, 3]));
    await output.array();
    output.dispose();
    return norm.training;
  };
  t.equal(await inference([norm], look), false);
  t.ok(norm.training);
  t.equal(await withBatchStatistics([norm], look), true);
  t.same(await state(), before);
  const fault = async (): Promise<never> => {
    await look();
    throw new Error('a fault');
  };
  await t.rejects(inference([norm], fault), { message: 'a fault' });
  t.ok(norm.training);
  await t.rejects(withBatchStatistics([norm], fault), { message: 'a fault' });
  t.same(await state(), before);
});

t.test('means, items and samples', async (t) => {
  const mean = new Mean();
  t.equal(mean.value, undefined);
  [1, 2, 6].forEach((value) => mean.add(value));
  t.equal(mean.value, 3);
  t.same([...itemOf(Float32Array.of(0, 1, 2, 3, 4, 5), 2, 2)], [4, 5]);
  t.same(await sampleOf('one', { a: 'x', b: undefined, c: Promise.resolve('z') }), {
    label: 'one',
    images: [{ caption: 'a', png: 'x' }, { caption: 'c', png: 'z' }], // prettier-ignore
  });
});

t.test('windows of a frame', (t) => {
  const [width, height] = [5, 4];
  const color = Uint8Array.from({ length: 3 * width * height }, (_, i) => i);
  const depth = Uint16Array.from({ length: width * height }, (_, i) => 256 * i);
  const frame = { width, height, color, depth, valid: 19 };
  const window = { left: 1, top: 2, width: 3, height: 2, flip: false };
  t.same([...pixelsOf(window, width)], [11, 12, 13, 16, 17, 18]);
  t.same([...pixelsOf({ ...window, flip: true }, width)], [13, 12, 11, 18, 17, 16]);
  t.same([...depthIn(frame, window)], [11, 12, 13, 16, 17, 18]);
  t.same([...pixelsOf(wholeOf(frame), width)], [...depth.keys()]);
  const planes = [2, 1, 0].map((channel) => [...pixelsOf(window, width)].map((pixel) => Math.fround((3 * pixel + channel) / 255))); // prettier-ignore
  t.same([...copyPicture(frame, window)], planes.flat(), 'blue, green, red');
  const stream = random(0, 'windows');
  const drawn = Array.from({ length: 500 }, () => windowIn(frame, 3, stream, 'a frame'));
  t.same([...new Set(drawn.map(({ left }) => left))].sort(), [0, 1, 2]);
  t.same([...new Set(drawn.map(({ top }) => top))].sort(), [0, 1]);
  t.throws(() => windowIn(frame, 5, stream, 'a frame'), { name: 'DataError', message: /a frame is smaller than/ });
  t.end();
});

t.test('mappings of places', (t) => {
  const corners = [[0, 0], [8, 0], [8, 8], [0, 8]] as const; // prettier-ignore
  const to = [[1, 2], [9, 1], [7, 7], [-1, 6]] as const; // prettier-ignore
  const map = perspective(corners, to);
  const near = (a: readonly number[], b: readonly number[]): boolean =>
    a.every((value, i) => Math.abs(value - b[i]!) < 1e-9);
  corners.forEach(([x, y], i) => t.ok(near(map(x, y), to[i]!)));
  const quarter = rotation(Math.PI / 2, [4, 4]);
  t.ok(near(quarter(4, 4), [4, 4]) && near(quarter(6, 4), [4, 6]));
  t.end();
});
