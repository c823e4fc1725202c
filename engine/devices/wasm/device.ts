import { DeviceError } from '../../errors.ts';
import type { Device } from '../device.ts';
// Placeholder until the wasm device lands; its author overwrites this file.
export interface WasmDeviceOptions {
  threads?: number;
  relaxedSimd?: boolean;
}
export async function createWasmDevice(_options: WasmDeviceOptions = {}): Promise<Device> {
  throw new DeviceError('no wasm device yet');
}
