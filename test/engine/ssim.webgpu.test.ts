// SSIM on whatever adapter the Vulkan loader offers.
import t from 'tap';
import { createWebGpuDevice } from '../../engine/devices/webgpu/device.ts';
import { DeviceError } from '../../engine/index.ts';
import { hasEightLanes } from '../../kernels/shared/webgpu-plan.ts';
import { ssimChecks } from './ssim.ts';

try {
  const device = await createWebGpuDevice();
  t.comment(device.description);
  // An adapter without eight lanes (SwiftShader) takes minutes for as many barriers.
  const slow = !hasEightLanes(device.planFacts) && 'too slow on an adapter without subgroups of eight';
  await ssimChecks(t, device, 1e-4, slow);
  device.dispose();
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  t.pass('no device', { skip: error.message });
}
