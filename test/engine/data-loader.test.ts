// The DataLoader: the same order and bits with any number of workers, samples fetched ahead but not too far, errors that name their
// sample, going on in the middle of an epoch, and threads that end.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { collate, DataLoader, type DataLoaderOptions, type Dataset, openDataset } from '../../engine/data/index.ts';
import { createDevice, liveTensorCount, random, setDefaultDevice, type Tensor, tensor } from '../../engine/index.ts';

setDefaultDevice(await createDevice('reference'));

interface Sample {
  x: Float32Array;
  label: bigint;
}

/** Parts of one long array, some of them slow, with noise that depends on the epoch. */
const module = `
import { isMainThread } from 'node:worker_threads';
const all = Float32Array.from({ length: 3000 }, (_, i) => Math.sin(i));
export default async ({ length, broken, dies, beat }) => {
  if (beat && !isMainThread) setInterval(() => Atomics.add(new Int32Array(beat), 0, 1), 1);
  return {
  length,
  async get(index, epoch) {
    if (index === broken) throw new RangeError('torn page');
    if (index === dies) process.exit(3);
    if (index % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    return { x: all.subarray(3 * index, 3 * index + 3).map((v) => v + epoch), label: BigInt(index % 5) };
  },
};
};
`;

async function open(t: Test, options: object = {}): Promise<Dataset<Sample>> {
  const file = path.join(t.testdir(), 'samples.mjs');
  await writeFile(file, module);
  return openDataset<Sample, object>(pathToFileURL(file), { length: 23, ...options });
}

/** Labels and values of the batches of an epoch. */
async function epochOf(loader: AsyncIterable<{ x: Tensor; label: Tensor }>): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const { x, label } of loader) batches.push([...(await label.array()), ...(await x.array())]);
  return batches;
}

/** The indices that a loader hands out. */
async function orderOf(options: DataLoaderOptions<number, number[]>, length = 10): Promise<number[][]> {
  const loader = new DataLoader({ length, get: (i: number) => i }, { collate: (samples) => samples, ...options });
  const batches: number[][] = [];
  for await (const batch of loader) batches.push(batch);
  return batches;
}

t.test('the same bits with any number of workers', async (t) => {
  const dataset = await open(t);
  const options = { batchSize: 4, shuffle: true, seed: 7 };
  const before = liveTensorCount();
  const alone = new DataLoader(dataset, options);
  const expected = [await epochOf(alone), await epochOf(alone)];
  t.same(expected[0]!.map((batch) => batch.length), [16, 16, 16, 16, 16, 12]); // prettier-ignore
  t.notSame(expected[0], expected[1]);
  for (const [workers, prefetch] of [
    [1, 0],
    [3, 5],
  ] as const) {
    // prettier-ignore
    await using loader = new DataLoader(dataset, { ...options, workers, prefetch });
    t.same([await epochOf(loader), await epochOf(loader)], expected, `${workers} workers`);
  }
  t.equal(liveTensorCount(), before, 'batches are released');
});

t.test('orders', async (t) => {
  t.same(await orderOf({ batchSize: 4 }), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]); // prettier-ignore
  t.same((await orderOf({ batchSize: 4, dropLast: true })).length, 2);
  const shuffled = await orderOf({ batchSize: 10, shuffle: true, seed: 3 });
  t.same(shuffled, [[...random(3, 'DataLoader', 0).permutation(10)]]);
  t.same(await orderOf({}, 0), []);
});

t.test('it goes on in the middle of an epoch', async (t) => {
  const dataset = await open(t);
  const options = { batchSize: 4, shuffle: true, seed: 2 };
  const loader = new DataLoader(dataset, options);
  const whole = [await epochOf(loader), await epochOf(loader)];
  for (const stop of [1, 4, 6]) {
    const first = new DataLoader(dataset, options);
    await epochOf(first);
    let state = '';
    let batch = 0;
    for await (const _ of first) {
      if (++batch < stop) continue;
      state = JSON.stringify(first.state());
      break;
    }
    const second = new DataLoader(dataset, options);
    second.resume(JSON.parse(state) as ReturnType<typeof second.state>);
    const rest = stop === 6 ? undefined : await epochOf(second);
    if (rest) t.same(rest, whole[1]!.slice(stop), `after batch ${stop}`);
    t.match(second.state(), { epoch: 2, batch: 0 });
  }
  const other = new DataLoader(dataset, { ...options, seed: 3 });
  t.throws(() => other.resume(loader.state()), { name: 'ConfigError', message: /expected seed: 3, got seed: 2/ });
});

t.test('samples are fetched ahead, and no further', async (t) => {
  let [asked, used] = [0, 0];
  let furthest = 0;
  const get = async (i: number): Promise<number> => {
    asked++;
    await pause(0);
    return i;
  };
  for await (const _ of new DataLoader({ length: 20, get }, { batchSize: 2, prefetch: 3 })) {
    await pause(3);
    used += 2;
    furthest = Math.max(furthest, asked - used);
  }
  t.equal(furthest, 6, 'three batches of two');
});

t.test('failures name the sample', async (t) => {
  for (const workers of [0, 2]) {
    await using loader = new DataLoader(await open(t, { broken: 9 }), { batchSize: 4, workers });
    let batches = 0;
    const consume = async (): Promise<void> => {
      for await (const _ of loader) batches++;
    };
    const message = /^DataLoader: sample 9 could not be had: RangeError: torn page/;
    await t.rejects(consume(), { name: 'DataError', message });
    t.equal(batches, 2, 'those before are whole');
  }
  await using dying = new DataLoader(await open(t, { dies: 2 }), { workers: 1 });
  await t.rejects(epochOf(dying), { name: 'DataError', message: /a worker has ended.*samples\.mjs/ });
  const local: Dataset<number> = { length: 2, get: (i) => i };
  t.throws(() => new DataLoader(local, { workers: 1 }), { name: 'ConfigError', message: /openDataset/ });
  t.throws(() => new DataLoader({ length: 2 } as never), { name: 'ConfigError', message: /get\(index\)/ });
  t.throws(() => new DataLoader(local, { batchSize: 0 }), { name: 'ShapeError' });
  await t.rejects(openDataset('node:path'), { name: 'DataError', message: /export default/ });
});

t.test('threads end', async (t) => {
  const beat = new SharedArrayBuffer(4);
  const beats = new Int32Array(beat);
  /** How often the workers' clocks tick in a while. */
  const ticks = async (): Promise<number> => {
    const before = Atomics.load(beats, 0);
    for (let waited = 0; waited < 40 && beats[0] === before; waited++) await pause(5);
    return Atomics.load(beats, 0) - before;
  };
  const loader = new DataLoader(await open(t, { beat }), { batchSize: 2, workers: 2 });
  for await (const _ of loader) {
    t.ok((await ticks()) > 0, 'they run');
    break;
  }
  t.equal(await ticks(), 0, 'when a loop is left');
  t.equal((await epochOf(loader)).length, 12, 'new ones begin');
  t.ok((await ticks()) > 0, 'and stay for the next epoch');
  await loader.stop();
  t.equal(await ticks(), 0);
});

t.test('batches of samples', async (t) => {
  const batch = collate([
    { a: 1, b: [true, 2n], name: 'x', t: tensor([1, 2]) },
    { a: 2.5, b: [false, 3n], name: 'y', t: tensor([3, 4]) },
  ]);
  const [flag, whole] = batch.b as Tensor[];
  const seen = [batch.a, flag!, whole!, batch.t].map(({ dtype, shape }) => `${dtype} ${shape.join('x')}`);
  t.same(seen, ['float32 2', 'bool 2', 'int32 2', 'float32 2x2']);
  t.same([...(await batch.t.array())], [1, 2, 3, 4]);
  t.same(batch.name, ['x', 'y']);
  t.same([...(await collate([Int32Array.of(1, 2), Int32Array.of(3, 4)]).array())], [1, 2, 3, 4]);
  const refused = (samples: unknown[], message: RegExp): void =>
    void t.throws(() => collate(samples), { name: 'DataError', message });
  refused([{ x: [1, 2] }, { x: [1, 'b'] }], /samples\[1\]\.x\[1\].*a number/);
  refused([Float32Array.of(1), Float32Array.of(1, 2)], /Float32Array of 1/);
  refused([{ a: 1 }, { b: 1 }], /an object of a/);
  refused([new Map()], /samples\[0\]/);
  refused([], /no samples/);
});
