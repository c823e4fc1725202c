// The host suite: what of a training step is not spent in kernels. The host's time is that of the same step on a device whose
// kernels do nothing; on `reference`, whose kernels run on the host's own thread, the step less the time inside of them.
import { compile, createDevice, type Device, manualSeed, scope } from '../../engine/index.ts';
import { openWithoutKernels } from '../measure/without-kernels.ts';
import { median } from '../measure/statistics.ts';
import type { StepBuilder, TrainingStep } from '../networks/step.ts';
import type { CaseShape } from '../peers/protocol.mjs';

export type HostDevice = 'reference' | 'wasm' | 'webgpu';

export interface HostCase {
  readonly name: string;
  readonly title: string;
  readonly build: StepBuilder;
  readonly shape: CaseShape;
}

/** Seconds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** A step as it is, and compiled. */
interface Ways<T> {
  readonly eager: T;
  readonly compiled: T;
}

/** Times in seconds. */
export interface HostResult {
  readonly network: string;
  readonly device: HostDevice;
  readonly launches: number;
  /** Of compiled steps it is not known on `reference`, since a step whose launches are observed runs eagerly. */
  readonly host: Partial<Ways<Spread>> & Pick<Ways<Spread>, 'eager'>;
  /** The whole step with its kernels, one thread. None on a software adapter, which takes the host's own processor. */
  readonly step?: Ways<Spread>;
  /** The host's part of an eager step. */
  readonly share?: number;
  /** A compiled step on two threads: its time, and the share of it in which no kernel was running. */
  readonly twoThreads?: { readonly step: Spread; readonly idleShare: number };
  /** How many times as fast a compiled step is: medians. */
  readonly hostRatio?: number;
  readonly stepRatio?: number;
}

/** Functions are compiled while a step is repeated; fewer repetitions measure the compiler. */
const WARM_UP = 60;
/** Until a compiled step is replayed: the first makes the optimizers' state, another may record again. */
const RECORDING = 4;
const FEWEST = 5;

const spread = (times: readonly number[]): Spread => ({
  median: median(times),
  min: Math.min(...times),
  max: Math.max(...times),
});

type Clock = () => number;

/** One update: the time until all of its work has been handed over, and until it has ended. */
async function update(step: TrainingStep, device: Device, clock: Clock): Promise<{ host: number; whole: number }> {
  const started = clock();
  {
    using _made = scope();
    await step.step();
  }
  const done = device.synchronize();
  // A submit happens in a turn of its own, so that reads share it.
  for (let turn = 0; turn < 2; turn++) await Promise.resolve();
  const host = (clock() - started) / 1000;
  await done;
  return { host, whole: (clock() - started) / 1000 };
}

interface Times {
  readonly host: number[];
  readonly whole: number[];
}

/** Updates for so many seconds, after `warmUp` of them: eager and compiled ones in turn, each of a network of its own. */
async function updates(
  device: Device,
  { build, shape }: HostCase,
  { seconds, warmUp, clock }: { seconds: number; warmUp: number; clock: Clock },
): Promise<Ways<Times> & { launches: number }> {
  const networks = [0, 1].map(() => {
    manualSeed(0);
    return build(device, shape);
  });
  const [eager, other] = networks as [TrainingStep, TrainingStep];
  const step = compile(() => other.step());
  const compiled = { ...other, step };
  const ways: Ways<Times> = { eager: { host: [], whole: [] }, compiled: { host: [], whole: [] } };
  try {
    for (let i = 0; i < warmUp; i++) for (const each of [eager, compiled]) await update(each, device, clock);
    const before = device.statistics().launches;
    const note = async (each: TrainingStep, { host, whole }: Times): Promise<void> => {
      const times = await update(each, device, clock);
      host.push(times.host);
      whole.push(times.whole);
    };
    const { whole } = ways.eager;
    for (const until = performance.now() + 1000 * seconds; whole.length < FEWEST || performance.now() < until;) {
      await note(eager, ways.eager);
      await note(compiled, ways.compiled);
    }
    return { ...ways, launches: (device.statistics().launches - before) / (2 * whole.length) };
  } finally {
    step.dispose();
    for (const network of networks) network.dispose();
    device.dispose();
  }
}

/** Time outside of kernels, on a device whose launches return when the kernel has ended. */
function outsideKernels(device: Device): Clock {
  let [began, inside] = [0, 0];
  device.observer = {
    before: () => (began = performance.now()),
    after: () => (inside += performance.now() - began),
  };
  return () => performance.now() - inside;
}

/** Measures one network on one device. Throws DeviceError where the device cannot be opened. */
export async function measureHost(each: HostCase, name: HostDevice, seconds: number): Promise<HostResult> {
  const idle = name === 'reference' ? await hostOfReference(each, seconds) : await hostOfIdle(each, name, seconds);
  const [host, compiledHost] = [spread(idle.eager.host), spread(idle.compiled.host)];
  const isKnown = name !== 'reference';
  const result: HostResult = {
    ...{ network: each.name, device: name, launches: idle.launches },
    host: { eager: host, ...(isKnown && { compiled: compiledHost }) },
    ...(isKnown && { hostRatio: host.median / compiledHost.median }),
  };
  const device = await createDevice(name, { threads: 1 });
  if (device.facts.software === true) {
    device.dispose();
    return result;
  }
  const whole = await updates(device, each, { seconds, warmUp: RECORDING, clock: () => performance.now() });
  const step = { eager: spread(whole.eager.whole), compiled: spread(whole.compiled.whole) };
  const share = host.median / step.eager.median;
  const twoThreads = name === 'wasm' ? await onTwoThreads(each, seconds) : undefined;
  return {
    ...{ ...result, step, share, stepRatio: step.eager.median / step.compiled.median },
    ...(twoThreads && { twoThreads }),
  };
}

/** Compiled steps one after the other, as a training runs them: the host plans ahead of the threads, and reads nothing. */
async function onTwoThreads({ build, shape }: HostCase, seconds: number): Promise<HostResult['twoThreads']> {
  const device = await createDevice('wasm', { threads: 2 });
  manualSeed(0);
  const network = build(device, shape);
  const step = compile(() => network.step());
  /** At least FEWEST steps, for so many seconds; the seconds of each. */
  const repeat = async (seconds: number): Promise<number[]> => {
    const times: number[] = [];
    for (const until = performance.now() + 1000 * seconds; times.length < FEWEST || performance.now() < until;) {
      const began = performance.now();
      {
        using _made = scope();
        await step();
      }
      times.push((performance.now() - began) / 1000);
    }
    await device.synchronize();
    return times;
  };
  try {
    await repeat(0); // records
    const { idleMilliseconds: idleBefore = 0 } = device.statistics();
    const started = performance.now();
    const times = await repeat(seconds);
    const whole = performance.now() - started;
    const { idleMilliseconds = 0 } = device.statistics();
    return { step: spread(times), idleShare: (idleMilliseconds - idleBefore) / whole };
  } finally {
    step.dispose();
    network.dispose();
    device.dispose();
  }
}

/** Loops over float64 run on the host's own thread, which the observer of launches shows. Observed steps are not compiled. */
async function hostOfReference(each: HostCase, seconds: number): Promise<Ways<Times> & { launches: number }> {
  const device = await createDevice('reference');
  return updates(device, each, { seconds, warmUp: RECORDING, clock: outsideKernels(device) });
}

async function hostOfIdle(
  each: HostCase,
  name: 'wasm' | 'webgpu',
  seconds: number,
): Promise<Ways<Times> & { launches: number }> {
  const { device, waited } = await openWithoutKernels(name);
  const clock: Clock = () => performance.now() - waited();
  return updates(device, each, { seconds, warmUp: WARM_UP, clock });
}
