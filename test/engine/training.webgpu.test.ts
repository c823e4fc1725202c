import t from 'tap';
import { createDevice, DeviceError } from '../../engine/index.ts';
import { trainingSuite } from './training.ts';

try {
  await trainingSuite(t, await createDevice('webgpu'));
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  t.pass('skipped', { skip: error.message });
}
