// Choosing a device by name. `auto` takes a hardware WebGPU adapter if there is one, else wasm; a software adapter only
// when `webgpu` is asked for by name, since SIMD on the same processor is many times faster. Devices load when chosen.
import { ConfigError, DeviceError } from '../errors.ts';
import type { Device, DeviceName } from './device.ts';
import type { WasmDeviceOptions } from './wasm/device.ts';

export type DeviceChoice = DeviceName | 'auto';

/** Devices that compute, for command lines. */
export const deviceChoices: readonly DeviceChoice[] = ['auto', 'webgpu', 'wasm', 'reference'];

/**
 * A new device. Throws DeviceError, with what to install, when the named one is not there, and ConfigError for a name
 * that is none. `why` is told the reason when `auto` passes WebGPU over.
 */
export async function createDevice(
  choice: DeviceChoice = 'auto',
  options: WasmDeviceOptions & { why?: (reason: string) => void } = {},
): Promise<Device> {
  const { tuning, plainSums } = options;
  switch (choice) {
    case 'meta':
      return (await import('./meta/device.ts')).createMetaDevice();
    case 'reference':
      return (await import('./reference/reference.ts')).createReferenceDevice();
    case 'wasm':
      return (await import('./wasm/device.ts')).createWasmDevice(options);
    case 'webgpu':
      return (await import('./webgpu/device.ts')).createWebGpuDevice({ software: true, tuning, plainSums });
    case 'auto':
      try {
        const { createWebGpuDevice } = await import('./webgpu/device.ts');
        return await createWebGpuDevice({ software: false, tuning, plainSums });
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error;
        options.why?.(error.message);
        return createDevice('wasm', options);
      }
    default:
      throw new ConfigError('no such device', {
        operation: 'createDevice',
        expected: deviceChoices.join(', '),
        given: String(choice),
      });
  }
}
