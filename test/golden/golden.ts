// The open fixtures on one device, where the folder of shared fixtures is beside the checkout.
import type t from 'tap';
import { type DeviceChoice, DeviceError } from '../../engine/index.ts';
import { runGolden } from '../../experiments/golden/folder.ts';
import { sharedData } from '../shared-data.ts';

const folder = sharedData('golden/open');

export async function goldenSuite(test: typeof t, device: DeviceChoice): Promise<void> {
  test.setTimeout(600_000);
  if (!folder) {
    test.pass('golden fixtures', { skip: 'the fixtures are not beside this checkout' });
    return;
  }
  try {
    await runGolden(folder, { device, report: (id, failure) => test.notOk(failure, `${id} on ${device}`) });
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    test.pass('golden fixtures', { skip: error.message });
  }
}
