// Winograd's convolutions on wasm beyond what agreement on random data shows: NaN, infinities and numbers near the largest
// reach no further than their windows, and the rounding error is a small multiple of that of the plain loop.
import t from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import {
  conv2d,
  conv2dInputGradient,
  type Conv2dParams,
  conv2dWeightGradient,
  type Kernel,
} from '../../kernels/index.ts';
import { assertClose, assertSameBits } from './compare.ts';
import { convolution, type Edit, normalCase } from './convolutions.ts';

const paramsOf = (
  batch: number,
  inChannels: number,
  outChannels: number,
  height: number,
  width: number,
  dilation = 1,
): Conv2dParams => {
  const [padH, padW, dilationH, dilationW] = new Array<number>(4).fill(dilation);
  return convolution({
    ...{ batch, inChannels, outChannels, inH: height, inW: width, bias: 1 },
    ...{ padH, padW, dilationH, dilationW },
  });
};

/** In the middle of the image, at its edge, in the last channel; weights at the centre, which meets no padding. */
const changes: [note: string, change: Edit, atol?: number][] = [
  ['NaN', ([x]) => (x![200] = NaN)],
  ['infinities', ([x]) => ([x![0], x![x!.length - 1], x![777]] = [Infinity, -Infinity, Infinity])],
  ['an infinite weight', ([, w]) => (w![13] = -Infinity)],
  ['a weight that is NaN', ([, w]) => (w![w!.length - 5] = NaN)],
  [
    'sums past the largest number in the transforms alone',
    ([x, w]) => {
      for (let i = 300; i < 330; i++) x![i] = i % 2 ? 3e38 : 2.5e38;
      for (let i = 0; i < w!.length; i++) w![i]! *= 1e-3;
    },
    // Of a tile with products near 1e35, some of whose sums nearly cancel.
    1e30,
  ],
];

/** Of x and the output's gradient: within the image, so that no element of it meets padding. */
const gradientChanges: typeof changes = [
  ['NaN', ([x]) => (x![200] = NaN)],
  ['infinities', ([x]) => ([x![0], x![777]] = [Infinity, -Infinity])],
  ['an infinite gradient', ([, g]) => (g![310] = -Infinity)],
  ['a gradient that is NaN', ([, g]) => (g![310] = NaN)],
  changes[4]!,
];

/**
 * Two images with tiles cut at both edges; wider than one part of a row of tiles; narrower than a vector; dilated, with grids
 * of different sizes, of which some have a row or a column of tiles less.
 */
const sizes = [
  paramsOf(2, 8, 12, 21, 23),
  paramsOf(1, 8, 8, 9, 300),
  paramsOf(40, 16, 16, 7, 3),
  paramsOf(2, 8, 12, 33, 35, 2),
  paramsOf(1, 16, 16, 39, 300, 3),
];
/** The same, and several blocks of channels. */
const weightSizes = [
  paramsOf(2, 16, 20, 32, 32),
  paramsOf(1, 24, 24, 9, 300),
  paramsOf(2, 16, 20, 33, 35, 2),
  paramsOf(2, 264, 12, 16, 16),
];
const groups: [Kernel<Conv2dParams>, readonly Conv2dParams[], typeof changes][] = [
  [conv2d, sizes, changes],
  [conv2dInputGradient, sizes, changes],
  [conv2dWeightGradient, weightSizes.map((params) => ({ ...params, bias: 0 })), gradientChanges],
];

await t.test('what is not finite stays within its windows', async (t) => {
  const reference = createReferenceDevice();
  const two = await createWasmDevice({ threads: 2 });
  const one = await createWasmDevice({ threads: 1 });
  for (const [kernel, all, each] of groups) {
    for (const params of all) {
      for (const [note, change, atol] of each) {
        const tested = normalCase(kernel, params, note, change, atol);
        const actual = await tested.run(two);
        t.equal(actual.plan, 'winograd', tested.label);
        const expected = await tested.run(reference);
        const wanted = expected.outputs[0]!.values;
        t.ok(
          wanted.some((value) => Number.isFinite(value)),
          'some outputs are finite',
        );
        t.doesNotThrow(() => assertClose(tested, actual, expected), note);
        assertSameBits(tested, await tested.run(one), actual, 'one thread, then two');
      }
    }
  }
  for (const device of [reference, two, one]) device.dispose();
});

type Data = readonly ArrayLike<number>[];

/** Calls `add` with the places in x, w and y of each product of a same-padded 3x3 convolution of one image. */
function eachProduct(p: Conv2dParams, add: (x: number, w: number, y: number) => void): void {
  for (let y = 0; y < p.outChannels * p.outH * p.outW; y++) {
    const [o, row, column] = [Math.floor(y / (p.outH * p.outW)), Math.floor(y / p.outW) % p.outH, y % p.outW];
    for (let c = 0; c < p.inChannels; c++) {
      for (let tap = 0; tap < 9; tap++) {
        const [i, j] = [row + Math.floor(tap / 3) - 1, column + (tap % 3) - 1];
        if (i < 0 || j < 0 || i >= p.inH || j >= p.inW) continue;
        add((c * p.inH + i) * p.inW + j, (o * p.inChannels + c) * 9 + tap, y);
      }
    }
  }
}

/** Sums of float32, each product added in turn. */
function plainForward([x, w]: Data, p: Conv2dParams): Float32Array {
  const sums = new Float32Array(p.outChannels * p.outH * p.outW);
  eachProduct(p, (i, j, k) => (sums[k] = sums[k]! + x![i]! * w![j]!));
  return sums;
}

function plainWeightGradient([x, g]: Data, p: Conv2dParams): Float32Array {
  const sums = new Float32Array(9 * p.inChannels * p.outChannels);
  eachProduct(p, (i, j, k) => (sums[j] = sums[j]! + x![i]! * g![k]!));
  return sums;
}

await t.test('the rounding error is at most three times that of the plain loop', async (t) => {
  const reference = createReferenceDevice();
  const device = await createWasmDevice({ threads: 2 });
  const kernels = [
    [conv2d, plainForward],
    [conv2dWeightGradient, plainWeightGradient],
  ] as const;
  for (const [kernel, plainLoop] of kernels) {
    for (const channels of [16, 32, 128]) {
      const params = { ...paramsOf(1, channels, 16, 24, 24), bias: 0 };
      let data: Data = [];
      const tested = normalCase(kernel, params, 'rounding', (operands) => {
        for (const values of operands) for (const [i, value] of values.entries()) values[i] = Math.fround(value);
        data = operands;
      });
      const actual = await tested.run(device);
      t.equal(actual.plan, 'winograd');
      const exact = (await tested.run(reference)).outputs[0]!.values;
      const plain = plainLoop(data, params);
      const errorOf = (values: ArrayLike<number>): number =>
        Math.hypot(...Array.from(exact, (value, i) => values[i]! - value));
      const ratio = errorOf(actual.outputs[0]!.values) / errorOf(plain);
      t.ok(ratio < 3, `${kernel.name}, ${channels} channels: ${ratio.toFixed(2)} times the error of the plain loop`);
    }
  }
  reference.dispose();
  device.dispose();
});

await t.test('whole numbers are exact beside filters with other lengths of significands', async (t) => {
  const device = await createWasmDevice({ threads: 2 });
  const params = { ...paramsOf(1, 16, 24, 26, 22), bias: 0 };
  const [taps, plane] = [16 * 9, 26 * 22];
  const whole = (value: number, bits: number): number => Math.round(Math.tanh(value) * (2 ** bits - 1));
  // Panels of eight filters by the bits of their taps, 24 for any numbers. Sums stay below 2^24.
  for (const panels of [
    [24, 5, 1],
    [1, 5, 24],
    [5, 24, 5],
    [3, 3, 3],
  ]) {
    // prettier-ignore
    for (const bits of [6, 11]) {
      let data: Data = [];
      const tested = normalCase(conv2d, params, 'lengths of significands', (operands) => {
        const [x, w] = operands as [number[], number[]];
        x.forEach((value, i) => (x[i] = whole(value, bits)));
        w.forEach((value, i) => {
          const length = panels[Math.floor(i / taps / 8)]!;
          w[i] = length === 24 ? Math.fround(value) : whole(value, length);
        });
        data = operands;
      });
      const actual = await tested.run(device);
      t.equal(actual.plan, 'winograd');
      const expected = plainForward(data, params);
      const got = actual.outputs[0]!.values;
      const wrong = [...expected.keys()].filter(
        (i) => panels[Math.floor(i / plane / 8)] !== 24 && got[i] !== expected[i],
      );
      t.same(wrong.slice(0, 3), [], `a picture of ${bits} bits, filters of ${panels.join(', ')}`);
    }
  }
  device.dispose();
});
