// Kinds of data on which sums of products lose their digits, and the check of one convolution against the error model.
import type { Device } from '../../engine/devices/device.ts';
import { random } from '../../engine/random.ts';
import { errorBound } from '../../kernels/shared/error-model.ts';
import {
  conv2d,
  conv2dInputGradient,
  type Conv2dParams,
  conv2dWeightGradient,
  type Kernel,
  sizeOf,
} from '../../kernels/index.ts';
import { kernelCase } from './cases.ts';

/** An element: its index, a normal and a uniform number, and how many follow each other in a plane. */
export type Kind = (i: number, normal: number, uniform: number, plane: number) => number;

const one =
  (value: number): Kind =>
  (i, normal, _uniform, plane) =>
    i === 2 * plane + 5 ? value : normal;
const sparse =
  (density: number): Kind =>
  (_i, normal, uniform) =>
    uniform < density ? normal : 0;
const mask =
  (density: number): Kind =>
  (_i, _normal, uniform) =>
    Number(uniform < density);
const scaled =
  (scale: number): Kind =>
  (_i, normal) =>
    scale * normal;

export const kinds: Readonly<Record<string, Kind>> = {
  normal: scaled(1),
  relu: (_i, normal) => Math.max(0, normal),
  'half are zero': sparse(0.5),
  'one in five is not zero': sparse(0.2),
  'one in thirty is not zero': sparse(0.03),
  'one in fifty is not zero': sparse(0.02),
  stripes: (i, normal) => (i % 2 ? normal : 0),
  'minor channels': (i, normal, uniform, plane) =>
    Math.floor(i / plane) % 3 === 1 ? (uniform < 0.02 ? 1e-3 : 1e-6) * normal : normal,
  'nearly dead channels': (i, normal, uniform, plane) =>
    Math.floor(i / plane) % 3 === 1 ? Number(uniform < 0.01) * 0.1 * normal : normal,
  'channels of all densities': (i, normal, uniform, plane) =>
    uniform < [1, 0.004, 0.1, 0.02, 0.4, 0][Math.floor(i / plane) % 6]! ? normal : 0,
  'equal and sparse': (_i, normal, uniform) => (uniform < 0.1 ? Math.sign(normal) * 0.1 : 0),
  'a sparse mask': mask(0.03),
  'a dense mask': mask(0.6),
  'whole numbers': (_i, _normal, uniform) => Math.floor(uniform * 21) - 10,
  ones: () => 1,
  'one of 30': one(30),
  'one of 1e3': one(1e3),
  'one of 1e6': one(1e6),
  'a pixel of 60': (i, normal, _uniform, plane) => (i % plane === 7 ? 60 * normal : normal),
  'a pixel of 1e6': (i, normal, _uniform, plane) => (i % plane === 7 ? 1e6 * normal : normal),
  'a channel of 1e4': (i, normal, _uniform, plane) => (Math.floor(i / plane) === 1 ? 1e4 * normal : normal),
  'over many orders': (_i, normal, uniform) => normal * Math.exp(12 * uniform - 6),
  tiny: scaled(1e-30),
  denormal: scaled(1e-40),
  huge: scaled(1e30),
};

/** Exact where products of both are. */
export const isWhole = (kind: string): boolean =>
  ['a sparse mask', 'a dense mask', 'whole numbers', 'ones'].includes(kind);

export const convolutionKernels: readonly Kernel<Conv2dParams>[] = [conv2d, conv2dInputGradient, conv2dWeightGradient];

/** What an output is made of, in float64: the sum of the products, that of their magnitudes, and how many they are. */
interface Truth {
  readonly exact: Float64Array;
  readonly magnitude: Float64Array;
  readonly terms: Float64Array;
}

/** Calls `add` with the places in x, w and y of every product of a convolution. */
function eachProduct(p: Conv2dParams, add: (x: number, w: number, y: number) => void): void {
  const [ins, outs] = [p.inChannels / p.groups, p.outChannels / p.groups];
  for (let n = 0; n < p.batch; n++) {
    for (let o = 0; o < p.outChannels; o++) {
      const firstChannel = Math.floor(o / outs) * ins;
      for (let c = 0; c < ins; c++) {
        for (let tap = 0; tap < p.kernelH * p.kernelW; tap++) {
          const rowShift = Math.floor(tap / p.kernelW) * p.dilationH - p.padH;
          const columnShift = (tap % p.kernelW) * p.dilationW - p.padW;
          const w = (o * ins + c) * p.kernelH * p.kernelW + tap;
          for (let r = 0; r < p.outH; r++) {
            const row = r * p.strideH + rowShift;
            if (row < 0 || row >= p.inH) continue;
            const xAt = ((n * p.inChannels + firstChannel + c) * p.inH + row) * p.inW;
            const yAt = ((n * p.outChannels + o) * p.outH + r) * p.outW;
            for (let q = 0; q < p.outW; q++) {
              const column = q * p.strideW + columnShift;
              if (column >= 0 && column < p.inW) add(xAt + column, w, yAt + q);
            }
          }
        }
      }
    }
  }
}

function truthOf(kernel: Kernel<Conv2dParams>, p: Conv2dParams, [a, b]: readonly Float32Array[]): Truth {
  const size = sizeOf(kernel.outputs(p)[0]!.shape);
  const [exact, magnitude, terms] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  eachProduct(p, (x, w, y) => {
    const [i, j, k] = kernel === conv2d ? [x, w, y] : kernel === conv2dInputGradient ? [y, w, x] : [x, y, w];
    const product = a![i]! * b![j]!;
    exact[k]! += product;
    magnitude[k]! += Math.abs(product);
    terms[k]!++;
  });
  return { exact, magnitude, terms };
}

/** Operands of two kinds, the second operand's planes being those of a filter's channel in a convolution. */
export function dataOf(kernel: Kernel<Conv2dParams>, p: Conv2dParams, names: readonly [string, string], seed: number) {
  return kernel.inputs(p).map(({ shape }, i) => {
    const draws = random(seed, `${kernel.name} ${names[i]} ${i}`);
    const [normal, uniform] = [draws.normalArray(sizeOf(shape)), draws.uniformArray(sizeOf(shape))];
    const plane = shape.at(-1)! * shape.at(-2)!;
    const kind = kinds[names[i]!]!;
    return Float32Array.from(normal, (value, at) => kind(at, value, uniform[at]!, plane));
  });
}

/** Runs a convolution; resolves to what is wrong with the outputs by the error model, and the plan. */
export async function checkConvolution(
  kernel: Kernel<Conv2dParams>,
  p: Conv2dParams,
  names: readonly [string, string],
  device: Device,
  seed: number,
): Promise<{ plan: string; problem: string | undefined }> {
  const data = dataOf(kernel, p, names, seed);
  const inputs = kernel.inputs(p).map(({ name }, i) => ({ name, dtype: 'float32' as const, values: [...data[i]!] }));
  const outputs = kernel.outputs(p).map(({ name, shape }) => ({
    name,
    dtype: 'float32' as const,
    values: new Array<number>(sizeOf(shape)).fill(-12345),
  }));
  const result = await kernelCase(kernel, p, inputs, outputs, { rtol: 0, atol: 0 }).run(device);
  const { exact, magnitude, terms } = truthOf(kernel, p, data);
  const got = result.outputs[0]!.values;
  const isExact = names.every(isWhole);
  let wrong = 0;
  let worst = 0;
  for (let i = 0; i < exact.length; i++) {
    // Past the largest float32 nothing can be asked for.
    if (magnitude[i]! > 1e38) continue;
    const error = Math.abs(got[i]! - exact[i]!);
    const units = error / errorBound(magnitude[i]!, terms[i]!);
    if (isExact ? error === 0 : error <= errorBound(magnitude[i]!, terms[i]!)) continue;
    wrong++;
    if (!(units <= worst)) worst = units;
  }
  const problem =
    wrong === 0 ? undefined : `${wrong} of ${exact.length}, the worst ${worst.toFixed(1)} times the bound`;
  return { plan: result.plan, problem };
}
