// Activation checkpointing: nesting, gradients of gradients, hooks, what it refuses, and how much memory it saves. That it changes
// no bit is tested in recomputation-bits.test.ts. `node dist/test/engine/recomputation.test.js` prints the comparison.
import t from 'tap';
import {
  checkpoint,
  conv2d,
  createDevice,
  type Device,
  grad,
  liveTensorCount,
  manualSeed,
  nn,
  noGrad,
  parameter,
  random,
  RecomputationError,
  relu,
  scope,
  setDefaultDevice,
  SGD,
  sigmoid,
  sin,
  type Tensor,
  tensor,
  UseAfterFreeError,
} from '../../engine/index.ts';
import { isRecomputing } from '../../engine/recomputation.ts';
import { BasicBlock, DenseBlock } from '../../models/index.ts';
import { direct, type Wrap } from './programs.ts';

const devices = { wasm: await createDevice('wasm'), reference: await createDevice('reference') };
setDefaultDevice(devices.reference);
t.teardown(() => Object.values(devices).forEach((device) => device.dispose()));

t.test('a checkpoint within a part of another', async (t) => {
  using _ = scope();
  const w = parameter([0.7, -0.4], [2]);
  const x = tensor([0.3, 1.2], [2], { requiresGrad: true });
  const inner = (h: Tensor, scale: Tensor): Tensor => sin(h.mul(w)).mul(scale);
  const f = (wrap: Wrap) => (h: Tensor) => {
    const before = sigmoid(h.mul(w));
    return wrap(inner, before.mul(h), sin(before)).add(wrap(inner, h, before));
  };
  const values = async (wrap: Wrap) => {
    const results = grad(wrap(f(wrap), x).sum(), [x, w]);
    return Promise.all(results.map(async (g) => [...(await g.array())]));
  };
  t.same(await values(checkpoint), await values(direct));
  w.dispose();
});

t.test('gradients of gradients', async (t) => {
  using _ = scope();
  const w = parameter([0.7, -0.4], [2]);
  const x = tensor([0.3, 1.2], [2], { requiresGrad: true });
  const f = (h: Tensor) => sin(h.mul(w)).mul(sigmoid(h));
  const third = async (wrap: Wrap) => {
    const y = wrap((h) => wrap(f, h.mul(h)), x);
    const [first] = grad(y.sum(), [x], { createGraph: true });
    const [second] = grad(first!.mul(first!).sum(), [x], { createGraph: true });
    const results = grad(second!.sum(), [x, w]);
    return Promise.all(results.map(async (g) => [...(await g.array())]));
  };
  t.same(await third(checkpoint), await third(direct));
  w.dispose();
});

t.test('the function runs twice, or as often as backward needs it', async (t) => {
  using _ = scope();
  const runs: boolean[] = [];
  const f = (h: Tensor) => {
    runs.push(isRecomputing());
    return sin(h);
  };
  const x = tensor([1, 2], [2], { requiresGrad: true });
  const y = checkpoint(f, x).sum();
  t.same(runs, [false]);
  y.backward({ retainGraph: true });
  y.backward();
  t.same(runs, [false, true]);
  t.same([...(await x.grad!.array())], [2 * Math.cos(1), 2 * Math.cos(2)]);
  noGrad(() => checkpoint(f, x));
  checkpoint(f, x);
  t.same(runs, [false, true, false, false], 'and once where there is nothing to differentiate');
});

t.test('several outputs, of which one is not used, one is an input and one has no gradient', async (t) => {
  using _ = scope();
  const x = tensor([1, 2], [2], { requiresGrad: true });
  const [a, b, c, d] = checkpoint((h) => [sin(h), h.mul(h), h, h.argmax(0)] as const, x);
  t.equal(c, x);
  t.equal(await d.item(), 1);
  t.equal(a.tracked, true);
  b.sum().backward();
  t.same([...(await x.grad!.array())], [2, 4]);
});

t.test('hooks see the gradients inside and may replace them', async (t) => {
  using _ = scope();
  const seen: number[][] = [];
  const x = tensor([1, 2], [2], { requiresGrad: true });
  const y = checkpoint((h) => {
    const inner = h.mul(h);
    if (!isRecomputing()) inner.registerHook((g) => g.mul(10));
    return inner.mul(inner);
  }, x);
  y.registerHook((g) => void seen.push([...g.shape]));
  y.sum().backward();
  t.same([...(await x.grad!.array())], [40, 320]);
  t.same(seen, [[2]]);
});

t.test('everything is released', (t) => {
  const [before, bytes] = [liveTensorCount(), devices.reference.statistics().liveBytes];
  const x = parameter([1, 2], [2]);
  for (const wrap of [direct, checkpoint] as Wrap[]) {
    using _ = scope();
    wrap((h) => wrap((g) => sin(g).mul(g), sin(h)), x.mul(3))
      .sum()
      .backward();
    wrap((h) => sin(sin(h)), x.mul(3)); // never differentiated
  }
  for (const each of [1, 2]) {
    using inner = scope();
    const y = checkpoint((h) => sin(sin(h)), x.mul(each));
    grad(grad(y.sum(), [x], { createGraph: true })[0]!.sum(), [x]);
    t.ok(inner.size > 0);
  }
  x.dispose();
  t.equal(liveTensorCount(), before);
  t.equal(devices.reference.statistics().liveBytes, bytes);
  t.end();
});

t.test('a checkpoint can be kept beyond its scope', async (t) => {
  const x = parameter([1, 2], [2]);
  let y: Tensor;
  {
    using inner = scope();
    y = inner.keep(checkpoint((h) => sin(sin(h)), x.mul(2)));
  }
  using _ = scope();
  y.sum().backward();
  const expected = grad(sin(sin(x.mul(2))).sum(), [x])[0]!;
  t.same(await x.grad!.array(), await expected.array());
  y.dispose();
  x.dispose();
});

t.test('a second run that differs is refused', (t) => {
  using _ = scope();
  const x = tensor([1, 2], [2], { requiresGrad: true });
  const w = parameter([3, 4], [2]);
  let mode = 0;
  const variants: [string, (h: Tensor) => Tensor, RegExp][] = [
    ['fewer operations', (h) => (mode ? sin(h) : sin(sin(h))), /expected 2 saved tensors, got 1/],
    ['more operations', (h) => (mode ? sin(sin(h)) : sin(h)), /expected 1 saved tensors, got more/],
    ['another shape', (h) => sin(mode ? h.sum() : h).sum(), /expected float32 \[2\], got float32 \[\]/],
    ['another tensor', (h) => sin(h).mul(mode ? x.mul(1) : w), /expected the tensors that it read first.*captures/],
  ];
  for (const [name, f, message] of variants) {
    mode = 0;
    const y = checkpoint(f, x.mul(1)).sum();
    mode = 1;
    t.throws(() => y.backward(), { name: 'RecomputationError', message }, name);
  }
  // The closure reads a variable that goes on to hold its own result.
  let h = x.mul(2);
  for (let i = 0; i < 2; i++) h = checkpoint(() => sin(h));
  t.throws(() => h.sum().backward(), RecomputationError);
  t.throws(() => checkpoint((g) => grad(sin(g).sum(), [g])[0]!.mul(g), x.mul(1)), /cannot run inside/);
  w.dispose();
  t.end();
});

t.test('a parameter changed in place between forward and backward is refused', (t) => {
  using _ = scope();
  const bias = parameter([1], [1]);
  const y = checkpoint((h) => relu(h.add(bias)), tensor([1], [1], { requiresGrad: true }));
  bias.grad = tensor([1], [1]);
  new SGD([bias], { lr: 0.1 }).step();
  t.throws(() => y.sum().backward(), { name: 'UseAfterFreeError', message: /changed in place/ });
  t.end();
});

t.test('what it captures must live until backward', (t) => {
  using _ = scope();
  const x = tensor([1, 2], [2], { requiresGrad: true });
  let y: Tensor;
  {
    using inner = scope();
    const scale = tensor([2, 3], [2]);
    y = inner.keep(checkpoint((h) => sin(h.mul(scale)), x));
  }
  t.throws(() => y.sum().backward(), UseAfterFreeError);
  t.end();
});

/** The most bytes held in one training step, and those of the parameters alone. */
function peakOf(device: Device, run: () => Tensor): number {
  device.resetPeakBytes();
  const before = device.statistics().liveBytes;
  {
    using _ = scope();
    run().backward();
  }
  return device.statistics().peakBytes - before;
}

t.test('peak memory', (t) => {
  const device = devices.wasm;
  setDefaultDevice(device);
  const x = tensor(random(1, 'x').normalArray(2 * 16 * 32 * 32), [2, 16, 32, 32], { requiresGrad: true });
  const compare = (name: string, net: nn.Module, plain: () => Tensor, saving: () => Tensor, most: number): void => {
    const peaks = [plain, saving].map((run) => {
      const peak = peakOf(device, run);
      net.zeroGrad();
      x.grad?.dispose();
      x.grad = undefined;
      return peak / 2 ** 20;
    }) as [number, number];
    const text = `${name}: ${peaks[0].toFixed(1)} MiB without checkpoints, ${peaks[1].toFixed(1)} MiB with them`;
    t.comment(text);
    t.ok(peaks[1] < most * peaks[0], text);
    net.dispose();
  };

  const stage = new nn.ModuleList(Array.from({ length: 16 }, () => new BasicBlock(16, 16)));
  const through = (wrap: Wrap) => [...stage].reduce((h, block) => wrap((g) => block.forward(g), h), x as Tensor).sum();
  compare(
    'a ResNet stage of 16 blocks',
    stage,
    () => through(direct),
    () => through(checkpoint),
    0.4,
  );

  const dense = (memoryEfficient: boolean) => {
    manualSeed(1);
    return new DenseBlock(8, 16, 12, 4, { memoryEfficient });
  };
  const [ordinary, efficient] = [dense(false), dense(true)];
  compare(
    'a dense block of 8 layers',
    ordinary,
    () => ordinary.forward(x).sum(),
    () => efficient.forward(x).sum(),
    0.7,
  );
  efficient.dispose();
  x.dispose();
  setDefaultDevice(devices.reference);
  t.end();
});

t.test('a memory-efficient dense block computes the same', async (t) => {
  const run = async (memoryEfficient: boolean) => {
    manualSeed(1);
    const block = new DenseBlock(3, 4, 2, 4, { memoryEfficient });
    using _ = scope();
    const x = tensor(random(1, 'x').normalArray(2 * 4 * 5 * 5), [2, 4, 5, 5], { requiresGrad: true });
    const w = tensor(random(2, 'w').normalArray(3 * 10 * 9), [3, 10, 3, 3]);
    conv2d(block.forward(x), w).sum().backward();
    const gradients = await Promise.all([x, ...block.parameters()].map(({ grad }) => grad!.array()));
    const state = [...(await block.stateDict()).values()].map(({ values }) => values);
    block.dispose();
    return [...gradients, ...state];
  };
  t.same(await run(true), await run(false));
});

t.test('a tensor that is captured and given, or given twice, is the same tensor again', async (t) => {
  const ways: Readonly<Record<string, (wrap: Wrap, x: Tensor) => Tensor>> = {
    'captured and given': (wrap, x) => wrap((h) => sin(h.mul(x)).mul(h), x),
    'given twice': (wrap, x) => wrap((a, b) => sin(a.mul(b)), x, x),
    'a result that keeps its gradient': (wrap, x) => {
      const y = x.mul(2).requireGrad();
      return wrap((h) => sin(h.mul(y)), y);
    },
    'not where one is off the tape': (wrap, x) => wrap((h) => sin(h.mul(x.detach())), x),
  };
  for (const [name, f] of Object.entries(ways)) {
    using _ = scope();
    const values = async (wrap: Wrap) => {
      const x = tensor([0.3, 1.2], [2], { requiresGrad: true });
      f(wrap, x).sum().backward();
      return [...(await x.grad!.array())];
    };
    t.same(await values(checkpoint), await values(direct), name);
  }
});
