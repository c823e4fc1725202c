// Operations and their gradients against float64, one subtest per family of operations. On wasm with one thread and with two, which
// must not change a bit.
//
// The gate runs the same cases every time. To search for new ones:
//
//   npm test -- property --seed 7 --runs 1000
//
// A failure names the smallest parameters that still fail, the family's seed and the path to them.
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { createDevice, type Device } from '../../engine/index.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';
import { families } from './families/index.ts';
import { runsOr, seed } from './options.ts';
import { assertSameBits, assertWithin, type PropertyCase, Trial } from './property.ts';

/** Devices to compare: all with float64, and all with the first bit by bit. */
async function testProperties(t: Test, devices: readonly Device[], usualRuns: number): Promise<void> {
  const reference = createReferenceDevice();
  const runs = runsOr(usualRuns);
  const check = async (tested: PropertyCase, dataSeed: number): Promise<void> => {
    const trial = new Trial(tested, dataSeed);
    const bounds = await trial.bounds(reference);
    const expected = await trial.run(reference, bounds);
    const results = [];
    for (const device of devices) results.push(await trial.run(device, bounds));
    for (const result of results) assertWithin(tested.label, result, expected, bounds);
    for (const other of results.slice(1)) assertSameBits(tested.label, results[0]!, other);
  };
  for (const { name, cases, examples } of families) {
    await t.test(name, async (t) => {
      for (const [i, example] of examples.entries()) await check(example, i);
      const property = fc.asyncProperty(cases, fc.nat(1000), check);
      await fc.assert(property, { seed, numRuns: runs, includeErrorInReport: true });
      t.pass(`${examples.length} examples and ${runs} random cases`);
    });
  }
  for (const device of devices) {
    t.equal(device.statistics().liveBuffers, 0, `nothing is left on ${device.description}`);
  }
  reference.dispose();
}

const tested = testedOn('wasm', 'webgpu');
if (tested.has('wasm')) {
  const devices = [await createDevice('wasm', { threads: 1 }), await createDevice('wasm', { threads: 2 })];
  await testProperties(t, devices, 30);
  for (const device of devices) device.dispose();
}
if (tested.has('webgpu')) await withWebGpu(t, (device) => testProperties(t, [device], 10));
