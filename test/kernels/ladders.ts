// What the tests of ladders share: each rung as cases of its kernel, and their check against `reference`.
import fc from 'fast-check';
import type { Test } from 'tap';
import type { Device } from '../../engine/devices/device.ts';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import type { Kernel, ParamValues } from '../../kernels/kernel.ts';
import { kernelOfRung, type Ladder, type WasmRung, type WebGpuRung } from '../../kernels/ladder.ts';
import { checkAgreement } from './compare.ts';
import { caseSources } from './generators/index.ts';

/** Elements of the longest operand that a software adapter takes in a second or so. */
const MOST_ELEMENTS = 110_000;

/** Ancestors add up in one chain, whose rounding errors grow faster than those of blocks. */
const SLACK = 3;

/** Every example and some random cases of the ladder's kernel that a rung takes. */
export async function checkRung(
  t: Test,
  ladder: Ladder<never>,
  rung: WebGpuRung<never> | WasmRung<never>,
  takes: (params: ParamValues) => boolean,
  device: Device,
  runs: number,
): Promise<void> {
  await t.test(`${ladder.name}: ${rung.name}`, async (t) => {
    const reference = createReferenceDevice();
    const source = caseSources.find(({ kernel }) => kernel === ladder.kernel.name);
    if (!source) throw new Error(`${ladder.kernel.name} has no generator`);
    const kernel = kernelOfRung(ladder, rung) as unknown as Kernel;
    const isSmall = (params: ParamValues): boolean =>
      [...kernel.inputs(params), ...kernel.outputs(params)].every(
        ({ shape }) => shape.reduce((a, b) => a * b, 1) <= MOST_ELEMENTS,
      );
    const { examples, cases } = source.on(kernel, (params) => isSmall(params) && takes(params), SLACK);
    for (const example of examples) await checkAgreement(example, device, reference);
    const agreement = fc.asyncProperty(cases, (tested) => checkAgreement(tested, device, reference));
    await fc.assert(agreement, { seed: 25, numRuns: runs, includeErrorInReport: true });
    t.ok(examples.length > 0, `${examples.length} examples and ${runs} random cases`);
    reference.dispose();
  });
}
