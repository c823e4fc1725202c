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
    ['tiles64', 'tiles64', 'tiles64SplitK'],
    ['rows3x3', 'rows3x3', 'rows3x3SplitK'],
    ['direct', 'direct', 'directSplitK'],
  ]);
  t.same(choices(convolution({ strideH: 2, strideW: 2 }))[1], ['lanes', 'lanes', 'lanesSplitK']);
  t.same(choices(convolution({ groups: 64 })), [
    ['fewChannels', 'fewChannels', 'fewSplitK'],
    ['direct', 'direct', 'directSplitK'],
    ['direct', 'direct', 'directSplitK'],
  ]);
  const onHardware = (change: Partial<kernels.Conv2dParams>) => choices(convolution(change))[0];
  t.same(onHardware({ inChannels: 256, outChannels: 256 }), ['tiles128', 'tiles128', 'tiles128SplitK']);
  const side = { inH: 7, inW: 7 };
  t.same(onHardware({ inChannels: 256, outChannels: 256, ...side }), ['tiles64', 'tiles64', 'tiles64SplitK'], 'small');
  t.same(onHardware({ outChannels: 1 }), ['fewChannels', 'tiles64', 'fewSplitK'], 'a head');
  const stem = { inChannels: 3, kernelH: 7, kernelW: 7, padH: 3, padW: 3, strideH: 2, strideW: 2 };
  t.same(onHardware(stem), ['tiles64', 'fewChannels', 'tiles64SplitK'], 'a stem');
  t.same(onHardware({ kernelH: 17, kernelW: 1 }), ['direct', 'direct', 'tiles64SplitK'], 'more taps than bits');
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

const product = (m: number, n: number, k: number): kernels.MatmulParams => ({
  ...{ batch: 1, m, n, k, transposeA: 0, transposeB: 0, batchedA: 0, batchedB: 0, bias: 0 },
});

t.test('the choice of matrix product plans', (t) => {
  const choice = (m: number, n: number, k: number, facts = hardware) => planOf('matmul', product(m, n, k), facts).name;
  t.equal(choice(4096, 4096, 4096), 'tiles128');
  t.equal(choice(1024, 1024, 1024), 'tiles64', 'large tiles would leave most of a GPU without work');
  t.equal(choice(64, 64, 2 ** 20), 'tiles64', 'a long inner dimension');
  t.equal(choice(4, 1, 1024), 'dot');
  t.equal(choice(4, 4, 4), 'direct');
  t.same([choice(1024, 1024, 1024, software), choice(1024, 1024, 1024, bare)], ['lanes', 'direct']);
  t.end();
});

/** What every WebGPU adapter has, at least. */
const least: WebGpuFacts = {
  ...hardware,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxStorageBufferBindingSize: 2 ** 27,
};

t.test('plans by tiles fit the least limits, and smaller ones are refused', (t) => {
  const tight = { ...least, maxComputeInvocationsPerWorkgroup: 128, maxComputeWorkgroupStorageSize: 8192 };
  const none = { ...least, maxComputeInvocationsPerWorkgroup: 32 };
  const large = convolution({ inChannels: 256, outChannels: 256 });
  for (const [kernel, params, plans] of [
    ['matmul', product(4096, 4096, 64), ['tiles128', 'tiles64', 'direct']],
    ['conv2d', large, ['tiles128', 'tiles64', 'direct']],
    ['conv2dInputGradient', large, ['tiles128', 'tiles64', 'direct']],
    ['conv2dWeightGradient', large, ['tiles128SplitK', 'tiles64SplitK', 'directSplitK']],
  ] as const) {
    t.same(
      [least, tight, none].map((facts) => planOf(kernel, params, facts).name),
      plans,
      kernel,
    );
  }
  t.end();
});

t.test('long sums are split, so that none of them joins too many parts', (t) => {
  const terms = ({ passes }: WebGpuPlan, all: number, depth = 1) => all / (passes[0]!.workgroups[2] / depth);
  for (const k of [2 ** 14, 2 ** 17 + 1, 2 ** 20, 2 ** 24]) {
    const plan = planOf('matmul', product(64, 64, k), least);
    t.equal(plan.name, 'tiles64');
    t.ok(terms(plan, k) <= 2 ** 14, `${k} terms`);
  }
  const images = convolution({ batch: 65537, inChannels: 16, outChannels: 16, inH: 8, inW: 8 });
  const gradient = planOf('conv2dWeightGradient', images, least);
  t.ok(terms(gradient, 65537 * 64) <= 2 ** 14, gradient.name);
  t.equal(planOf('matmul', product(4096, 4096, 2 ** 17), least).name, 'direct', 'no room for that many parts');
  for (const [kernel, params] of [
    ['matmul', product(65, 1000, 5000)],
    ['conv2d', convolution({ batch: 1, inH: 7, inW: 7, inChannels: 512 })],
    ['conv2dInputGradient', convolution({ batch: 1, inH: 9, inW: 9, strideH: 2, strideW: 2, outChannels: 512 })],
  ] as const) {
    const { name, passes, scratch } = planOf(kernel, params, least);
    t.equal(passes.length, 2, `${kernel} ${name}: too few tiles for a GPU`);
    t.ok(scratch!.partials! <= 2 ** 26);
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
