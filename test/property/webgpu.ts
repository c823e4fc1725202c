// Runs a test on a WebGPU device, software adapters included, or skips it where there is none.
import type { Test } from 'tap';
import { createWebGpuDevice, type WebGpuDevice } from '../../engine/devices/webgpu/device.ts';
import { DeviceError } from '../../engine/errors.ts';

async function openDevice(preferPlan: () => string | undefined): Promise<WebGpuDevice | DeviceError> {
  try {
    return await createWebGpuDevice({ software: true, preferPlan });
  } catch (error) {
    if (error instanceof DeviceError) return error;
    throw error;
  }
}

/** `prefer` names the plan that launches take from then on; without a name, the choice is free again. */
export async function withWebGpu(
  t: Test,
  run: (device: WebGpuDevice, prefer: (plan?: string) => void) => Promise<void>,
): Promise<void> {
  let preferred: string | undefined;
  const device = await openDevice(() => preferred);
  if (device instanceof DeviceError) {
    t.pass('no device', { skip: device.message });
    return;
  }
  t.comment(device.description);
  await run(device, (plan) => (preferred = plan));
  await device.synchronize();
  device.dispose();
}
