// SSIM on whatever adapter the Vulkan loader offers.
import t from 'tap';
import { createDevice, DeviceError } from '../../engine/index.ts';
import { ssimChecks } from './ssim.ts';

try {
  const device = await createDevice('webgpu');
  t.comment(device.description);
  await ssimChecks(t, device, 1e-4);
  device.dispose();
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  t.pass('no device', { skip: error.message });
}
