// Operations declared in user code, from the public face of the package alone: one on a kernel that is there, one on a kernel of
// its own with plans for two devices, and a composite. Values, both gradchecks, their place in the registry, and what is refused.
import t, { type Test } from 'tap';
import {
  add,
  affine,
  createDevice,
  defineComposite,
  defineOperation,
  type Device,
  grad,
  gradcheck,
  gradgradcheck,
  kernels,
  mul,
  registry,
  scope,
  setDefaultDevice,
  square,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';

const cubeOp = defineOperation({
  name: 'cube',
  arguments: ['x'],
  infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
  forward([x], [y]) {
    const params = { n: x!.size, op: kernels.Unary.powScalar, a: 3, b: 0 };
    x!.device.launch(kernels.unary, [x!.storage], [y!.storage], params);
  },
  saves: { inputs: [0] },
  vjp: ({ gradients: [g], inputs: [x] }) => [mul(g!, affine(square(x!), 3, 0))],
});

/** x^3 */
const cube = (x: Tensor): Tensor => cubeOp([x])[0]!;

const softCutShader = `
struct Params { n: u32, level: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.n) { return; }
  y[id.x] = x[id.x] / (1.0 + params.level * x[id.x] * x[id.x]);
}`;

const softCutKernel = kernels.defineKernel({
  name: 'softCut',
  fields: { n: 'u32', level: 'f32' },
  inputs: ({ n }) => [kernels.float('x', n)],
  outputs: ({ n }) => [kernels.float('y', n)],
  flops: ({ n }) => 4 * n,
  plans: {
    reference([x], [y], { n, level }) {
      for (let i = 0; i < n; i++) y!.set(i, x!.get(i) / (1 + level * x!.get(i) ** 2));
    },
    webgpu: ({ n }) => ({
      name: 'perElement',
      passes: [{ module: softCutShader, workgroups: [Math.ceil(n / 64), 1, 1] }],
    }),
  },
});

const softCutOp = defineOperation<number>({
  name: 'softCut',
  family: 'test',
  arguments: ['x'],
  infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
  forward([x], [y], level) {
    x!.device.launch(softCutKernel, [x!.storage], [y!.storage], { n: x!.size, level });
  },
  saves: { inputs: [0] },
  // d/dx x / (1 + a x^2) = (1 - a x^2) / (1 + a x^2)^2
  vjp({ gradients: [g], inputs: [x], attrs: level }) {
    const scaled = affine(square(x!), level, 0);
    return [mul(g!, affine(scaled, -1, 1).div(square(affine(scaled, 1, 1))))];
  },
});

/** x / (1 + level x^2) */
const softCut = (x: Tensor, level = 1): Tensor => softCutOp([x], level)[0]!;

/** A composite of both, without a signature. */
const cutCube = defineComposite('cutCube', (x: Tensor): Tensor => add(softCut(cube(x), 0.5), x));

const point = (): Tensor => tensor([0.5, -1.25, 2], undefined, { requiresGrad: true });

async function testDeclarations(t: Test, device: Device): Promise<void> {
  setDefaultDevice(device);

  await t.test('values', async (t) => {
    using _ = scope();
    t.same([...(await cube(point()).array())], [0.125, -1.953125, 8]);
    const expected = [0.5, -1.25, 2].map((x) => x / (1 + 2 * x * x));
    t.same([...(await softCut(point(), 2).array())], expected);
  });

  for (const [name, f] of Object.entries({ cube, softCut, cutCube } as Record<string, (x: Tensor) => Tensor>)) {
    await t.test(`${name}: first and second derivatives`, async (t) => {
      using _ = scope();
      t.same(await gradcheck((x) => f(x!), [point()]), []);
      t.same(await gradgradcheck((x) => f(x!), [point()]), []);
    });
  }

  await t.test('a wrong vjp is found', async (t) => {
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

  await t.test('the registry has them', (t) => {
    const entries = new Map(registry().map((entry) => [entry.name, entry]));
    t.match(entries.get('cube'), { differentiable: true, composite: false, family: 'custom' });
    t.match(entries.get('softCut'), { family: 'test' });
    t.match(entries.get('cutCube'), { composite: true });
    t.end();
  });

  await t.test('a name that is taken', (t) => {
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

  await t.test('inputs are checked under the names that were given', (t) => {
    using _ = scope();
    const gone = point();
    gone.dispose();
    t.throws(() => cube(gone), { name: 'UseAfterFreeError', details: { operation: 'cube', argument: 'x' } });
    t.throws(() => cube(tensor(Int32Array.of(1), [1])), { name: 'DTypeError', details: { argument: 'x' } });
    t.end();
  });

  await t.test('a device without a plan for the kernel', async (t) => {
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
}

async function testKernelOfOnesOwn(t: Test, device: Device): Promise<void> {
  const devices = [device, await createDevice('reference')] as const;
  using _ = scope();
  const results: number[][] = [];
  for (const device of devices) {
    const values = Float32Array.from({ length: 130 }, (_, i) => (i - 65) / 16);
    const x = tensor(values, [10, 13], { device, requiresGrad: true });
    const y = softCut(x, 0.75);
    const [dx] = grad(y.sum(), [x]);
    results.push([...(await y.array()), ...(await dx!.array())]);
  }
  const worst = Math.max(...results[0]!.map((value, i) => Math.abs(value - results[1]![i]!)));
  t.ok(worst < 1e-6, `values and gradients agree to ${worst}`);
}

const devices = testedOn('reference', 'webgpu');
if (devices.has('reference')) await testDeclarations(t, await createDevice('reference'));
if (devices.has('webgpu')) await withWebGpu(t, (device) => testKernelOfOnesOwn(t, device));
