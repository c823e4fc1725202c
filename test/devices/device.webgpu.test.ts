import t from 'tap';
import { createDevice, DeviceError } from '../../engine/index.ts';
import { deviceSuite } from './suite.ts';

try {
  await deviceSuite(t, 'webgpu', await createDevice('webgpu'));
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  t.pass('skipped', { skip: error.message });
}
