// What a graph keeps and for how long: second walks, results that keep their gradient, and walks to some tensors alone.
import t from 'tap';
import * as w from '../../engine/index.ts';
import { grad, parameter, scope, type Tensor, tensor } from '../../engine/index.ts';

const device = await w.createDevice('reference');
w.setDefaultDevice(device);
t.teardown(() => device.dispose());

const values = async (x: Tensor | undefined): Promise<number[]> => [...(await x!.array())];
const leaf = (...list: number[]): Tensor => tensor(list, [list.length], { requiresGrad: true });

t.test('a graph that saved nothing may be walked again', async (t) => {
  const linear: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    sum: (x) => w.sum(x),
    'mean of a difference': (x) => w.mean(w.sub(w.affine(x, 3, 1), x)),
    'views and copies': (x) => w.sum(w.concat([w.reshape(x, [2, 1]), w.pad(w.unsqueeze(x, 1), [0, 0, 1, 0])], 0)),
    'no input that needs what it would save': (x) => w.sum(w.add(x, w.mul(tensor([1, 2]), tensor([3, 4])))),
  };
  for (const [name, f] of Object.entries(linear)) {
    using _ = scope();
    const x = leaf(1, 2);
    const y = f(x);
    y.backward();
    const once = await values(x.grad);
    y.backward();
    t.same(
      await values(x.grad),
      once.map((value) => 2 * value),
      name,
    );
  }
  using _ = scope();
  const x = leaf(1, 2);
  const y = w.sum(w.mul(x, tensor([3, 4])));
  y.backward();
  t.throws(() => y.backward(), /has already been used/, 'a product keeps the other factor for one walk');
});

t.test('no more is kept than the gradients that are needed read', (t) => {
  const bytesOf = (f: () => unknown): number => {
    using outer = scope();
    const before = device.statistics().liveBytes;
    const y = w.tidy(() => f() as Tensor);
    const held = device.statistics().liveBytes - before - 8 * y.size;
    outer.keep(y);
    y.dispose();
    return held;
  };
  const wide = (needed = false): Tensor => tensor(new Float32Array(1000), [10, 100], { requiresGrad: needed });
  const weight = parameter(new Float32Array(1000), [10, 100]);
  const kept: [string, number, () => Tensor][] = [
    ['a constant factor', 8000, () => w.mul(wide(), weight)],
    ['not the changing factor of a constant', 8000, () => w.mul(w.exp(wide()), weight)],
    ['a divisor alone', 8000, () => w.div(w.affine(weight, 2, 0), wide())],
    ['an input of a product with a needed weight', 8000, () => w.matmul(wide(), weight, { transposeB: true })],
    ['nothing of a sum', 0, () => w.sum(w.add(wide(), weight))],
    ['nothing where no gradient is needed', 0, () => w.mul(wide(), wide())],
  ];
  for (const [name, bytes, f] of kept) t.equal(bytesOf(f), bytes, name);
  weight.dispose();
  t.end();
});

t.test('a result that requires a gradient keeps it', async (t) => {
  using _ = scope();
  const x = leaf(1, 2);
  const y = x.mul(x).requireGrad();
  const z = y.mul(3);
  t.equal(y.requiresGrad, true);
  y.registerHook((g) => g.mul(10));
  z.sum().backward({ retainGraph: true });
  t.same(await values(y.grad), [30, 30], 'after its hooks, as retain_grad');
  t.same(await values(x.grad), [60, 120], 'and passes it on');
  z.sum().backward({ retainGraph: true });
  t.same(await values(y.grad), [60, 60], 'it adds up');
  t.equal(z.grad, undefined);
  grad(z.sum(), [x], { retainGraph: true });
  t.same(await values(y.grad), [60, 60], 'grad leaves it alone');

  const end = w.sum(y).requireGrad();
  end.backward({ createGraph: true });
  t.same(await values(end.grad), [1], 'that of where backward starts');
  t.throws(() => y.requireGrad(false), { name: 'ConfigError', message: /only a leaf.*detach\(\)/ });

  const free = w.noGrad(() => x.mul(2)).requireGrad();
  free.mul(2).sum().backward();
  t.same(await values(free.grad), [2, 2], 'a result off the tape is a leaf');
});

t.test('a kept gradient goes with its result', (t) => {
  const before = w.liveTensorCount();
  const p = parameter([1, 2], [2]);
  {
    using _ = scope();
    const y = p.mul(p).requireGrad();
    const gone = p.mul(2).requireGrad();
    const loss = y.add(gone).sum();
    gone.dispose();
    loss.backward();
    t.ok(y.grad);
  }
  p.dispose();
  t.equal(w.liveTensorCount(), before);
  t.end();
});

t.test('grad runs what leads to its inputs, and no other', async (t) => {
  using _ = scope();
  const x = leaf(1, 2);
  const p = parameter([3, 4], [2]);
  const inner = w.exp(p);
  let calls = 0;
  inner.registerHook(() => void calls++);
  const y = w.mul(x, inner);
  const loss = w.sum(w.mul(y, y));
  const [gx] = grad(loss, [x], { retainGraph: true });
  t.equal(calls, 0);
  const e = [Math.exp(3), Math.exp(4)];
  t.same(await values(gx), [2 * e[0]! * e[0]!, 2 * 2 * (e[1]! * e[1]!)]);

  const [gy, again] = grad(loss, [y, y], { retainGraph: true });
  t.same(await values(gy), [2 * e[0]!, 4 * e[1]!]);
  t.same(await values(again), await values(gy), 'an input that is named twice counts once');
  t.same(await values(grad(loss, [loss], { retainGraph: true })[0]), [1]);

  // x is what the gradient by p reads, and changes: that by x is still there, that by p is refused.
  device.write(x.storage, [7, 7]);
  t.same(await values(grad(loss, [x], { retainGraph: true })[0]), await values(gx));
  t.throws(() => grad(loss, [p], { retainGraph: true }), /changed in place/);
  p.dispose();
});

t.test('gradients of nothing', async (t) => {
  using _ = scope();
  const byCotangent = async (f: (x: Tensor) => Tensor, shape: number[]): Promise<number[]> => {
    const x = tensor([], shape, { requiresGrad: true });
    const y = f(x);
    const c = tensor(new Float32Array(y.size).fill(1), y.shape, { requiresGrad: true });
    const [first] = grad(y, [x], { gradOutputs: [c], createGraph: true });
    return values(grad(w.sum(first!), [c])[0]);
  };
  t.same(await byCotangent((x) => w.mean(x), [0]), [0]);
  t.same(await byCotangent((x) => w.mean(x, 1), [2, 0]), [0, 0]);
  t.same(await byCotangent((x) => w.mean(w.square(x), [0, 2], { keepdim: true }), [0, 1, 3]), [0]);
  t.same(await byCotangent((x) => w.mseLoss(x, x.detach()), [0, 3]), [0]);

  const scores = tensor([1, 2, 3, 4, 5, 6], [2, 3], { requiresGrad: true });
  for (const reduction of ['mean', 'sum'] as const) {
    const loss = w.crossEntropy(scores, tensor(Int32Array.of(-100, -100), [2]), { reduction });
    const [first] = grad(loss, [scores], { createGraph: true });
    t.same(await values(first), [0, 0, 0, 0, 0, 0], reduction);
    t.same(await values(grad(w.sum(first!), [scores])[0]), [0, 0, 0, 0, 0, 0], `${reduction}, again`);
  }
});

t.test('the slope of a variance is divided by the degrees of freedom that torch counts', async (t) => {
  // [values, correction, gradient by torch 1.13, gradient of its sum]
  const rows: [number[], number, number[], number[]][] = [
    [[0], 1, [NaN], [NaN]],
    [[0], 0, [0], [0]],
    [[0, 1], 2, [-Infinity, Infinity], [NaN, NaN]],
    [[0, 1], 3, [1, -1], [0, 0]],
    [[0], 2, [0], [0]],
    [[0, 1, 2], 3, [-Infinity, NaN, Infinity], [NaN, NaN, NaN]],
  ];
  for (const [list, correction, first, second] of rows) {
    using _ = scope();
    const x = leaf(...list);
    const [g] = grad(w.variance(x, 0, { correction }), [x], { createGraph: true });
    const same = (given: number[], expected: number[]) =>
      t.same(
        given.map((value) => value + 0),
        expected,
        `${list.length} values, correction ${correction}`,
      );
    same(await values(g), first);
    same(await values(grad(w.sum(g!), [x])[0]), second);
  }
});
