// What the agreement tests of all devices share: every kernel against `reference`, on examples, on random cases, and on
// special values.
import fc from 'fast-check';
import type { Test } from 'tap';
import type { Device } from '../../engine/devices/device.ts';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { checkAgreement } from './compare.ts';
import { caseSources } from './generators/index.ts';
import { specialCases } from './special.ts';

const SEED = 20;

/** One subtest per kernel. `runs` random cases each; a failing one is shrunk to the smallest parameters that still fail. */
export async function testAgreement(t: Test, device: Device, runs: number): Promise<void> {
  const reference = createReferenceDevice();
  for (const { kernel, cases, examples } of caseSources) {
    await t.test(kernel, async (t) => {
      for (const example of examples) await checkAgreement(example, device, reference);
      const agreement = fc.asyncProperty(cases, (tested) => checkAgreement(tested, device, reference));
      await fc.assert(agreement, {
        seed: SEED,
        numRuns: runs,
        interruptAfterTimeLimit: 20_000,
        includeErrorInReport: true,
      });
      t.pass(`${examples.length} examples and ${runs} random cases`);
    });
  }
  await t.test('NaN, infinities and signed zeros', async (t) => {
    for (const special of specialCases) {
      const failure = await checkAgreement(special, device, reference).then(
        () => undefined,
        (error: Error) => error.message,
      );
      t.equal(failure, undefined, special.label);
    }
  });
  t.equal(device.statistics().liveBuffers, 0, 'nothing is left on the device');
  reference.dispose();
}
