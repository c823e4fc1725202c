// The devices that ladders are climbed on: the WebGPU adapter, or one WASM device for the ancestors, which have a module of
// their own, and two for the library, on one thread and on two.
import { DeviceError } from '../../engine/index.ts';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { hostClock, openTimedWebGpu } from '../measure/clock.ts';
import type { Grounds } from './climb.ts';
import { ladderModules } from './module.ts';

export const groundNames = ['webgpu', 'wasm'] as const;
export type GroundName = (typeof groundNames)[number];

async function webGpuGrounds(): Promise<Grounds> {
  const { device, clock } = await openTimedWebGpu();
  const reference = createReferenceDevice();
  const { planFacts } = device;
  return {
    title: device.description,
    clock,
    size: planFacts.software ? 'small' : 'large',
    reference,
    hasRungs: ({ webgpu }) => webgpu.length > 0,
    rungsOf(ladder, params) {
      const chosen = webGpuPlans.get(ladder.kernel)(params, planFacts).name;
      return ladder.webgpu
        .filter((rung) => rung.plan(params, planFacts) !== undefined)
        .map((rung) => ({ rung, device, ceilingsOn: device, isInUse: rung.name === chosen }));
    },
    dispose() {
      reference.dispose();
      device.dispose();
    },
  };
}

async function wasmGrounds(): Promise<Grounds> {
  const reference = createReferenceDevice();
  const ancestors = await createWasmDevice({ modules: ladderModules, threads: 1 });
  const [one, two] = [await createWasmDevice({ threads: 1 }), await createWasmDevice({ threads: 2 })];
  return {
    title: two.description,
    clock: hostClock,
    size: 'small',
    reference,
    hasRungs: ({ wasm }) => wasm.length > 0,
    rungsOf: (ladder, params) =>
      ladder.wasm
        .filter((rung) => rung.fits(params))
        .map((rung) => ({
          rung,
          device: rung.plan ? ancestors : rung.threads === 1 ? one : two,
          ceilingsOn: rung.threads === 1 ? one : two,
          isInUse: rung.plan === undefined,
        })),
    dispose() {
      for (const device of [reference, ancestors, one, two]) device.dispose();
    },
  };
}

/** Those that are there. Throws DeviceError where a device that was asked for by name is not, `absent` hears of the others. */
export async function openGrounds(name: GroundName | undefined, absent: (message: string) => void): Promise<Grounds[]> {
  const open = { webgpu: webGpuGrounds, wasm: wasmGrounds };
  const found: Grounds[] = [];
  for (const each of name === undefined ? groundNames : [name]) {
    try {
      found.push(await open[each]());
    } catch (error) {
      if (!(error instanceof DeviceError) || name !== undefined) throw error;
      absent(`${each}: ${error.message.split('\n')[0]}`);
    }
  }
  return found;
}
