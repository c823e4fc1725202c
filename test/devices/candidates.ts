// What the tests of measured plans share: every plan of a kernel that a table may name, against `reference`.
import fc from 'fast-check';
import type { Test } from 'tap';
import { kernelWithPlan } from '../../bench/suites/tune.ts';
import type { Device } from '../../engine/devices/device.ts';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import * as kernels from '../../kernels/index.ts';
import { referencePlans } from '../../kernels/reference.ts';
import { checkAgreement } from '../kernels/compare.ts';
import { caseSources } from '../kernels/generators/index.ts';

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
export async function checkCandidates(
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
