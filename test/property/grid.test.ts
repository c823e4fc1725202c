// Grids past 65,535 workgroups, against the wasm device: one of each way to go through them, since every plan of every kernel is folded at
// a smaller limit in test/devices/folded.test.ts. Every kernel at the true limit, which takes minutes:
//
//   npm test -- property/grid --runs 1
import t from 'tap';
import { createDevice, type Device } from '../../engine/index.ts';
import type { WebGpuFacts, WebGpuPlan } from '../../kernels/plan.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { hasEightLanes } from '../../kernels/shared/webgpu-plan.ts';
import { assertClose } from '../kernels/compare.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';
import { type GridCase, gridCases, longCases, usualCases } from './grid.ts';
import { isSearch } from './options.ts';

testedOn('webgpu');

const LIMIT = 65_535;

const planOf = ({ kernel, params }: GridCase, facts: WebGpuFacts, prefer?: string): WebGpuPlan =>
  webGpuPlans.get({ name: kernel })(params as never, facts, prefer);

/** Workgroups of the longest pass, in all dimensions. */
const workgroupsOf = ({ passes }: WebGpuPlan): number =>
  Math.max(...passes.map(({ workgroups: [x, y, z] }) => x * y * z));

async function compare({ tested, plan }: GridCase, device: Device, wasm: Device, prefer: (name?: string) => void) {
  const expected = await tested.run(wasm);
  prefer(plan);
  try {
    assertClose(tested, await tested.run(device), expected);
  } finally {
    prefer();
    device.trim();
    wasm.trim();
  }
}

await withWebGpu(t, async (device, prefer) => {
  const wasm = await createDevice('wasm');
  const folded = new Set<string>();
  const skipped = new Set<string>();
  for (const make of isSearch ? gridCases : usualCases) {
    const item = make();
    const facts = device.planFacts;
    // An adapter without eight lanes (SwiftShader) takes minutes with the plans for others.
    const chosen = planOf(item, facts).name === (item.plan ?? planOf(item, facts).name);
    const skip = !hasEightLanes(facts) && (!chosen || item.needsLanes) && 'not a plan for subgroups shorter than eight';
    if (skip) skipped.add(item.kernel);
    await t.test(`${item.kernel} ${item.plan ?? ''} ${JSON.stringify(item.params)}`, { skip }, async (t) => {
      const groups = workgroupsOf(planOf(item, facts, item.plan));
      t.ok(groups > LIMIT, `${groups} workgroups`);
      folded.add(item.kernel);
      await compare(item, device, wasm, prefer);
    });
  }
  const met = new Set([...folded, ...skipped]);
  if (isSearch) {
    t.same(
      [...met].sort(),
      webGpuPlans.names().sort(),
      'every kernel has been past the limit, or is said to be skipped',
    );
  }
  for (const make of longCases) {
    const item = make();
    await t.test(`a long line: ${item.kernel}`, () => compare(item, device, wasm, prefer));
  }
  wasm.dispose();
});
