// Every plan that a measured table may name gives what `reference` gives, and a device with a table takes its plans. WebGPU's of the
// convolutions and the matrix product are in plans.test.ts, with more cases.
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { kernelWithPlan } from '../../bench/suites/tune.ts';
import type { Device } from '../../engine/devices/device.ts';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import { createDevice } from '../../engine/index.ts';
import * as kernels from '../../kernels/index.ts';
import { referencePlans } from '../../kernels/reference.ts';
import { hasEightLanes } from '../../kernels/shared/webgpu-plan.ts';
import { shapeClass, tuningFacts } from '../../kernels/tuning.ts';
import { wasmPlans } from '../../kernels/wasm.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { checkAgreement } from '../kernels/compare.ts';
import { caseSources } from '../kernels/generators/index.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';

t.setTimeout(540_000);

const described = new Map(
  Object.values(kernels)
    .filter((value): value is kernels.Kernel<never> => typeof value === 'object' && 'fields' in value)
    .map((kernel) => [kernel.name, kernel]),
);

/** Draws among which a plan must turn up now and then: what the shape alone decides cannot be drawn for long. */
const DRAWS = 200;
const LEAST = 5;
const MOST_EXAMPLES = 4;

/** `planOf` is the planner of the device: the name of what it takes if `prefer` is asked for. */
async function checkCandidates(
  t: Test,
  device: Device,
  name: string,
  variants: readonly string[],
  planOf: (params: object, prefer: string) => string,
  runs: number,
): Promise<void> {
  const source = caseSources.find(({ kernel }) => kernel === name)!;
  for (const variant of variants) {
    await t.test(`${name}.${variant}`, async (t) => {
      const reference = createReferenceDevice();
      const own = kernelWithPlan(described.get(name)!, variant);
      const plans = { ...own.plans, reference: referencePlans.get({ name }) };
      const takes = (params: object): boolean => planOf(params, variant) === variant;
      const { cases, examples } = source.on({ ...own, plans } as unknown as kernels.Kernel, takes, 1);
      for (const example of examples.slice(0, MOST_EXAMPLES)) await checkAgreement(example, device, reference);
      const drawn = fc.sample(source.params, { seed: 27, numRuns: DRAWS }).filter(takes).length;
      const agreement = fc.asyncProperty(cases, (tested) => checkAgreement(tested, device, reference));
      if (drawn >= LEAST) await fc.assert(agreement, { seed: 26, numRuns: runs, includeErrorInReport: true });
      t.ok(examples.length > 0 || drawn >= LEAST, `${examples.length} examples; ${drawn} of ${DRAWS} draws take it`);
      reference.dispose();
    });
  }
}

const params: kernels.Conv2dParams = {
  ...{ batch: 1, inChannels: 3, inH: 12, inW: 12, outChannels: 4, outH: 12, outW: 12, kernelH: 3, kernelW: 3 },
  ...{ strideH: 1, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 1, groups: 1, bias: 0 },
};

async function testTable(t: Test, facts: { threads: number; relaxedSimd: boolean }): Promise<void> {
  const entry = { kernel: 'conv2d', shapes: shapeClass(kernels.conv2d, params), plan: 'packedColumns' };
  const table = { device: 'wasm' as const, facts: tuningFacts('wasm', facts), entries: [entry] };
  const results = [];
  for (const [tables, plan, fact] of [
    [[table], 'packedColumns', 'sum of the file'],
    [
      [{ ...table, facts: { ...table.facts, threads: 3 } }],
      'shiftedRows',
      'no table of sum of the file is for this device',
    ],
  ] as const) {
    const tuned = await createDevice('wasm', { threads: 2, tuning: { checksum: 'sum of the file', tables } });
    t.equal(tuned.facts.tuning, fact);
    const taken: string[] = [];
    tuned.observer = { before: (_kernel, _params, name) => taken.push(name) };
    const storages = [432, 108, 576].map((length) => tuned.allocate(length, 'float32'));
    const [x, w, y] = storages;
    for (const [i, storage] of [x!, w!].entries()) {
      tuned.write(
        storage,
        Float32Array.from({ length: storage.length }, (_, j) => Math.sin(j + i)),
      );
    }
    tuned.launch(kernels.conv2d, [x!, w!], [y!], params);
    tuned.launch(kernels.conv2d, [x!, w!], [y!], params);
    t.same(taken, [plan, plan]);
    results.push(await tuned.read(y!));
    tuned.dispose();
  }
  const [one, other] = results as [Float32Array, Float32Array];
  t.ok(
    one.every((value, i) => Math.abs(value - other[i]!) < 1e-5),
    'the same within rounding',
  );
  const plain = await createDevice('wasm', { threads: 2 });
  t.notOk('tuning' in plain.facts, 'without a table nothing is said');
  plain.dispose();
}

const products = ['matmul', 'conv2d', 'conv2dInputGradient', 'conv2dWeightGradient'];
const devices = testedOn('wasm', 'webgpu');

if (devices.has('wasm')) {
  const device = await createWasmDevice({ threads: 2 });
  const facts = { threads: 2, relaxedSimd: device.facts.relaxedSimd === true };
  for (const name of products) {
    const planOf = (params: object, prefer: string) => wasmPlans.get({ name })(params as never, facts, prefer).name;
    await checkCandidates(t, device, name, wasmPlans.variants({ name }), planOf, 150);
  }
  device.dispose();
  await t.test('a device with a table', (t) => testTable(t, facts));
}

if (devices.has('webgpu')) {
  await withWebGpu(t, async (device) => {
    const runs = hasEightLanes(device.planFacts) ? 5 : 2;
    for (const name of webGpuPlans.names().filter((each) => !products.includes(each))) {
      const planOf = (params: object, prefer: string) =>
        webGpuPlans.get({ name })(params as never, device.planFacts, prefer).name;
      const variants = webGpuPlans.variants({ name });
      if (variants.length > 1) await checkCandidates(t, device, name, variants, planOf, runs);
    }
  });
}
