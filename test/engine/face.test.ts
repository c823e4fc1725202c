// Operations beside PyTorch on `reference` and `wasm`, and layers that are made of them.
import t from 'tap';
import * as w from '../../engine/index.ts';
import { faceChecks } from './face.ts';

const reference = await w.createDevice('reference');
await t.test('reference', async (t) => faceChecks(t, reference, 1e-6));
for (const relaxedSimd of [false, true]) {
  await t.test(relaxedSimd ? 'wasm, relaxed SIMD' : 'wasm, plain SIMD', async (t) => {
    const wasm = await w.createDevice('wasm', { threads: 2, relaxedSimd });
    await faceChecks(t, wasm, 1e-5);
    wasm.dispose();
  });
}

w.setDefaultDevice(reference);

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
