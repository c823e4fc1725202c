// NaN and infinities stay in their windows, in every WebGPU plan of the convolutions and the matrix product: what is brought for
// padding, for inner indices past the end and for channels and pixels past the end must reach no sum.
import t from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { conv2d, conv2dInputGradient, conv2dWeightGradient, matmul } from '../../kernels/index.ts';
import { hasEightLanes } from '../../kernels/shared/webgpu-plan.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { type KernelCase, kernelCase, sumOf } from '../kernels/cases.ts';
import { checkAgreement } from '../kernels/compare.ts';
import { convolution, type Edit, normalCase } from '../kernels/convolutions.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';

t.setTimeout(540_000);

/** A NaN near the end of an operand and an infinity near its start. */
const spoil =
  (operand: number): Edit =>
  (contents) => {
    const values = contents[operand]!;
    values[values.length - 3] = NaN;
    values[Math.min(2, values.length - 1)] = Infinity;
  };

const odd = { batch: 2, inH: 9, inW: 7 };
const shapes = [
  convolution({ ...odd, inChannels: 5, outChannels: 9 }),
  convolution({ ...odd, inChannels: 5, outChannels: 3, strideH: 2, strideW: 2 }),
  convolution({ ...odd, inChannels: 6, outChannels: 10, groups: 2, dilationH: 2, dilationW: 2, padH: 2, padW: 2 }),
  convolution({ ...odd, inChannels: 11, outChannels: 4, kernelH: 1, kernelW: 1, padH: 0, padW: 0, inW: 8 }),
];
// The last operand spoils all that it meets, padding too, as in PyTorch; so the image alone has them.
const convolutions: KernelCase[] = [conv2d, conv2dInputGradient, conv2dWeightGradient].flatMap((kernel) =>
  shapes.map((params) => normalCase(kernel, params, 'with NaN and an infinity', spoil(0))),
);

const sized = (name: string, length: number, value: (i: number) => number) => ({
  name,
  dtype: 'float32' as const,
  values: Array.from({ length }, (_, i) => value(i)),
});

function product(m: number, n: number, k: number, transposeA: number, transposeB: number, spoilt: number): KernelCase {
  const params = { batch: 2, m, n, k, transposeA, transposeB, batchedA: 1, batchedB: 1, bias: 0 };
  const inputs = [sized('a', 2 * m * k, (i) => Math.sin(i)), sized('b', 2 * k * n, (i) => Math.cos(i))];
  spoil(spoilt)(inputs.map(({ values }) => values));
  const outputs = [sized('c', 2 * m * n, () => -12345)];
  return kernelCase(matmul, params, inputs, outputs, sumOf(k), ` with NaN in operand ${spoilt}`);
}

const products = [0, 1].flatMap((spoilt) =>
  [0, 1].flatMap((transposeA) =>
    [0, 1].flatMap((transposeB) => [
      product(9, 10, 13, transposeA, transposeB, spoilt),
      product(12, 20, 7, transposeA, transposeB, spoilt),
    ]),
  ),
);

testedOn('webgpu');
await withWebGpu(t, async (device, prefer) => {
  const reference = createReferenceDevice();
  const lanes = hasEightLanes(device.planFacts);
  // The slow adapter takes a third, in which all kernels and transposes are met.
  const all = [...convolutions, ...products];
  for (const tested of lanes ? all : all.filter((_, i) => i % 3 === 0)) {
    for (const plan of webGpuPlans.variants({ name: tested.kernel })) {
      if (!lanes && /lanes|rows/.test(plan)) continue;
      prefer(plan);
      const failure = await checkAgreement(tested, device, reference).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      t.equal(failure, undefined, `${plan}: ${tested.label}`);
    }
  }
  reference.dispose();
});
