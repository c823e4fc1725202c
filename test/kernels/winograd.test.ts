// Winograd's convolutions on wasm beyond what agreement on random data shows: NaN, infinities and numbers near the largest
// reach no further than their windows, and the rounding error is that of the plain loop.
import t from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import { random } from '../../engine/random.ts';
import { conv2d, conv2dInputGradient, type Conv2dParams, type Kernel, sizeOf } from '../../kernels/index.ts';
import { type KernelCase, kernelCase } from './cases.ts';
import { assertClose, assertSameBits } from './compare.ts';

const paramsOf = (batch: number, inChannels: number, outChannels: number, height: number, width: number) =>
  ({
    batch,
    inChannels,
    inH: height,
    inW: width,
    outChannels,
    outH: height,
    outW: width,
    kernelH: 3,
    kernelW: 3,
    strideH: 1,
    strideW: 1,
    padH: 1,
    padW: 1,
    dilationH: 1,
    dilationW: 1,
    groups: 1,
    bias: 1,
  }) satisfies Conv2dParams;

/** Normal data; `change` sets elements of the first operand or of the weights. */
function caseOf(
  kernel: Kernel<Conv2dParams>,
  params: Conv2dParams,
  note: string,
  change: (operands: readonly number[][]) => void,
): KernelCase {
  const draws = random(31, `winograd ${kernel.name}`);
  const operands = kernel.inputs(params);
  const contents = operands.map(({ shape }) => [...draws.normalArray(sizeOf(shape))]);
  change(contents);
  const inputs = operands.map(({ name }, i) => ({ name, dtype: 'float32' as const, values: contents[i]! }));
  const outputs = kernel.outputs(params).map(({ name, shape }) => ({
    name,
    dtype: 'float32' as const,
    values: new Array<number>(sizeOf(shape)).fill(-12345),
  }));
  return kernelCase(kernel, params, inputs, outputs, { rtol: 1e-4, atol: 1e-4 }, ` ${note}`);
}

/** Places in the middle of the image, at its edge, in the last channel; weights at the centre, which meets no padding. */
const changes: [string, (operands: readonly number[][]) => void][] = [
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
  ],
];

await t.test('what is not finite stays within its windows', async (t) => {
  const reference = createReferenceDevice();
  const two = await createWasmDevice({ threads: 2 });
  const one = await createWasmDevice({ threads: 1 });
  for (const kernel of [conv2d, conv2dInputGradient]) {
    // Two images, tiles cut at both edges; an image wider than one part of a row of tiles.
    for (const params of [paramsOf(2, 8, 12, 21, 23), paramsOf(1, 8, 8, 9, 300), paramsOf(40, 16, 16, 3, 2)]) {
      for (const [note, change] of changes) {
        const tested = caseOf(kernel, params, note, change);
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

/** One output of a same-padded 3x3 convolution in float32, each product added in turn. */
function plainSum(x: ArrayLike<number>, w: ArrayLike<number>, p: Conv2dParams, o: number, row: number, column: number) {
  let sum = 0;
  for (let c = 0; c < p.inChannels; c++) {
    for (let tap = 0; tap < 9; tap++) {
      const i = row + Math.floor(tap / 3) - 1;
      const j = column + (tap % 3) - 1;
      if (i < 0 || j < 0 || i >= p.inH || j >= p.inW) continue;
      sum = Math.fround(sum + x[(c * p.inH + i) * p.inW + j]! * w[(o * p.inChannels + c) * 9 + tap]!);
    }
  }
  return sum;
}

await t.test('the rounding error is about that of the plain loop', async (t) => {
  const reference = createReferenceDevice();
  const device = await createWasmDevice({ threads: 2 });
  for (const channels of [8, 32, 128]) {
    const params = { ...paramsOf(1, channels, 8, 24, 24), bias: 0 };
    let data: readonly number[][] = [];
    const tested = caseOf(conv2d, params, 'rounding', (operands) => {
      for (const values of operands) for (const [i, value] of values.entries()) values[i] = Math.fround(value);
      data = operands;
    });
    const actual = await tested.run(device);
    t.equal(actual.plan, 'winograd');
    const exact = (await tested.run(reference)).outputs[0]!.values;
    let winograd = 0;
    let plain = 0;
    for (const [i, value] of exact.entries()) {
      const [o, row, column] = [Math.floor(i / 576), Math.floor(i / 24) % 24, i % 24];
      winograd += (actual.outputs[0]!.values[i]! - value) ** 2;
      plain += (plainSum(data[0]!, data[1]!, params, o, row, column) - value) ** 2;
    }
    const ratio = Math.sqrt(winograd / plain);
    t.ok(ratio < 1.5, `${channels} channels: ${ratio.toFixed(2)} times the error of the plain loop`);
  }
  reference.dispose();
  device.dispose();
});
