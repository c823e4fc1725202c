// Devices whose kernels do nothing, so that what a step still takes is the host's work: recording, planning, checking, binding.
//
//   wasm     a module with the exports of the real one and empty bodies, on one thread
//   webgpu   Dawn's null backend: its whole front end, which validates and encodes, without a driver behind it
import simdBytes from '../../dist/wasm/simd.wasm';
import { WebGpuDevice } from '../../engine/devices/webgpu/device.ts';
import { findAdapter, requestDevice } from '../../engine/devices/webgpu/adapter.ts';
import { createDevice, type Device, DeviceError } from '../../engine/index.ts';

/** A number in the binary format of WebAssembly (LEB128). */
function encoded(value: number): number[] {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [low | 0x80, ...encoded(value >>> 7)];
}

const withLength = (bytes: readonly number[]): number[] => [...encoded(bytes.length), ...bytes];
const name = (text: string): number[] => withLength([...new TextEncoder().encode(text)]);

/** A module that exports the functions of another one, all of them (i32, i32, i32, i32) -> (), with nothing inside. */
export function emptyKernels(module: WebAssembly.Module): Uint8Array<ArrayBuffer> {
  const exported = WebAssembly.Module.exports(module).filter(({ kind }) => kind === 'function');
  const [i32, functionType, noFlags] = [0x7f, 0x60, 0];
  const sections: readonly [id: number, body: readonly number[]][] = [
    [1, [1, functionType, 4, i32, i32, i32, i32, 0]],
    [2, [1, ...name('env'), ...name('memory'), 2, noFlags, 1]],
    [3, [1, 0]],
    [7, [...encoded(exported.length), ...exported.flatMap((each) => [...name(each.name), 0, 0])]],
    [10, [1, ...withLength([0, 0x0b])]],
  ];
  const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  return Uint8Array.from([...header, ...sections.flatMap(([id, body]) => [id, ...withLength(body)])]);
}

/** A device without work for it. */
export interface IdleDevice {
  readonly device: Device;
  /** Milliseconds spent waiting for the driver so far, which are not the host's work. */
  waited(): number;
}

/** Dawn's instance, which must outlive what is made of it. */
let nullBackend: GPU | undefined;

async function openNullBackend(): Promise<IdleDevice> {
  const { create } = await import('webgpu').catch((cause: unknown) => {
    throw new DeviceError('the npm package `webgpu` is not installed', { operation: 'bench host', cause });
  });
  nullBackend ??= create(['backend=null']);
  const adapter = await findAdapter({ gpu: nullBackend });
  const gpu = await requestDevice(adapter);
  let waited = 0;
  const createBuffer = gpu.createBuffer.bind(gpu);
  gpu.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    const map = buffer.mapAsync.bind(buffer);
    buffer.mapAsync = async (...args) => {
      const started = performance.now();
      await map(...args);
      waited += performance.now() - started;
      return undefined;
    };
    return buffer;
  };
  return { device: new WebGpuDevice(gpu, adapter.info, {}), waited: () => waited };
}

/** Throws DeviceError where the device cannot be opened. */
export async function openWithoutKernels(kind: 'wasm' | 'webgpu'): Promise<IdleDevice> {
  if (kind === 'webgpu') return openNullBackend();
  const empty = emptyKernels(await WebAssembly.compile(simdBytes));
  const device = await createDevice('wasm', { threads: 1, modules: { simd: empty, relaxedSimd: empty } });
  return { device, waited: () => 0 };
}
