import t from 'tap';
import { createDevice, DeviceError } from '../../engine/index.ts';
import { sameBits } from './recomputation.ts';

try {
  await sameBits(t, await createDevice('webgpu'));
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  t.pass('skipped', { skip: error.message });
}
