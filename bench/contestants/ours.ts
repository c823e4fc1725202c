// wgrad as a contestant: the cases on one of its devices, in this process. Inputs and initial weights are the fixed values
// that the peers use too, so that results can be compared.
import {
  createDevice,
  type Device,
  DeviceError,
  OutOfMemoryError,
  scope,
  setDefaultDevice,
} from '../../engine/index.ts';
import { wgradVersion } from '../../experiments/runner/manifest.ts';
import { AbsentError, type Contestant, type PreparedWork } from './contestant.ts';
import { convolution } from './convolution.ts';
import { type Clock, hostClock } from '../measure/clock.ts';
import { networks } from '../networks/index.ts';
import { type CaseShape, summarize } from '../peers/protocol.mjs';
import type { TrainingStep } from '../networks/step.ts';

/** A step as repeated work. Its results: the number of parameters, then losses. */
async function repeatedStep(device: Device, step: TrainingStep, checkedSteps: number): Promise<PreparedWork> {
  const first: number[] = [step.parameterCount];
  {
    using _losses = scope();
    for (const loss of step.fixedLosses?.() ?? []) first.push(await loss.item());
  }
  for (let i = 0; i < checkedSteps; i++) {
    using _step = scope();
    first.push(await (await step.step()).item());
  }
  return {
    launch() {
      const made = scope();
      const done = step.step();
      if (done instanceof Promise) return done.then(() => made[Symbol.dispose]());
      made[Symbol.dispose]();
      return undefined;
    },
    finish: () => device.synchronize(),
    results: async () => first.map((value) => [value]),
    dispose: () => step.dispose(),
  };
}

type Prepare = (device: Device, shape: CaseShape) => PreparedWork | Promise<PreparedWork>;

const cases: Readonly<Record<string, Prepare>> = {
  'conv2d.forward': (device, shape) => convolution(device, shape, false),
  'conv2d.gradients': (device, shape) => convolution(device, shape, true),
  ...Object.fromEntries(
    networks.map(({ benchmark, build }): [string, Prepare] => [
      benchmark,
      (device, shape) => repeatedStep(device, build(device, shape), Number(shape.checkedSteps ?? 0)),
    ]),
  ),
};

/** wgrad on a device of this process. */
export interface Ours extends Contestant {
  readonly device: Device;
  readonly clock: Clock;
}

/** What a device's own refusals say of a case that it cannot run. */
function absentFor(error: unknown): unknown {
  if (!(error instanceof OutOfMemoryError) && !(error instanceof DeviceError)) return error;
  return new AbsentError(error.message.split('\n')[0], { cause: error });
}

export type OpenDevice = () => Promise<{ device: Device; clock: Clock }>;

/** wgrad on a device. Throws AbsentError if the device is not there. `open` replaces how it is made. */
export async function startOurs(name: 'wasm' | 'webgpu', threads?: number, open?: OpenDevice): Promise<Ours> {
  let device: Device;
  let clock: Clock = hostClock;
  try {
    if (open) ({ device, clock } = await open());
    else device = await createDevice(name, threads === undefined ? {} : { threads });
  } catch (error) {
    throw absentFor(error);
  }
  let prepared: PreparedWork | undefined;
  let plans: Record<string, string> = {};
  const clear = (): void => {
    prepared?.dispose();
    prepared = undefined;
  };
  const { driver } = device.facts;
  return {
    name: 'wgrad',
    version: wgradVersion,
    details: device.description,
    ...(driver === undefined ? {} : { adapter: String(driver) }),
    device,
    clock,
    async prepare(benchmark, shape) {
      clear();
      plans = {};
      device.observer = { before: (kernel, _, plan) => (plans[kernel.name] = plan) };
      try {
        prepared = await cases[benchmark]!(device, shape);
        await hostClock.repeat(prepared, 0);
        return (await prepared.results()).map(summarize);
      } catch (error) {
        throw absentFor(error);
      } finally {
        device.observer = undefined;
      }
    },
    plans: () => plans,
    measure(seconds) {
      setDefaultDevice(device); // another contestant of this process may have been prepared since
      return clock.repeat(prepared!, seconds);
    },
    close() {
      clear();
      device.dispose();
    },
  };
}
