// Choosing a device by name. `auto` takes a hardware WebGPU adapter if there is one, else wasm; a software adapter only
// when `webgpu` is asked for by name, since SIMD on the same processor is many times faster. Devices load when chosen.
import { takes } from '../call-check.ts';
import { ConfigError, DeviceError } from '../errors.ts';
import { callback, flag, gpuDevice, number, optional, optionsWith, record, text } from '../parameters.ts';
import type { Device, DeviceName } from './device.ts';
import type { GpuDeviceLike } from './gpu-types.ts';
import type { WasmDeviceOptions } from './wasm/device.ts';

/** A device by name, or `auto` for the fastest that is there. */
export type DeviceChoice = DeviceName | 'auto';

/** Devices that compute, for command lines. */
export const deviceChoices: readonly DeviceChoice[] = ['auto', 'webgpu', 'wasm', 'reference'];

/** Options of `createDevice`, each for the devices that it names. */
export type DeviceOptions = WasmDeviceOptions & {
  /**
   * webgpu: a GPUDevice of your own to work on, beside your own work. It stays yours: `dispose` destroys the buffers that wgrad
   * made on it, and nothing else. A device without the feature `subgroups` is slower, one without `timestamp-query` has no
   * clock for profiles; limits that are too low are refused by name.
   */
  device?: GpuDeviceLike;
  /** Told the reason when `auto` passes WebGPU over. */
  why?: (reason: string) => void;
};

const takesCreate = takes('createDevice', {
  choice: optional(text),
  options: optionsWith<DeviceOptions>({
    threads: number,
    relaxedSimd: flag,
    wide: flag,
    plainSums: flag,
    modules: record,
    tuning: record,
    why: callback,
    device: gpuDevice,
  }),
});

/**
 * A new device. Throws DeviceError, with what to install, when the named one is not there, and ConfigError for an
 * unknown name.
 */
export async function createDevice(...args: [choice?: DeviceChoice, options?: DeviceOptions]): Promise<Device> {
  const [choice = 'auto', options = {}] = takesCreate(args);
  const { tuning, plainSums, device } = options;
  switch (choice) {
    case 'meta':
      return (await import('./meta/device.ts')).createMetaDevice();
    case 'reference':
      return (await import('./reference/reference.ts')).createReferenceDevice();
    case 'wasm':
      return (await import('./wasm/device.ts')).createWasmDevice(options);
    case 'webgpu':
      return (await import('./webgpu/device.ts')).createWebGpuDevice({ software: true, tuning, plainSums, device });
    case 'auto':
      try {
        const { createWebGpuDevice } = await import('./webgpu/device.ts');
        return await createWebGpuDevice({ software: false, tuning, plainSums, device });
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
