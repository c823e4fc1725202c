// `wgrad doctor`: which devices work here, why WebGPU does not or not on a GPU, and the machine's facts. A device counts as present when a
// small computation on it gives the right number.
import os from 'node:os';
import { createDevice, type DeviceName, scope, tensor } from '../../engine/index.ts';
import { wgradVersion } from '../runner/manifest.ts';
import { plainMessage } from './errors.ts';
import { findGraphics, missingFeatures, softwareCost } from './graphics.ts';
import { print } from './output.ts';

interface DeviceCheck {
  device: DeviceName;
  works: boolean;
  description?: string;
  facts?: Readonly<Record<string, string | number | boolean>>;
  problem?: string;
}

async function check(name: DeviceName): Promise<DeviceCheck> {
  try {
    const device = await createDevice(name);
    try {
      using _sum = scope();
      const total = await tensor([1, 2, 3.5], undefined, { device }).mul(2).sum().item();
      const { description, facts } = device;
      if (total === 13) return { device: name, works: true, description, facts };
      return { device: name, works: false, description, facts, problem: `2 (1 + 2 + 3.5) came out as ${total}` };
    } finally {
      device.dispose();
    }
  } catch (error) {
    return { device: name, works: false, problem: plainMessage(error) };
  }
}

/** What stands between this machine and a GPU, or what its adapter lacks. */
async function graphicsNotes(webgpu: DeviceCheck | undefined): Promise<string[]> {
  const { software, features } = webgpu?.facts ?? {};
  const isHardware = webgpu?.works === true && software !== true;
  return [
    ...(isHardware || os.platform() !== 'linux' ? [] : (await findGraphics()).findings),
    ...(webgpu?.works && software === true ? [softwareCost] : []),
    ...(typeof features === 'string' ? missingFeatures(features) : []),
  ];
}

export async function doctor({ json = false }: { json?: boolean }): Promise<number> {
  const devices: DeviceCheck[] = [];
  for (const name of ['webgpu', 'wasm', 'reference'] as const) devices.push(await check(name));
  let whyNotWebgpu = '';
  let chosen = '';
  try {
    const auto = await createDevice('auto', { why: (reason) => (whyNotWebgpu = plainMessage(reason)) });
    chosen = auto.name;
    auto.dispose();
  } catch (error) {
    whyNotWebgpu = plainMessage(error);
  }
  const facts = {
    wgrad: wgradVersion,
    node: process.versions.node,
    platform: `${os.platform()} ${os.arch()}`,
    processor: os.cpus()[0]?.model ?? 'unknown',
    threads: os.availableParallelism(),
    memoryGiB: Number((os.totalmem() / 2 ** 30).toFixed(1)),
    freeMemoryGiB: Number((os.freemem() / 2 ** 30).toFixed(1)),
    relaxedSimd: devices.find(({ device }) => device === 'wasm')?.facts?.relaxedSimd ?? false,
    auto: chosen,
    ...(whyNotWebgpu ? { whyNotWebgpu } : {}),
  };
  const graphics = await graphicsNotes(devices.find(({ device }) => device === 'webgpu'));
  if (json) {
    print(JSON.stringify({ ...facts, graphics, devices }, null, 2));
  } else {
    for (const [name, value] of Object.entries(facts)) print(`${name}: ${value}`);
    for (const { device, works, description, problem } of devices) {
      print(`${device}: ${works ? `works: ${description}` : `not here: ${problem}`}`);
    }
    for (const note of graphics) print(`graphics: ${note}`);
  }
  return chosen ? 0 : 1;
}
