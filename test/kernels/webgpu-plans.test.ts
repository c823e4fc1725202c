// WebGPU plans as data, without a device: grids within the limits, and choices that depend on shapes and facts alone.
import fc from 'fast-check';
import t from 'tap';
import type * as kernels from '../../kernels/index.ts';
import type { WebGpuFacts, WebGpuPlan } from '../../kernels/plan.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { foldGrid, grid1d } from '../../kernels/shared/webgpu-grid.ts';
import { caseSources } from './generators/index.ts';
import { convolution } from './convolutions.ts';
import { hardware } from './webgpu-facts.ts';

const software: WebGpuFacts = {
  ...hardware,
  subgroupMinSize: 8,
  vendor: 'mesa',
  architecture: 'software',
  software: true,
};
const bare: WebGpuFacts = { ...software, subgroups: false, subgroupMinSize: 0 };

const planOf = (name: string, params: object, facts: WebGpuFacts, prefer?: string): WebGpuPlan =>
  webGpuPlans.get({ name })(params as never, facts, prefer);

t.test('the choice of convolution plans', (t) => {
  const choices = (params: kernels.Conv2dParams) =>
    [hardware, software, bare].map((facts) =>
      ['conv2d', 'conv2dInputGradient', 'conv2dWeightGradient'].map((name) => planOf(name, params, facts).name),
    );
  t.same(choices(convolution()), [
    ['implicitGemm64', 'implicitGemm64', 'tiled64SplitK'],
    ['rows3x3', 'rows3x3', 'rows3x3SplitK'],
    ['direct', 'direct', 'directSplitK'],
  ]);
  t.same(choices(convolution({ strideH: 2, strideW: 2 }))[1], ['lanes', 'lanes', 'lanesSplitK']);
  t.same(choices(convolution({ groups: 64 })), [
    ['direct', 'direct', 'directSplitK'],
    ['direct', 'direct', 'directSplitK'],
    ['direct', 'direct', 'directSplitK'],
  ]);
  t.equal(planOf('conv2d', convolution(), hardware, 'lanes').name, 'lanes', 'a preferred plan is taken');
  t.equal(planOf('conv2d', convolution(), bare, 'lanes').name, 'direct', 'unless it does not fit');
  t.end();
});

t.test('a split sum keeps its partial sums within bounds', (t) => {
  for (const params of [
    convolution(),
    convolution({ batch: 1, inH: 1 }),
    convolution({ inChannels: 2048, outChannels: 2048 }),
  ]) {
    for (const facts of [hardware, software, bare]) {
      const plan = planOf('conv2dWeightGradient', params, facts);
      const bytes = plan.scratch?.partials ?? 0;
      t.ok(bytes <= Math.min(2 ** 26, facts.maxStorageBufferBindingSize), `${plan.name}: ${bytes} bytes`);
      t.equal(plan.passes.length, bytes > 0 ? 2 : 1);
    }
  }
  t.end();
});

t.test('the gradient of SSIM keeps its factors within a binding', (t) => {
  const side = { inH: 480, inW: 640, outH: 470, outW: 630, windowH: 11, windowW: 11, padH: 0, padW: 0 };
  const facts = { ...software, maxStorageBufferBindingSize: 2 ** 25 };
  const plan = planOf('ssimBackward', { planes: 12, ...side, c1: 1e-4, c2: 9e-4 }, facts);
  t.ok((plan.scratch?.factors ?? Infinity) <= 2 ** 25);
  const parts = plan.passes.map(({ constants }) => [constants?.planeBegin, constants?.planeCount]);
  t.same(
    parts.filter((_, i) => i % 2 === 0),
    [
      [0, 7],
      [7, 5],
    ],
  );
  t.same(
    parts.filter((_, i) => i % 2 === 0),
    parts.filter((_, i) => i % 2 === 1),
  );
  t.end();
});

t.test('long grids are folded', (t) => {
  const facts = { maxComputeWorkgroupsPerDimension: 10 };
  t.same(grid1d(0, 64, facts), [0, 1, 1]);
  t.same(grid1d(640, 64, facts), [10, 1, 1]);
  for (let groups = 11; groups <= 100; groups++) {
    const [x, y] = foldGrid(groups, facts);
    t.ok(x <= 10 && y <= 10 && x * y >= groups, `${groups} groups as ${x} x ${y}`);
  }
  t.throws(() => foldGrid(101, facts), RangeError);
  t.end();
});

t.test('no plan starts more workgroups along a dimension than the adapter takes', (t) => {
  for (const { kernel, params } of caseSources) {
    const planNames = [undefined, ...webGpuPlans.variants({ name: kernel })];
    const withinLimit = fc.property(
      params,
      fc.constantFrom(hardware, software, bare),
      fc.constantFrom(...planNames),
      fc.constantFrom(2, 3, 5, 11),
      (values, facts, prefer, limit) => {
        let plan: WebGpuPlan;
        try {
          plan = planOf(kernel, values, { ...facts, maxComputeWorkgroupsPerDimension: limit }, prefer);
        } catch (error) {
          // More than fit both dimensions that a grid is folded over.
          if (error instanceof RangeError) return true;
          throw error;
        }
        return plan.passes.every(({ workgroups }) => Math.max(...workgroups) <= limit);
      },
    );
    fc.assert(withinLimit, { seed: 24, numRuns: 500 });
    t.pass(kernel);
  }
  t.end();
});
