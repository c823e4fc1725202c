// Values and gradients of operations beside PyTorch's (face.json, made by face_torch.py), for any device, and what must be the
// same on all.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import * as w from '../../engine/index.ts';
import { repositoryRoot } from '../shared-data.ts';

interface Values {
  shape: number[];
  values: number[];
}

interface Case {
  name: string;
  options: Record<string, unknown>;
  inputs: (Values & { dtype: string; grad: boolean })[];
  output: Values;
  cotangent: Values;
  gradients: Values[];
}

const cases = JSON.parse(readFileSync(join(repositoryRoot(), 'test/engine/face.json'), 'utf8')) as readonly Case[];

type Run = (inputs: readonly w.Tensor[], options: Record<string, unknown>) => w.Tensor;

const runs: Readonly<Record<string, Run>> = {
  cumsum: ([x], o) => w.cumsum(x!, o['axis'] as number),
  cumprod: ([x], o) => w.cumprod(x!, o['axis'] as number),
  prod: ([x], o) => w.prod(x!, o['axis'] as number),
  sort: ([x], { axis, descending }) => w.sort(x!, axis as number, { descending: descending as boolean }).values,
  topk: ([x], { axis, k, largest }) => w.topk(x!, k as number, axis as number, { largest: largest as boolean }).values,
  norm: ([x], { axis, p }) => w.norm(x!, axis as number, { p: Number(String(p).replace('inf', 'Infinity')) }),
  einsum: (inputs, o) => w.einsum(o['equation'] as string, inputs),
  conv1d: ([x, weight, bias], o) => w.conv1d(x!, weight!, bias, o),
  conv2d: ([x, weight], o) => w.conv2d(x!, weight!, undefined, o),
  gridSample: ([x, grid], o) => w.gridSample(x!, grid!, o),
  klDivLoss: ([x, target], o) => w.klDivLoss(x!, target!, o),
  crossEntropy: ([x, target, weight], o) => w.crossEntropy(x!, target!, { ...o, weight }),
  instanceNorm: ([x, weight, bias]) => w.instanceNorm(x!, { weight, bias }),
  prelu: ([x, weight]) => w.prelu(x!, weight!),
  floor: ([x]) => w.floor(x!),
  ceil: ([x]) => w.ceil(x!),
  round: ([x]) => w.round(x!),
};

/** The largest difference, as a share of the largest value. */
async function distance(actual: w.Tensor, { shape, values }: Values): Promise<number> {
  if (actual.shape.join() !== shape.join()) return Infinity;
  const got = await actual.array();
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  return values.reduce((most, value, i) => {
    const off = Math.abs(got[i]! - value) / Math.max(1, largest);
    return Number.isNaN(off) ? Infinity : Math.max(most, off);
  }, 0);
}

export async function faceChecks(t: Test, device: w.Device, tolerance: number): Promise<void> {
  w.setDefaultDevice(device);
  for (const [i, { name, options, inputs, output, cotangent, gradients }] of cases.entries()) {
    using _ = w.scope();
    const label = `${name} ${JSON.stringify(options)} (case ${i})`;
    const tensors = inputs.map(({ shape, values, dtype, grad }) =>
      w.tensor(values, shape, { dtype: dtype as w.DType, requiresGrad: grad }),
    );
    const y = runs[name]!(tensors, options);
    t.ok((await distance(y, output)) < tolerance, label);
    const wanted = tensors.filter((x) => x.requiresGrad);
    const found = w.grad(y, wanted, { gradOutputs: [w.tensor(cotangent.values, cotangent.shape)] });
    for (const [k, expected] of gradients.entries()) {
      const off = await distance(found[k]!, expected);
      t.ok(off < tolerance, `${label}, gradient ${k}: ${off}`);
    }
  }
  await t.test('order of equal values and NaN', async (t) => {
    using _ = w.scope();
    const x = w.tensor([2, NaN, 1, 2, -Infinity, 1, NaN, 0]);
    t.same([...(await w.sort(x).indices.array())], [4, 7, 2, 5, 0, 3, 1, 6]);
    t.same([...(await x.sort(0, { descending: true }).indices.array())], [1, 6, 0, 3, 2, 5, 7, 4]);
    t.same([...(await w.topk(x, 3).indices.array())], [1, 6, 0]);
    t.same((await w.topk(x, 0).values.array()).length, 0);
  });
  await t.test('of nothing', async (t) => {
    using _ = w.scope();
    const nothing = w.zeros([2, 0]);
    t.same([...(await w.prod(nothing, 1).array())], [1, 1]);
    t.same([...(await w.norm(nothing, 1).array())], [0, 0]);
    for (const y of [w.cumsum(nothing, 1), w.cumprod(nothing, 1), w.sort(nothing).values]) t.same(y.shape, [2, 0]);
    t.same([...(await w.einsum('ij->i', [nothing]).array())], [0, 0]);
  });
  await t.test('made tensors have the same bits everywhere', async (t) => {
    using _ = w.scope();
    w.manualSeed(5);
    const first = [await w.rand([3]).array(), await w.randn([3]).array(), await w.rand([3]).array()];
    const weight = await new w.nn.Linear(2, 2).weight.array();
    w.manualSeed(5);
    t.same(await new w.nn.Linear(2, 2).weight.array(), weight, 'parameters do not depend on what else is drawn');
    t.same([await w.rand([3]).array(), await w.randn([3]).array(), await w.rand([3]).array()], first);
    t.notSame(first[0], first[2]);
    const stream = () => w.random(9, 'face');
    t.same(Float32Array.from(await w.rand([2, 3], { stream: stream() }).array()), stream().uniformArray(6));
    t.same(Float32Array.from(await w.randn([5], { stream: stream() }).array()), stream().normalArray(5));
    t.same([...(await w.arange(4).array())], [0, 1, 2, 3]);
    t.same([...(await w.arange(1, 2, 0.25).array())], [1, 1.25, 1.5, 1.75]);
    t.same([...(await w.arange(5, 0, -2, { dtype: 'int32' }).array())], [5, 3, 1]);
    t.equal(w.arange(3, { dtype: 'int32' }).dtype, 'int32');
    t.same(w.arange(0).shape, [0]);
    t.same([...(await w.linspace(-1, 1, 5).array())], [-1, -0.5, 0, 0.5, 1]);
    t.same([...(await w.linspace(3, 9, 1).array())], [3]);
    t.same([...(await w.eye(2, 3).array())], [1, 0, 0, 0, 1, 0]);
    t.equal(w.cat, w.concat);
  });
  await t.test('max pooling gives a tensor, or a pair', async (t) => {
    using _ = w.scope();
    const x = w.tensor([1, 5, 2, 4, 3, 0, 7, 6, 8], [1, 1, 3, 3]);
    const y: w.Tensor = w.maxPool2d(x, 2, { stride: 1 });
    const { values, indices } = w.maxPool2d(x, 2, { stride: 1, returnIndices: true });
    t.same([...(await y.array())], [5, 5, 7, 8]);
    t.same(await values.array(), await y.array());
    t.same([...(await indices.array())], [1, 1, 6, 8]);
    const pooled = w.adaptiveMaxPool2d(x, 1, { returnIndices: true });
    t.same([...(await w.adaptiveMaxPool2d(x, 1).array()), ...(await pooled.indices.array())], [8, 8]);
    t.ok(w.maxPool2d(x, 2, { returnIndices: false }) instanceof w.Tensor);
  });
}
