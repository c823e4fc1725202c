// Variances over all kinds of axes on every device, against sums in float64: columns and rows, few and many, short and long, neighbours
// and not, at the ends of the range too.
import t, { type Test } from 'tap';
import * as w from '../../engine/index.ts';
import { onEach, testedOn } from '../tested-on.ts';

const devices = testedOn('reference', 'wasm', 'webgpu');

interface Case {
  shape: readonly number[];
  axes: readonly number[];
}

const cases: readonly Case[] = [
  { shape: [1, 1], axes: [0] },
  { shape: [7, 1], axes: [0] },
  { shape: [2, 35], axes: [0] },
  { shape: [8, 16], axes: [0] },
  { shape: [9, 16], axes: [0] },
  { shape: [17, 21], axes: [0] },
  { shape: [300, 33], axes: [0] },
  { shape: [513, 18], axes: [0] },
  { shape: [1500, 2], axes: [0] },
  { shape: [37, 1], axes: [1] },
  { shape: [37, 6], axes: [1] },
  { shape: [19, 64], axes: [1] },
  { shape: [19, 65], axes: [1] },
  { shape: [3, 9000], axes: [1] },
  { shape: [5, 7, 3], axes: [1] },
  { shape: [5, 7, 12], axes: [1] },
  { shape: [3, 2, 70], axes: [1] },
  { shape: [4, 3, 5, 6], axes: [0, 2] },
  { shape: [4, 3, 5, 9], axes: [0, 2] },
  { shape: [4, 3, 6, 6], axes: [0, 2, 3] },
  { shape: [4, 3, 5, 6], axes: [1, 3] },
  { shape: [6, 50], axes: [0, 1] },
];

const normal = (i: number): number => {
  const u = ((Math.imul(i + 1, 2654435761) >>> 0) + 1) / 2 ** 32;
  const v = (Math.imul(i + 7, 2246822519) >>> 0) / 2 ** 32;
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
};

const data: Readonly<Record<string, (i: number) => number>> = {
  normal,
  'a tenth': () => 0.1,
  'about 1000': (i) => 1000 + normal(i),
  'at 1e20': (i) => 1e20 * normal(i),
  'about 1e30': (i) => 1e30 * (1 + normal(i) / 8),
  'at 1e-12': (i) => 1e-12 * normal(i),
  'large in every third place': (i) => (i % 3 ? normal(i) : 1e19 * normal(i)),
};

/** Biased variances by the definition, and the mean magnitudes of what is in them. */
function truth({ shape, axes }: Case, values: Float32Array): { variances: number[]; magnitudes: number[] } {
  const groups = new Map<number, number[]>();
  values.forEach((value, i) => {
    let [rest, group, stride] = [i, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const at = rest % shape[axis]!;
      rest = (rest - at) / shape[axis]!;
      if (axes.includes(axis)) continue;
      group += at * stride;
      stride *= shape[axis]!;
    }
    const members = groups.get(group);
    if (members) members.push(value);
    else groups.set(group, [value]);
  });
  const inOrder = [...groups].sort(([a], [b]) => a - b).map(([, members]) => members);
  const mean = (list: number[]) => list.reduce((sum, v) => sum + v, 0) / list.length;
  return {
    variances: inOrder.map((list) => {
      const center = mean(list);
      return mean(list.map((v) => (v - center) ** 2));
    }),
    magnitudes: inOrder.map((list) => mean(list.map(Math.abs))),
  };
}

async function testVariance(t: Test, device: w.Device): Promise<void> {
  w.setDefaultDevice(device);
  for (const [name, value] of Object.entries(data)) {
    using _ = w.scope();
    for (const each of cases) {
      const size = each.shape.reduce((product, n) => product * n, 1);
      const values = Float32Array.from({ length: size }, (_, i) => value(i));
      const x = w.tensor(values, each.shape);
      const found = [...(await w.variance(x, each.axes, { correction: 0 }).array())];
      const { variances, magnitudes } = truth(each, values);
      const wrong = found.flatMap((v, i) => {
        const wanted = variances[i]!;
        // The mean is off by some units in the last place of what it is made of.
        const allowed = 2e-5 * wanted + (4e-7 * magnitudes[i]!) ** 2;
        const isThere = wanted > 3.4e38 ? v > 3.4e38 : v >= 0 && Math.abs(v - wanted) <= allowed + 1e-37;
        return isThere ? [] : [`${v} for ${wanted} at ${i}`];
      });
      t.same([found.length, wrong.slice(0, 3)], [variances.length, []], `${name}, ${JSON.stringify(each)}`);
    }
  }
  using _ = w.scope();
  const spoilt = w.tensor([1, NaN, 3, 4, Infinity, 6, 7, 8, 9], [3, 3]);
  for (const axis of [0, 1]) {
    const found = [...(await w.variance(spoilt, axis).array())].map(Number.isNaN);
    t.same(found, axis === 0 ? [false, true, false] : [true, true, false], `NaN and infinity over axis ${axis}`);
  }
  t.same([...(await w.variance(w.zeros([0, 3]), 0).array())], [NaN, NaN, NaN], 'over nothing');
  t.same([...(await w.variance(w.zeros([3, 0]), 0).array())], [], 'of nothing');
}

await onEach(t, devices, testVariance);
if (devices.has('wasm')) {
  const device = await w.createDevice('wasm', { threads: 3 });
  await t.test('wasm, 3 threads', (t) => testVariance(t, device));
  device.dispose();
}
