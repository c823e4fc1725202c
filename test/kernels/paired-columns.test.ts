// The input gradient at stride 2, whose even and odd columns are computed together on wasm.
import t from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import { conv2dInputGradient, type Conv2dParams } from '../../kernels/index.ts';
import { assertClose, assertSameBits } from './compare.ts';
import { convolution, normalCase } from './convolutions.ts';

const base = { batch: 2, inChannels: 5, outChannels: 7, inH: 13, inW: 22, strideH: 2, strideW: 2 };
/** Both parities of everything: even and odd columns have other taps, the same number of them, or one of them none. */
const changes: Partial<Conv2dParams>[] = [
  ...[1, 2, 3, 4, 7].flatMap((kernel) =>
    [0, 1, 2, 3]
      .filter((pad) => pad < kernel)
      .map((pad) => ({ kernelH: kernel, kernelW: kernel, padH: pad, padW: pad, inW: 21 + (pad % 2) })),
  ),
  { dilationH: 2, dilationW: 2, padH: 2, padW: 2 },
  { dilationW: 3, padW: 0, inW: 40 },
  { strideH: 1 },
  { strideH: 3, kernelH: 2 },
  { kernelH: 1, padH: 0 },
  { inW: 300, inH: 5 },
  { inW: 9 },
  { groups: 2, inChannels: 6, outChannels: 8 },
  { bias: 1 },
  { bias: 1, kernelH: 1, kernelW: 1, padH: 0, padW: 0 },
  { bias: 1, kernelH: 2, kernelW: 2, padH: 0, padW: 0, inChannels: 1 },
  // So many channels that their sums are added in several turns.
  { outChannels: 1200, inH: 34, inW: 35, bias: 1, batch: 1 },
  { outChannels: 1200, inH: 34, inW: 35, bias: 1, batch: 1, kernelH: 1, kernelW: 1, padH: 0, padW: 0 },
];

t.test('agrees with the definition, with any number of threads', async (t) => {
  const reference = createReferenceDevice();
  const [one, two] = [await createWasmDevice({ threads: 1 }), await createWasmDevice({ threads: 2 })];
  for (const change of changes) {
    const tested = normalCase(conv2dInputGradient, convolution({ ...base, ...change }), '', undefined, 1e-3);
    const actual = await tested.run(two);
    t.equal(actual.plan, 'pairedColumns', tested.label);
    const expected = await tested.run(reference);
    const alone = await tested.run(one);
    t.doesNotThrow(() => assertClose(tested, actual, expected), tested.label);
    t.doesNotThrow(() => assertSameBits(tested, alone, actual, 'one thread, then two'));
  }
  for (const device of [reference, one, two]) device.dispose();
});

t.test('what is not finite stays within its windows', async (t) => {
  const reference = createReferenceDevice();
  const device = await createWasmDevice({ threads: 1 });
  for (const value of [NaN, Infinity]) {
    const tested = normalCase(conv2dInputGradient, convolution(base), `${value}`, ([g]) => (g![40] = value));
    const actual = await tested.run(device);
    t.equal(actual.plan, 'pairedColumns');
    const expected = await tested.run(reference);
    t.doesNotThrow(() => assertClose(tested, actual, expected));
  }
  for (const each of [reference, device]) each.dispose();
});
