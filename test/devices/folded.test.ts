// Every kernel, in every plan, with its grid folded at a few workgroups instead of 65,535: the planner is told a smaller
// limit, so that small random cases go through what only millions of elements would reach. The true limit is met in
// test/property/grid.test.ts.
import fc from 'fast-check';
import t from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import type { WebGpuFacts, WebGpuPlan } from '../../kernels/plan.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { hasEightLanes } from '../../kernels/shared/webgpu-plan.ts';
import { checkAgreement } from '../kernels/compare.ts';
import type { KernelCase } from '../kernels/cases.ts';
import { caseSources } from '../kernels/generators/index.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';

/** Kernels with more than one plan: those plans. */
const plansOf = (kernel: string): readonly (string | undefined)[] => {
  const variants = webGpuPlans.variants({ name: kernel });
  return variants.length > 1 ? variants : [undefined];
};

const planOf = ({ kernel, params }: KernelCase, facts: WebGpuFacts, prefer?: string): WebGpuPlan =>
  webGpuPlans.get({ name: kernel })(params as never, facts, prefer);

/** The least limit under which the grids of a case fit two dimensions, and at which one of them is folded. */
function foldingLimit(tested: KernelCase, facts: WebGpuFacts, prefer?: string): number | undefined {
  for (const limit of [2, 3, 4, 6, 10, 20, 50, 200]) {
    try {
      const { passes } = planOf(tested, { ...facts, maxComputeWorkgroupsPerDimension: limit }, prefer);
      const isFolded = passes.some(({ workgroups: [x, y] }) => y > 1 && x * y > limit);
      return isFolded ? limit : undefined;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return undefined;
}

/** Cases per plan. */
const MOST = 3;

t.setTimeout(540_000);

testedOn('webgpu');
await withWebGpu(t, async (device, prefer) => {
  const reference = createReferenceDevice();
  const facts = { ...device.planFacts };
  const lanes = hasEightLanes(facts);
  for (const { kernel, cases, examples } of caseSources) {
    const sampled = [...examples, ...fc.sample(cases, { seed: 25, numRuns: 2000 })];
    for (const plan of plansOf(kernel)) {
      // An adapter without eight lanes (SwiftShader) is very slow with the barriers of the tiled plans.
      const skip = !lanes && /lanes|rows|tile/i.test(plan ?? '') && 'not for subgroups shorter than eight';
      await t.test(`${kernel} ${plan ?? ''}`, { skip }, async (t) => {
        prefer(plan);
        let folded = 0;
        for (const tested of sampled) {
          const limit = foldingLimit(tested, facts, plan);
          if (limit === undefined) continue;
          // The device hands these facts to the planners.
          Object.assign(device.planFacts, { maxComputeWorkgroupsPerDimension: limit });
          await checkAgreement(tested, device, reference);
          if (++folded === MOST) break;
        }
        t.ok(folded > 0, `${folded} folded cases`);
      });
    }
  }
  reference.dispose();
});
