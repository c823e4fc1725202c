// Two operations as a user of the package declares them, from its public face alone: one on a kernel that is there, one on
// a kernel of its own with plans for two devices.
import {
  add,
  affine,
  defineComposite,
  defineOperation,
  kernels,
  mul,
  square,
  type Tensor,
} from '../../engine/index.ts';

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
export const cube = (x: Tensor): Tensor => cubeOp([x])[0]!;

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
export const softCut = (x: Tensor, level = 1): Tensor => softCutOp([x], level)[0]!;

/** A composite of both, without a signature. */
export const cutCube = defineComposite('cutCube', (x: Tensor): Tensor => add(softCut(cube(x), 0.5), x));
