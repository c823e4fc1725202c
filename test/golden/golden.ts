// The open fixtures on one device, twice, with what they leave behind; where the folder of shared fixtures is beside the checkout.
import type t from 'tap';
import { createDevice, type Device, type DeviceChoice, DeviceError } from '../../engine/index.ts';
import { openFolder } from '../../experiments/verification/golden/folder.ts';
import { runFixturesOn } from '../../experiments/verification/golden/run.ts';
import { sharedData } from '../shared-data.ts';

const folder = sharedData('golden/open');

export async function goldenSuite(test: typeof t, choice: DeviceChoice): Promise<void> {
  test.setTimeout(600_000);
  if (!folder) {
    test.pass('golden fixtures', { skip: 'the fixtures are not beside this checkout' });
    return;
  }
  let device: Device;
  try {
    device = await createDevice(choice);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    test.pass('golden fixtures', { skip: error.message });
    return;
  }
  const fixtures = await openFolder(folder);
  await runFixturesOn(device, fixtures, {
    report: (id, failure) => test.notOk(failure, `${id} on ${choice}`),
  });
  const { liveBuffers, liveBytes, pooledBytes } = device.statistics();
  test.same({ liveBuffers, liveBytes }, { liveBuffers: 0, liveBytes: 0 }, 'the set leaves no tensor behind');
  const { failures } = await runFixturesOn(device, fixtures);
  test.same(failures, [], 'again, in used memory');
  test.equal(device.statistics().pooledBytes, pooledBytes, 'the pool is as it was before the second time');
  device.dispose();
}
