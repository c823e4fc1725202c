import t from 'tap';
import { checkpoint, createDevice, DeviceError } from '../../engine/index.ts';
import { direct } from './recomputation.ts';
import { sameBitsOfPrograms } from './recomputation-programs.ts';
import { backwardLeavesNothing } from './failures.ts';
import { allowsChanges, allowsChangesOfEither, neverNewValues, refusesChanges } from './in-place.ts';

try {
  const device = await createDevice('webgpu');
  await refusesChanges(t, device);
  await allowsChanges(t, device);
  await allowsChangesOfEither(t, device);
  await neverNewValues(t, device, 1, 30, direct);
  await neverNewValues(t, device, 1001, 20, checkpoint);
  await sameBitsOfPrograms(t, device, 1, 15);
  await backwardLeavesNothing(t, device, 1, 1, direct);
  device.dispose();
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  t.pass('skipped', { skip: error.message });
}
