// The WGSL kernels against `reference`, on whatever adapter the Vulkan loader offers; software ones are good enough here.
import t from 'tap';
import type { Device } from '../../engine/devices/device.ts';
import { createWebGpuDevice } from '../../engine/devices/webgpu/device.ts';
import { DeviceError } from '../../engine/errors.ts';
import { testAdjoints } from './adjoint.ts';
import { testAgreement } from './agreement.ts';

/** Products of sums of float32 numbers, relative to the lengths of the vectors. */
const ADJOINT_TOLERANCE = 1e-5;

async function openDevice(): Promise<Device | DeviceError> {
  try {
    return await createWebGpuDevice({ software: true });
  } catch (error) {
    if (error instanceof DeviceError) return error;
    throw error;
  }
}

const device = await openDevice();
if (device instanceof DeviceError) {
  t.pass('no device', { skip: device.message });
} else {
  t.comment(device.description);
  await testAgreement(t, device, 25);
  await testAdjoints(t, device, 10, ADJOINT_TOLERANCE);
  await device.synchronize();
  device.dispose();
}
