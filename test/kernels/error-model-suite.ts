// The error model of kernels/shared/error-model.ts on one device: convolutions of all kinds of data, and long sums.
import type { Test } from 'tap';
import type { Device } from '../../engine/devices/device.ts';
import { mean, sum, tensor, variance } from '../../engine/index.ts';
import { errorBound } from '../../kernels/shared/error-model.ts';
import type { Conv2dParams } from '../../kernels/index.ts';
import { convolution } from './convolutions.ts';
import { checkConvolution, convolutionKernels, kinds } from './error-model.ts';

const same = (channels: [number, number], size: [number, number], dilation = 1, groups = 1): Conv2dParams =>
  convolution({
    ...{ batch: 1, inChannels: channels[0], outChannels: channels[1], inH: size[0], inW: size[1], groups },
    ...{ padH: dilation, padW: dilation, dilationH: dilation, dilationW: dilation },
  });

/** With tiles cut at both edges, dilated, in groups. */
const shapes = [same([16, 12], [18, 19]), same([8, 8], [21, 17], 2), same([8, 8], [16, 17], 1, 2)];

/** Each kind of data on either side, with normal data, with zeros and with itself on the other. */
const pairs = Object.keys(kinds).flatMap((kind): [string, string][] => [
  [kind, 'normal'],
  ['normal', kind],
  [kind, kind],
  ['relu', kind],
]);

/** `every`: one of so many cases, for slow adapters; `seed` chooses the data. Calls `tell` with the plan of every case. */
export async function testConvolutions(
  t: Test,
  device: Device,
  seed: number,
  every = 1,
  tell: (plan: string) => void = () => undefined,
): Promise<void> {
  let count = 0;
  for (const kernel of convolutionKernels) {
    for (const params of shapes) {
      const problems: string[] = [];
      for (const names of pairs) {
        if (count++ % every) continue;
        const { plan, problem } = await checkConvolution(kernel, params, names, device, seed);
        tell(plan);
        if (problem) problems.push(`${names.join(' with ')}, ${plan}: ${problem}`);
      }
      const { inChannels, dilationH, groups } = params;
      t.strictSame(problems, [], `${kernel.name}, ${inChannels} channels, dilation ${dilationH}, groups ${groups}`);
    }
  }
}

/** Few elements in a window, which may all meet small taps: what a bound that holds on average lets through now and then. */
export async function testSparseConvolutions(t: Test, device: Device, seeds: readonly number[]): Promise<void> {
  const params = { ...same([20, 12], [28, 27], 2), batch: 3 };
  for (const kernel of convolutionKernels) {
    const problems: string[] = [];
    for (const name of ['one in fifty is not zero', 'one in thirty is not zero', 'one in five is not zero']) {
      for (const seed of seeds) {
        const { problem } = await checkConvolution(kernel, params, [name, 'normal'], device, seed);
        if (problem) problems.push(`${name}, seed ${seed}: ${problem}`);
      }
    }
    t.strictSame(problems, [], kernel.name);
  }
}

const longData: Readonly<Record<string, (i: number) => number>> = {
  // Equal terms round the same way each time.
  'a tenth': () => 0.1,
  'between 0 and 1': (i) => (Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32,
  'about 1000': (i) => 1000 + (Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32,
  'of both signs': (i) => (Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 31 - 1,
};

/** Sum, mean and variance of so many numbers. */
export async function testLongSums(t: Test, device: Device, lengths: readonly number[]): Promise<void> {
  for (const n of lengths) {
    for (const [name, value] of Object.entries(longData)) {
      const values = Float32Array.from({ length: n }, (_, i) => value(i));
      let [total, magnitude, squares] = [0, 0, 0];
      for (const each of values) {
        total += each;
        magnitude += Math.abs(each);
      }
      for (const each of values) squares += (each - total / n) ** 2;
      const x = tensor(values, [n], { device });
      const [s, m, v] = [sum(x), mean(x), variance(x, undefined, { correction: 0 })];
      // A tenth of what products may be off by.
      const bound = errorBound(magnitude, n) / 10;
      t.ok(Math.abs((await s.item()) - total) <= bound, `sum of ${n}, ${name}`);
      t.ok(Math.abs((await m.item()) - total / n) <= bound / n, `mean of ${n}, ${name}`);
      // The squares are about a mean that is off by the bound at most.
      const allowed = errorBound(squares, n) / 10 / n + (bound / n) ** 2;
      t.ok(Math.abs((await v.item()) - squares / n) <= allowed, `variance of ${n}, ${name}`);
      for (const each of [x, s, m, v]) each.dispose();
    }
  }
}
