// Operations declared in user code: values, both gradchecks, their place in the registry, and what is refused.
import t from 'tap';
import {
  createDevice,
  defineComposite,
  defineOperation,
  gradcheck,
  gradgradcheck,
  registry,
  scope,
  setDefaultDevice,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { cube, cutCube, softCut } from './custom-operations.ts';

setDefaultDevice(await createDevice('reference'));

const point = (): Tensor => tensor([0.5, -1.25, 2], undefined, { requiresGrad: true });

t.test('values', async (t) => {
  using _ = scope();
  t.same([...(await cube(point()).array())], [0.125, -1.953125, 8]);
  const expected = [0.5, -1.25, 2].map((x) => x / (1 + 2 * x * x));
  t.same([...(await softCut(point(), 2).array())], expected);
});

for (const [name, f] of Object.entries({ cube, softCut, cutCube } as Record<string, (x: Tensor) => Tensor>)) {
  t.test(`${name}: first and second derivatives`, async (t) => {
    using _ = scope();
    t.same(await gradcheck((x) => f(x!), [point()]), []);
    t.same(await gradgradcheck((x) => f(x!), [point()]), []);
  });
}

t.test('a wrong vjp is found', async (t) => {
  using _ = scope();
  const wrong = defineOperation({
    name: 'wrongIdentity',
    infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
    vjp: ({ gradients: [g] }) => [g!.mul(2)],
  });
  const failures = await gradcheck((x) => wrong([x])[0]!, [point()]);
  t.equal(failures.length, 3);
  t.match(failures[0], { input: 0, element: 0 });
});

t.test('the registry has them', (t) => {
  const entries = new Map(registry().map((entry) => [entry.name, entry]));
  t.match(entries.get('cube'), { differentiable: true, composite: false, family: 'custom' });
  t.match(entries.get('softCut'), { family: 'test' });
  t.match(entries.get('cutCube'), { composite: true });
  t.end();
});

t.test('a name that is taken', (t) => {
  const infer = ([x]: readonly Tensor[]) => [{ shape: x!.shape, dtype: 'float32' as const }];
  t.throws(() => defineOperation({ name: 'conv2d', infer }), {
    name: 'ConfigError',
    details: { operation: 'defineOperation', argument: 'name', given: "'conv2d' of family 'convolution'" },
    site: /custom-operations\.test/,
  });
  t.throws(() => defineComposite('cube', (x: Tensor) => x), {
    name: 'ConfigError',
    details: { operation: 'defineComposite', argument: 'name' },
  });
  t.end();
});

t.test('inputs are checked under the names that were given', (t) => {
  using _ = scope();
  const gone = point();
  gone.dispose();
  t.throws(() => cube(gone), { name: 'UseAfterFreeError', details: { operation: 'cube', argument: 'x' } });
  t.throws(() => cube(tensor(Int32Array.of(1), [1])), { name: 'DTypeError', details: { argument: 'x' } });
  t.end();
});

t.test('a device without a plan for the kernel', async (t) => {
  const wasm = await createDevice('wasm', { threads: 1 });
  using _ = scope();
  const x = tensor([1], [1], { device: wasm });
  t.throws(() => softCut(x), {
    name: 'DeviceError',
    details: { operation: 'softCut', expected: 'a device among reference, webgpu', given: 'wasm' },
  });
  const values = await cube(tensor([2], [1], { device: wasm })).array();
  t.same([...values], [8], 'a kernel that is there runs');
  wasm.dispose();
});
