// The checks of one device as tests.
import type t from 'tap';
import { createDevice, type Device, type DeviceChoice } from '../../engine/index.ts';
import { cases } from '../gradcheck/cases.ts';
import { disagreement, memoryOverSteps, scriptEnds, trainUNet } from './checks.ts';

export async function deviceSuite(test: typeof t, name: DeviceChoice, device: Device): Promise<void> {
  const oracle = await createDevice('reference');

  await test.test('gradients agree with float64', async (t) => {
    for (const [i, item] of cases.entries()) {
      const excess = await disagreement(item, i, device, oracle);
      t.ok(excess < 1, `${item.operations.join(', ')} (case ${i}): ${excess.toFixed(3)} of the tolerance`);
    }
  });

  await test.test('live tensors and bytes are flat over 2,000 steps', async (t) => {
    const { early, late } = await memoryOverSteps(device, 2000);
    t.same(late, early);
  });

  await test.test('the same seed gives the same bits', async (t) => {
    const first = await trainUNet(device);
    t.ok(first.every(Number.isFinite));
    t.same(Buffer.compare(Buffer.from(first.buffer), Buffer.from((await trainUNet(device)).buffer)), 0);
  });

  await test.test('a script that trains and returns ends by itself', async (t) => {
    t.equal(await scriptEnds(name), 'trained');
  });
}
