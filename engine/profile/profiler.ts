// The profiler: who launches what, when, and how long it takes. It sits on the device's door and is told by modules, the
// tape and the optimisers whose work is being done. Nothing of it exists while it is off. Leaves out sums (summary.ts).
import { costOf, type Kernel, type ParamValues } from '../../kernels/kernel.ts';
import { takes } from '../call-check.ts';
import { isRecomputing } from '../recomputation.ts';
import { defaultDevice } from '../creation.ts';
import type { Device, LaunchObserver } from '../devices/device.ts';
import { during } from '../during.ts';
import { ConfigError } from '../errors.ts';
import type { Module } from '../nn/module.ts';
import { observeOperations, type OperationObserver } from '../operation.ts';
import { callback, device as deviceParameter, optionsWith, record } from '../parameters.ts';
import { gradEnabled } from '../grad-mode.ts';
import type { Parameter } from '../tensor.ts';
import { layerNames, watchModules } from './layers.ts';
import type { Pass, Profile, ProfiledLaunch, ProfiledStep, Span } from './profile.ts';
import { type Layer, observeWork, workObserver, type WorkObserver } from './work.ts';

interface Launch {
  readonly kernel: Kernel<never>;
  readonly params: ParamValues;
  readonly plan: string;
  readonly layer: Layer;
  readonly operation: string;
  readonly pass: Pass;
  readonly liveBytes: number;
  readonly begin: number;
  end: number;
  /** On the device's own clock. */
  timed: { readonly begin: number; readonly end: number } | undefined;
}

/** What a profile records. */
export interface ProfileOptions {
  /** Default: the default device. */
  readonly device?: Device;
  /** Names for modules, where those of their classes say too little. Parts have the names of the state dict. */
  readonly modules?: Readonly<Record<string, Module>>;
}

const options = optionsWith<ProfileOptions>({ device: deviceParameter, modules: record });
const takesProfiler = takes('Profiler', { options });
const takesProfiled = takes('profiled', { body: callback, options });

/** Watches steps and keeps what ran in each. */
export class Profiler implements WorkObserver {
  readonly #device: Device;
  readonly #modules: ProfileOptions['modules'];
  readonly #origin = performance.now();
  readonly #launches: Launch[] = [];
  readonly #layerSpans: { layer: Layer; pass: Pass; begin: number; end: number }[] = [];
  readonly #regions: Span[] = [];
  readonly #steps: ProfiledStep[] = [];
  readonly #outermost = new Set<Module>();
  readonly #stopWatching: () => void;
  #layer: Layer;
  #operation: string | undefined;
  #pass: 'backward' | 'update' | undefined;
  #stepBegin = { time: 0, launch: 0, submits: 0 };
  #stopped = false;

  /** Begins to watch. Throws ConfigError while another profiler does. */
  constructor(...args: [options?: ProfileOptions]) {
    const [{ device = defaultDevice(), modules } = {}] = takesProfiler(args);
    if (workObserver()) {
      throw new ConfigError('another profiler is running', {
        operation: 'Profiler',
        hint: 'Stop it first: two at once would distort their times',
      });
    }
    this.#device = device;
    this.#modules = modules;
    const restore = [
      this.#watchDevice(),
      this.#watchOperations(),
      watchModules((module, body) => this.#call(module, body)),
    ];
    observeWork(this);
    this.#stopWatching = () => {
      observeWork(undefined);
      for (const each of restore) each();
    };
    this.skip();
  }

  /** The layer at work. */
  get layer(): Layer {
    return this.#layer;
  }

  backward<T>(operation: string, layer: Layer, body: () => T): T {
    return this.#as({ layer, operation, pass: 'backward' }, () => this.#inLayer(layer, body));
  }

  update(parameters: readonly Parameter[], body: () => void): void {
    this.#as({ layer: parameters, operation: undefined, pass: 'update' }, () => this.#inLayer(parameters, body));
  }

  region<T>(name: string, body: () => T): T {
    const begin = this.#now();
    return during(body, () => this.#regions.push({ name, begin, end: this.#now() }));
  }

  /** Ends a step and begins the next one. A step lasts until the device has done its work. */
  async step(): Promise<void> {
    await this.#device.synchronize();
    const { time, launch, submits } = this.#stepBegin;
    this.#steps.push({
      name: `step ${this.#steps.length + 1}`,
      begin: time,
      end: this.#now(),
      launches: [launch, this.#launches.length],
      submits: this.#device.statistics().submits - submits,
    });
    this.skip();
  }

  /** Leaves what was done since the last step ended out of all steps, as for validation between two of them. */
  skip(): void {
    const { submits } = this.#device.statistics();
    this.#stepBegin = { time: this.#now(), launch: this.#launches.length, submits };
  }

  /** Number of steps so far. */
  get steps(): number {
    return this.#steps.length;
  }

  /** Ends the profile. Without a step before, all of it is one. Rejects with the first error of a launch. */
  async stop(): Promise<Profile> {
    if (this.#stopped) throw new ConfigError('the profiler has been stopped', { operation: 'Profiler.stop' });
    try {
      if (this.#steps.length === 0) await this.step();
      else await this.#device.synchronize();
    } finally {
      this.cancel();
    }
    const nameOf = layerNames(this.#outermost, this.#modules);
    const { launchClock: clock, description: device } = this.#device;
    return {
      device,
      clock,
      clockStep: clock === 'none' ? undefined : clockStepOf(this.#launches, clock),
      steps: this.#steps,
      launches: this.#named(nameOf),
      layers: this.#layerSpans.map(({ layer, ...span }) => ({ name: nameOf(layer), ...span })),
      regions: this.#regions,
    };
  }

  /** Stops watching, without a profile. */
  cancel(): void {
    if (!this.#stopped) this.#stopWatching();
    this.#stopped = true;
  }

  #now(): number {
    return performance.now() - this.#origin;
  }

  #watchDevice(): () => void {
    const device = this.#device;
    const before = device.observer;
    const clock = device.launchClock;
    let current: Launch;
    const observer: LaunchObserver = {
      before: (kernel, params, plan) => {
        before?.before?.(kernel, params, plan);
        const { liveBytes } = device.statistics();
        const [layer, pass] = [this.#layer, this.#passNow()];
        const operation = this.#operation ?? kernel.name;
        const begin = this.#now();
        current = { kernel, params, plan, layer, operation, pass, liveBytes, begin, end: begin, timed: undefined };
      },
      after: (kernel, params, plan) => {
        current.end = this.#now();
        this.#launches.push(current);
        before?.after?.(kernel, params, plan);
      },
    };
    if (clock === 'device') {
      observer.timer = () => {
        const launch = current;
        return (begin, end) => (launch.timed = { begin, end });
      };
    }
    device.observer = observer;
    return () => (device.observer = before);
  }

  #watchOperations(): () => void {
    const observer: OperationObserver = {
      around: (name, part, body) => {
        // In backward the operation is that of the node, unless something is being recomputed.
        if (part !== 'forward' || (this.#pass && !isRecomputing())) return body();
        return this.#as({ operation: name }, body);
      },
    };
    const before = observeOperations(observer);
    return () => void observeOperations(before);
  }

  /** A method call of a module. */
  #call<T>(module: Module, body: () => T): T {
    if (this.#layer === undefined) this.#outermost.add(module);
    return this.#as({ layer: module }, () => this.#inLayer(module, body));
  }

  #inLayer<T>(layer: Layer, body: () => T): T {
    const [begin, pass, first] = [this.#now(), this.#passNow(), this.#launches.length];
    return during(body, () => {
      if (this.#launches.length > first) this.#layerSpans.push({ layer, pass, begin, end: this.#now() });
    });
  }

  #passNow(): Pass {
    return this.#pass ?? (this.#layer !== undefined || gradEnabled() ? 'forward' : 'other');
  }

  /** Runs `body` as work for these, and goes back to what it was. */
  #as<T>(work: { layer?: Layer; operation?: string | undefined; pass?: 'backward' | 'update' }, body: () => T): T {
    const [layer, operation, pass] = [this.#layer, this.#operation, this.#pass];
    if ('layer' in work) this.#layer = work.layer;
    if ('operation' in work) this.#operation = work.operation;
    if (work.pass) this.#pass = work.pass;
    return during(body, () => {
      this.#layer = layer;
      this.#operation = operation;
      this.#pass = pass;
    });
  }

  #named(nameOf: (layer: Layer) => string): ProfiledLaunch[] {
    const { launchClock: clock } = this.#device;
    const offset = offsetOf(this.#launches);
    return this.#launches.map(({ kernel, params, plan, layer, operation, pass, liveBytes, begin, end, timed }) => ({
      kernel: kernel.name,
      plan,
      layer: nameOf(layer),
      operation,
      pass,
      begin: timed ? timed.begin + offset : begin,
      milliseconds: clock === 'host' ? end - begin : timed && timed.end - timed.begin,
      hostMilliseconds: end - begin,
      ...costOf(kernel as unknown as Kernel, params),
      liveBytes,
    }));
  }
}

/** From the device's clock to ours: as early as can be, since nothing begins before it has been recorded. */
function offsetOf(launches: readonly Launch[]): number {
  let offset = -Infinity;
  for (const { begin, timed } of launches) if (timed) offset = Math.max(offset, begin - timed.begin);
  return offset;
}

function clockStepOf(launches: readonly Launch[], clock: Device['launchClock']): number | undefined {
  const clocked = clock === 'device' ? launches.flatMap(({ timed }) => timed ?? []) : launches;
  const times = clocked.flatMap(({ begin, end }) => [begin, end]).sort((a, b) => a - b);
  const steps = times.slice(1).map((time, i) => time - times[i]!);
  const smallest = Math.min(...steps.filter((step) => step > 0));
  return Number.isFinite(smallest) ? smallest : undefined;
}

/**
 * Profiles `body`, which may call `step()` of the profiler at the end of each step; the first steps on a device compile and
 * warm up, so leave them out. Returns what `body` returned and the profile; `summarize` makes tables of it and `chromeTrace`
 * a file for Perfetto and chrome://tracing.
 *
 *     const { profile } = await profiled(async (profiler) => {
 *       for (let i = 0; i < 5; i++) {
 *         train();
 *         await profiler.step();
 *       }
 *     });
 *     console.table(summarize(profile).layers);
 *     await writeFile('trace.json', JSON.stringify(chromeTrace(profile)));
 *
 * On wasm and reference a launch is timed around its call; on webgpu the GPU's own clock is read, which gives each launch a
 * compute pass of its own, and without the feature `timestamp-query` launches are counted and not timed. Throws ConfigError
 * while another profile is made.
 */
export async function profiled<T>(
  ...args: [body: (profiler: Pick<Profiler, 'step' | 'skip'>) => T | Promise<T>, options?: ProfileOptions]
): Promise<{ value: T; profile: Profile }> {
  const [body, options] = takesProfiled(args);
  const profiler = new Profiler(options);
  try {
    const value = await body(profiler);
    return { value, profile: await profiler.stop() };
  } finally {
    profiler.cancel();
  }
}
