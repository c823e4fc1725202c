// Values and gradients of operations beside PyTorch's (face.json, made by face_torch.py), what must be the same on all devices,
// and layers that are made of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import * as w from '../../engine/index.ts';
import { repositoryRoot } from '../shared-data.ts';
import { onEach, testedOn } from '../tested-on.ts';

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

async function testOperations(t: Test, device: w.Device, tolerance: number): Promise<void> {
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

const devices = testedOn('reference', 'wasm', 'webgpu');
const tolerances = { reference: 1e-6, wasm: 1e-5, webgpu: 1e-5 } as const;
await onEach(t, devices, (t, device, name) => testOperations(t, device, tolerances[name]));

if (devices.has('wasm')) {
  await t.test('wasm, plain SIMD', async (t) => {
    const device = await w.createDevice('wasm', { relaxedSimd: false });
    await testOperations(t, device, tolerances.wasm);
    device.dispose();
  });
}

/** Layers and their functions, on one device. */
async function testLayers(t: Test, device: w.Device): Promise<void> {
  w.setDefaultDevice(device);

  await t.test('layers are their functions', async (t) => {
    using _ = w.scope();
    const { nn } = w;
    const image = w.randn([2, 4, 5, 6]);
    const same = async (layer: w.nn.Layer, y: w.Tensor, x = image): Promise<void> => {
      t.same(await layer.forward(x).array(), await y.array(), layer.constructor.name);
    };
    await same(new nn.Sigmoid(), w.sigmoid(image));
    await same(new nn.Tanh(), w.tanh(image));
    await same(new nn.SiLU(), w.silu(image));
    await same(new nn.GELU('tanh'), w.gelu(image, 'tanh'));
    await same(new nn.LeakyReLU(0.2), w.leakyRelu(image, 0.2));
    await same(new nn.Softmax(1), w.softmax(image, 1));
    await same(new nn.Flatten(), w.flatten(image, 1));
    await same(new nn.AvgPool2d(2), w.avgPool2d(image, 2));
    await same(new nn.AdaptiveAvgPool2d([2, 3]), w.adaptiveAvgPool2d(image, [2, 3]));
    await same(new nn.Upsample({ scaleFactor: 2 }), w.interpolate(image, { scaleFactor: 2 }));
    await same(new nn.LayerNorm([5, 6]), w.layerNorm(image, [5, 6]));
    await same(new nn.GroupNorm(2, 4), w.groupNorm(image, 2));
    await same(new nn.InstanceNorm2d(4), w.instanceNorm(image));
    await same(new nn.PReLU(), w.prelu(image, w.full([1], 0.25)));
    const convolution = new nn.Conv1d(4, 3, 2, { padding: 'same' });
    const line = w.randn([2, 4, 7]);
    const { weight, bias } = convolution;
    await same(convolution, w.conv1d(line, weight, bias, { padding: 'same' }), line);
    t.same(new nn.Conv2d(4, 3, [2, 5], { padding: 'same' }).forward(image).shape, [2, 3, 5, 6]);
    t.same([...new nn.InstanceNorm2d(4).namedParameters()], []);
    t.same([...(await new nn.GroupNorm(2, 4).stateDict()).keys()], ['weight', 'bias']);
    t.same([...(await new nn.PReLU(3).stateDict()).keys()], ['weight']);
  });

  await t.test('losses as modules', async (t) => {
    using _ = w.scope();
    const { nn } = w;
    const [x, target] = [w.randn([3, 4]), w.rand([3, 4])];
    const labels = w.tensor(Int32Array.of(1, 0, 3));
    const pairs: [w.Tensor, w.Tensor][] = [
      [new nn.MSELoss().forward(x, target), w.mseLoss(x, target)],
      [new nn.L1Loss({ reduction: 'sum' }).forward(x, target), w.l1Loss(x, target, { reduction: 'sum' })],
      [new nn.HuberLoss({ delta: 0.5 }).forward(x, target), w.huberLoss(x, target, { delta: 0.5 })],
      [new nn.SmoothL1Loss({ beta: 0.5 }).forward(x, target), w.smoothL1Loss(x, target, { beta: 0.5 })],
      [new nn.BCEWithLogitsLoss().forward(x, target), w.bceWithLogits(x, target)],
      [new nn.CrossEntropyLoss().forward(x, labels), w.crossEntropy(x, labels)],
      [new nn.CrossEntropyLoss().forward(x, target), w.crossEntropy(x, target)],
      [new nn.NLLLoss().forward(x, labels), w.nllLoss(x, labels)],
      [new nn.KLDivLoss({ logTarget: true }).forward(x, target), w.klDivLoss(x, target, { logTarget: true })],
    ];
    for (const [ours, theirs] of pairs) t.same(await ours.array(), await theirs.array());
  });

  await t.test('dropout layers', async (t) => {
    using _ = w.scope();
    const x = w.ones([4, 8, 3, 3], { requiresGrad: true });
    w.manualSeed(3);
    const [layer, other] = [new w.nn.Dropout(0.4), new w.nn.Dropout(0.4)];
    const first = await layer.forward(x).array();
    t.notSame(await other.forward(x).array(), first, 'each layer has masks of its own');
    const second = await layer.forward(x).array();
    t.notSame(second, first, 'and another at each step');
    w.manualSeed(3);
    const again = new w.nn.Dropout(0.4);
    again.stream.skip(x.size);
    t.same(await again.forward(x).array(), second, 'which the seed and the position name');
    t.equal(layer.eval().forward(x), x, 'nothing outside of training');
    const channels = await new w.nn.Dropout2d(0.5).forward(x).array();
    for (let i = 0; i < 32; i++) t.equal(new Set(channels.slice(9 * i, 9 * i + 9)).size, 1);

    // A checkpoint computes its part again in the backward pass, with the same mask.
    const drop = new w.nn.Dropout(0.5);
    const y = w.checkpoint((z: w.Tensor) => drop.forward(w.square(z)), x);
    const kept = await y.array();
    await drop.forward(x).array();
    w.sum(y).backward();
    t.same(
      await x.grad!.array(),
      kept.map((value) => 2 * value),
    );
  });
}

if (devices.has('reference')) await t.test('layers', async (t) => testLayers(t, await w.createDevice('reference')));
