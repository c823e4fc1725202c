// The adjoint identity <A x, g> = <x, A' g> for every kernel that has an adjoint, on any device. With random g it catches
// gradients that are wrong in ways an all-ones cotangent would hide.
import fc from 'fast-check';
import type { Test } from 'tap';
import type { Device, HostArray } from '../../engine/devices/device.ts';
import { random } from '../../engine/random.ts';
import {
  adaptiveAveragePool,
  adaptiveAveragePoolBackward,
  averagePool,
  averagePoolBackward,
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
  copy,
  type CopyParams,
  gather,
  type GatherParams,
  type Kernel,
  maxPool,
  maxPoolBackward,
  type ParamValues,
  type PoolParams,
  pyramidPool,
  pyramidPoolBackward,
  type PyramidPoolParams,
  resize,
  resizeBackward,
  ResizeMode,
  NOTHING_OUTSIDE,
  scatterAdd,
  sizeOf,
} from '../../kernels/index.ts';
import { drawn } from './cases.ts';
import * as convCases from './generators/conv2d.ts';
import * as copyCases from './generators/copy.ts';
import * as poolCases from './generators/pooling.ts';
import * as pyramidCases from './generators/pyramid-pool.ts';
import * as resizeCases from './generators/resize.ts';

/** Launches a kernel on host values; outputs start as zeros. */
export async function launch<P extends ParamValues>(
  device: Device,
  kernel: Kernel<P>,
  params: P,
  inputs: readonly ArrayLike<number>[],
): Promise<HostArray[]> {
  const upload = (values: ArrayLike<number>, dtype: string) => {
    const storage = device.allocate(values.length, dtype === 'int32' ? 'int32' : 'float32');
    device.write(storage, values);
    return storage;
  };
  const inputStorages = kernel.inputs(params).map(({ dtype }, i) => upload(inputs[i], dtype));
  const outputStorages = kernel
    .outputs(params)
    .map(({ dtype, shape }) => upload(new Array<number>(sizeOf(shape)).fill(0), dtype));
  device.launch(kernel, inputStorages, outputStorages, params);
  const results = await Promise.all(outputStorages.map((storage) => device.read(storage)));
  for (const storage of [...inputStorages, ...outputStorages]) device.release(storage);
  return results;
}

const draws = random(21, 'adjoint');
const normals = (shape: readonly number[]) => draws.normalArray(sizeOf(shape));

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

type Pair = readonly [ArrayLike<number>, ArrayLike<number>];

/** Both products must agree relative to the lengths of the vectors in the first. */
function assertSame(label: string, [a, b]: Pair, [c, d]: Pair, tolerance: number): void {
  const scale = Math.sqrt(dot(a, a) * dot(b, b)) + Math.sqrt(dot(c, c) * dot(d, d)) + 1e-30;
  const difference = Math.abs(dot(a, b) - dot(c, d));
  if (!(difference <= tolerance * scale)) {
    throw new Error(`${label}: the products differ by ${difference}, ${difference / scale} of their scale`);
  }
}

/** A linear kernel of one input, its adjoint, and how to run the two. */
async function checkPair<P extends ParamValues>(
  device: Device,
  [forward, backward]: readonly [Kernel<P>, Kernel<P>],
  params: P,
  tolerance: number,
  more: readonly ArrayLike<number>[] = [],
): Promise<void> {
  const x = normals(forward.inputs(params)[0].shape);
  const g = normals(forward.outputs(params)[0].shape);
  const [y] = await launch(device, forward, params, [x, ...more]);
  const [gx] = await launch(device, backward, params, [g, ...more]);
  assertSame(`${forward.name} ${JSON.stringify(params)}`, [y, g], [x, gx], tolerance);
}

async function checkMaxPool(device: Device, params: PoolParams, tolerance: number): Promise<void> {
  const x = normals(maxPool.inputs(params)[0].shape);
  const g = normals(maxPool.outputs(params)[0].shape);
  const [y, indices] = await launch(device, maxPool, params, [x]);
  const [gx] = await launch(device, maxPoolBackward, params, [g, indices]);
  assertSame(`maxPool ${JSON.stringify(params)}`, [y, g], [x, gx], tolerance);
}

/** All bins together are the result of one linear map. */
async function checkPyramid(device: Device, params: PyramidPoolParams, tolerance: number): Promise<void> {
  const x = normals(pyramidPool.inputs(params)[0].shape);
  const gradients = pyramidPool.outputs(params).map(({ shape }) => normals(shape));
  const pooled = await launch(device, pyramidPool, params, [x]);
  const [gx] = await launch(device, pyramidPoolBackward, params, gradients);
  const [y, g] = [pooled, gradients].map((bins) => bins.flatMap((bin) => [...bin]));
  assertSame(`pyramidPool ${JSON.stringify(params)}`, [y, g], [x, gx], tolerance);
}

/** A copy whose source repeats nothing is undone by the copy with both sides exchanged. */
async function checkCopy(device: Device, params: CopyParams, tolerance: number): Promise<void> {
  const back: CopyParams = {
    ...params,
    inStrides: params.outStrides,
    outStrides: params.inStrides,
    inOffset: params.outOffset,
    outOffset: params.inOffset,
    inSize: params.outSize,
    outSize: params.inSize,
  };
  const x = normals([params.inSize]);
  const g = normals([params.outSize]);
  const [y] = await launch(device, copy, params, [x]);
  const [gx] = await launch(device, copy, back, [g]);
  assertSame(`copy ${JSON.stringify(params)}`, [y, g], [x, gx], tolerance);
}

async function checkConv2d(device: Device, params: ParamsOf<typeof convCases.conv2dSource>, tolerance: number) {
  const p = { ...params, bias: 0 };
  const label = `conv2d ${JSON.stringify(p)}`;
  const [x, w] = conv2d.inputs(p).map(({ shape }) => normals(shape));
  const g = normals(conv2d.outputs(p)[0].shape);
  const [y] = await launch(device, conv2d, p, [x, w]);
  const [gx] = await launch(device, conv2dInputGradient, p, [g, w]);
  const [gw] = await launch(device, conv2dWeightGradient, p, [x, g]);
  assertSame(`${label}, input`, [y, g], [x, gx], tolerance);
  assertSame(`${label}, weight`, [y, g], [w, gw], tolerance);
}

type ParamsOf<Source> = Source extends { params: fc.Arbitrary<infer P> } ? P : never;

/** Tests all pairs on `runs` random parameters each. `tolerance` is relative to the lengths of the vectors. */
export async function testAdjoints(t: Test, device: Device, runs: number, tolerance: number): Promise<void> {
  const property = <P>(name: string, params: fc.Arbitrary<P>, check: (params: P) => Promise<void>) =>
    t.test(`adjoint of ${name}`, async (t) => {
      await fc.assert(fc.asyncProperty(params, check), { seed: 22, numRuns: runs, includeErrorInReport: true });
      t.pass(`${runs} random cases`);
    });
  const gatherIndices = ({ outer, size, count, inner }: GatherParams) =>
    drawn(outer * count * inner, () => draws.integer(2 * size + 2) - size - 1);

  await property('conv2d', convCases.conv2dSource.params, (p) => checkConv2d(device, p, tolerance));
  await property('maxPool', poolCases.maxPoolSource.params, (p) => checkMaxPool(device, p, tolerance));
  await property('averagePool', poolCases.averagePoolSource.params, (p) =>
    checkPair(device, [averagePool, averagePoolBackward], p, tolerance),
  );
  await property('adaptiveAveragePool', poolCases.adaptiveAveragePoolSource.params, (p) =>
    checkPair(device, [adaptiveAveragePool, adaptiveAveragePoolBackward], p, tolerance),
  );
  await property('pyramidPool', pyramidCases.pyramidPoolSource.params, (p) => checkPyramid(device, p, tolerance));
  const corners: [string, ResizeMode, number][] = [
    ['nearest', ResizeMode.nearest, 0],
    ['bilinear', ResizeMode.bilinear, 0],
    ['bilinear, aligned corners', ResizeMode.bilinear, 1],
  ];
  for (const [label, mode, aligned] of corners) {
    const params = resizeCases.resizeSource.params.filter((p) => p.mode === mode && p.alignCorners === aligned);
    await property(`resize (${label})`, params, (p) => checkPair(device, [resize, resizeBackward], p, tolerance));
  }
  // What an index outside gives is a constant, which has no part in the adjoint.
  const quiet = copyCases.gatherSource.params.map((p) => ({ ...p, outside: NOTHING_OUTSIDE }));
  await property('gather', quiet, (p) => checkPair(device, [gather, scatterAdd], p, tolerance, [gatherIndices(p)]));
  const withoutRepeats = copyCases.copySource.params.filter(
    ({ shape, inStrides }) => !inStrides.some((stride, axis) => stride === 0 && shape[axis] > 1),
  );
  await property('copy', withoutRepeats, (p) => checkCopy(device, p, tolerance));
}
