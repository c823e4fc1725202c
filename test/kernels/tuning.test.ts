// Measured tables of plans without a device: classes of shapes, which table holds for a device, and that the planners take what
// a table says where it fits and their own choice elsewhere.
import t from 'tap';
import { conv2d, type Conv2dParams, matmul, type MatmulParams, unary } from '../../kernels/index.ts';
import type { WebGpuFacts } from '../../kernels/plan.ts';
import { shapeClass, TunedPlans, tunedPlansFor, tuningFact, tuningFacts } from '../../kernels/tuning.ts';
import { wasmPlans } from '../../kernels/wasm.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { convolution } from './convolutions.ts';
import { hardware } from './webgpu-facts.ts';

const product = (m: number, n: number, k: number, change: Partial<MatmulParams> = {}): MatmulParams => ({
  ...{ batch: 1, m, n, k, transposeA: 0, transposeB: 0, batchedA: 1, batchedB: 1, bias: 0 },
  ...change,
});

const conv = (side: number, channels: number): Conv2dParams =>
  convolution({ batch: 1, inChannels: channels, outChannels: channels, inH: side, inW: side });

t.test('classes of shapes', async (t) => {
  t.equal(shapeClass(matmul, product(100, 120, 90)), '1 128 128 64 0 0 1 1 0');
  t.equal(shapeClass(matmul, product(100, 120, 90)), shapeClass(matmul, product(128, 91, 64)), 'sizes near each other');
  t.not(shapeClass(matmul, product(3, 64, 64)), shapeClass(matmul, product(4, 64, 64)), 'few rows are told apart');
  t.not(shapeClass(matmul, product(64, 64, 64, { transposeB: 1 })), shapeClass(matmul, product(64, 64, 64)));
  t.not(shapeClass(conv2d, conv(32, 16)), shapeClass(conv2d, { ...conv(32, 16), kernelH: 1, kernelW: 1 }));
  t.equal(shapeClass(unary, { n: 1000, op: 3, a: 0.5, b: 2 }), '1024 3', 'floats decide nothing');
});

const table = (facts: Record<string, string | number | boolean>) => ({
  device: 'wasm' as const,
  facts,
  entries: [
    { kernel: 'matmul', shapes: shapeClass(matmul, product(64, 64, 64, { transposeB: 1 })), plan: 'innerProducts' },
  ],
});

t.test('a table holds for the device it was measured on', async (t) => {
  const facts = { threads: 2, relaxedSimd: true, shared: true };
  const tuning = {
    checksum: 'abc',
    tables: [table({ threads: 1, relaxedSimd: true }), table(tuningFacts('wasm', facts))],
  };
  const plans = tunedPlansFor(tuning, 'wasm', facts);
  t.equal(plans?.preferred(matmul, product(60, 70, 64, { transposeB: 1 })), 'innerProducts');
  t.equal(plans?.preferred(matmul, product(60, 700, 64, { transposeB: 1 })), undefined, 'another class');
  t.equal(plans?.preferred(conv2d, conv(8, 8)), undefined, 'another kernel');
  t.equal(tuningFact(tuning, plans), 'abc');
  for (const other of [
    { ...facts, threads: 4 },
    { ...facts, relaxedSimd: false },
  ]) {
    t.equal(tunedPlansFor(tuning, 'wasm', other), undefined);
  }
  t.equal(tunedPlansFor(tuning, 'webgpu', facts), undefined);
  t.match(tuningFact(tuning, undefined), /^no table of abc/);
});

t.test('planners take the plan of a table where it fits', async (t) => {
  const wasm = { threads: 2, relaxedSimd: true };
  const planned = (kernel: typeof matmul | typeof conv2d, params: object, prefer?: string) =>
    wasmPlans.get(kernel as typeof matmul)(params as never, wasm, prefer).name;
  const transposed = product(64, 64, 64, { transposeB: 1 });
  t.equal(planned(matmul, transposed), 'packedTiles');
  t.equal(planned(matmul, transposed, 'innerProducts'), 'innerProducts');
  t.equal(planned(matmul, product(64, 64, 64), 'innerProducts'), 'packedTiles', 'its operands do not lie side by side');
  t.equal(planned(matmul, product(64, 64, 64), 'directTiles'), 'directTiles');
  t.equal(planned(conv2d, conv(16, 8)), 'winograd');
  t.equal(planned(conv2d, conv(16, 8), 'shiftedRows'), 'shiftedRows');
  t.equal(planned(conv2d, conv(16, 8), 'packedColumns'), 'packedColumns');
  t.equal(planned(conv2d, conv(200, 8), 'packedColumns'), 'shiftedRows', 'too wide to be packed');
  t.equal(planned(conv2d, conv(16, 8), 'no such plan'), 'shiftedRows');

  const tuned = new TunedPlans([{ kernel: 'conv2d', shapes: shapeClass(conv2d, conv(64, 64)), plan: 'lanes' }]);
  const onGpu = (params: Conv2dParams, facts: WebGpuFacts) =>
    webGpuPlans.get(conv2d)(params as never, facts, tuned.preferred(conv2d, params)).name;
  t.equal(onGpu(conv(60, 70), hardware), 'lanes');
  t.equal(onGpu(conv(60, 20), hardware), 'fewChannels', 'nothing was measured for these');
  t.equal(onGpu(conv(60, 70), { ...hardware, subgroups: false, subgroupMinSize: 0 }), 'tiles64');
});
