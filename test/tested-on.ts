// On which devices a test file runs. The gate (.config/test.mjs) reads the call of `testedOn` in the file's text: a file that
// names webgpu is started once for all the rest, and once for each Vulkan driver for webgpu alone. Started by hand it does
// everything: `node dist/test/engine/elements.test.js`.
import { parseArgs } from 'node:util';
import type { Test } from 'tap';
import { createWebGpuDevice, type WebGpuDevice } from '../engine/devices/webgpu/device.ts';
import { createDevice, type Device, DeviceError, type DeviceName } from '../engine/index.ts';

/** A device, or `host` for tests that need none. */
type Part = DeviceName | 'host';

const { values } = parseArgs({ options: { webgpu: { type: 'string' } }, strict: false });
const isHere = (part: Part): boolean =>
  values.webgpu === undefined || (values.webgpu === 'only') === (part === 'webgpu');
let namesWebGpu = false;

/** Of the parts that a test file has, those to be run by this process. Called once in a file, with names written out. */
export function testedOn<P extends Part>(...parts: P[]): ReadonlySet<P> {
  namesWebGpu ||= (parts as readonly Part[]).includes('webgpu');
  return new Set(parts.filter(isHere));
}

async function openWebGpu(preferPlan: () => string | undefined): Promise<WebGpuDevice | DeviceError> {
  try {
    return await createWebGpuDevice({ software: true, preferPlan });
  } catch (error) {
    if (error instanceof DeviceError) return error;
    throw error;
  }
}

/**
 * A test on a WebGPU device, software adapters included, or skipped where there is none. `prefer` names the plan that launches
 * take from then on; without a name, the choice is free again.
 */
export async function withWebGpu(
  t: Test,
  run: (device: WebGpuDevice, prefer: (plan?: string) => void) => Promise<void> | void,
): Promise<void> {
  if (!namesWebGpu) throw new Error("The file does not say that it needs a driver: expected testedOn('webgpu', ...)");
  let preferred: string | undefined;
  const device = await openWebGpu(() => preferred);
  if (device instanceof DeviceError) {
    t.pass('no device', { skip: device.message });
    return;
  }
  t.comment(device.description);
  await run(device, (plan) => (preferred = plan));
  await device.synchronize();
  device.dispose();
}

/** A subtest per device among the parts, on a new one that is disposed of at its end. */
export async function onEach<P extends Part>(
  t: Test,
  parts: Iterable<P>,
  run: (t: Test, device: Device, name: Exclude<P, 'host'>) => Promise<void> | void,
): Promise<void> {
  const isDevice = (part: P): part is Exclude<P, 'host'> => part !== 'host';
  for (const name of [...parts].filter(isDevice)) {
    await t.test(name, async (t) => {
      if (name === 'webgpu') return withWebGpu(t, (device) => run(t, device, name));
      const device = await createDevice(name);
      await run(t, device, name);
      device.dispose();
    });
  }
}
