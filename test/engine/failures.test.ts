// A backward pass that fails leaves no tensors, whatever throws: a vjp, a hook, a used tape, a gradient that does not fit. Launches
// that fail are in failing-launches.test.ts.
import t from 'tap';
import {
  checkpoint,
  createDevice,
  defineOperation,
  grad,
  kernels,
  liveTensorCount,
  parameter,
  scope,
  setDefaultDevice,
  sin,
  type Tensor,
  tensor,
} from '../../engine/index.ts';

const reference = await createDevice('reference');
setDefaultDevice(reference);
t.teardown(() => reference.dispose());

/** x + 0, with a vjp of one's own. */
const custom = (name: string, vjp: (g: Tensor) => (Tensor | undefined)[]) => {
  const apply = defineOperation({
    name,
    infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
    forward([x], [y]) {
      const params = { n: x!.size, op: kernels.Unary.affine, a: 1, b: 0 };
      x!.device.launch(kernels.unary, [x!.storage], [y!.storage], params);
    },
    vjp: ({ gradients: [g] }) => vjp(g!),
  });
  return (x: Tensor): Tensor => apply([x])[0]!;
};

const throwing = custom('throwing', (g) => {
  g.mul(2);
  throw new Error('the vjp fails');
});
const misshapen = custom('misshapen', (g) => [g.sum()]);
const mistyped = custom('mistyped', (g) => [g.cast('int32')]);

type Fault = [name: string, message: RegExp, (x: Tensor) => Tensor];
const faults: Fault[] = [
  ['a vjp throws', /the vjp fails/, (x) => throwing(x.mul(x))],
  [
    'a vjp gives another shape',
    /vjp of 'misshapen'.*wrong shape for input 0.*expected \[2\], got \[\]/,
    (x) => misshapen(x),
  ],
  [
    'a vjp gives another type',
    /vjp of 'mistyped'.*wrong element type for input 0.*expected float32, got int32/,
    mistyped,
  ],
  ['a vjp in a checkpoint throws', /the vjp fails/, (x) => checkpoint((h) => sin(throwing(sin(h))), x.mul(3))],
  [
    'a hook throws',
    /the hook fails/,
    (x) => {
      const y = x.mul(x);
      y.registerHook(() => {
        throw new Error('the hook fails');
      });
      return y.mul(y);
    },
  ],
  [
    'a hook gives another shape',
    /hook must return.*same shape/,
    (x) => {
      const y = x.mul(x);
      y.registerHook((g) => g.sum());
      return y.mul(y);
    },
  ],
  [
    'a second run differs',
    /did not compute the same result/,
    (x) => {
      let runs = 0;
      return checkpoint((h) => (runs++ ? sin(sin(h)) : sin(h)), x.mul(2));
    },
  ],
  [
    'the tape has been used',
    /has already been used/,
    (x) => {
      const y = x.mul(x);
      y.sum().backward();
      return y.mul(y);
    },
  ],
];

for (const [name, message, f] of faults) {
  t.test(name, (t) => {
    using _ = scope();
    const w = parameter([1, 2], [2]);
    const y = f(w.mul(2)).add(w.mul(w)).sum();
    for (const options of [{ retainGraph: true }, { createGraph: true }]) {
      const held = liveTensorCount();
      for (let i = 0; i < 20; i++) {
        t.throws(() => y.backward(options), message);
        t.throws(() => grad(y, [w], options), message);
      }
      t.equal(liveTensorCount(), held);
    }
    w.dispose();
    t.end();
  });
}

t.test('a start that does not fit', (t) => {
  using _ = scope();
  const x = tensor([1, 2], [2], { requiresGrad: true });
  const y = x.mul(x);
  const integers = tensor(Int32Array.of(1, 2), [2]);
  const other = tensor([1, 2, 3], [3]);
  const constant = tensor(1, []);
  const held = liveTensorCount();
  t.throws(() => y.backward(), /only a scalar/);
  t.throws(() => y.backward({ gradient: other }), /shape of the output/);
  t.throws(() => y.backward({ gradient: integers }), /expected float32, got int32/);
  t.throws(() => grad([y, constant], [x], { gradOutputs: [x.detach()] }), /does not depend/);
  t.equal(liveTensorCount(), held + 1, 'the cotangent that was given');
  t.end();
});

t.test('a leaf hook that throws leaves the gradients of all leaves as they were', async (t) => {
  using _ = scope();
  const [a, b] = [tensor([1, 2], [2], { requiresGrad: true }), tensor([3, 4], [2], { requiresGrad: true })];
  a.mul(b).sum().backward();
  const remove = b.registerHook(() => {
    throw new Error('the hook fails');
  });
  const loss = a.mul(b).sum();
  const held = liveTensorCount();
  t.throws(() => loss.backward({ retainGraph: true }), /the hook fails/);
  t.equal(liveTensorCount(), held);
  t.same([...(await a.grad!.array()), ...(await b.grad!.array())], [3, 4, 1, 2]);
  remove();
  loss.backward();
  t.same([...(await a.grad!.array()), ...(await b.grad!.array())], [6, 8, 2, 4]);
});

t.test('a gradient goes nowhere when its leaf has been released', (t) => {
  const before = liveTensorCount();
  {
    using _ = scope();
    const w = parameter([1, 2], [2]);
    const x = tensor([1, 2], [2], { requiresGrad: true });
    const loss = x.mul(w).sum();
    w.dispose();
    loss.backward();
    t.ok(x.grad);
  }
  t.equal(liveTensorCount(), before);
  t.end();
});
