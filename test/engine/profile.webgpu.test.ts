import t from 'tap';
import { createDevice, DeviceError } from '../../engine/index.ts';
import { profileSuite } from './profile.ts';

try {
  await profileSuite(t, await createDevice('webgpu'));
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  t.pass('skipped', { skip: error.message });
}
