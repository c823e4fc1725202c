// `compile`: a function that records what a step does and replays it. The step itself runs in every call - its loops, conditions,
// random draws and reads are JavaScript and stay so - but what the engine and the device did below its calls is not done again.
import { takes } from '../call-check.ts';
import { countWithin } from '../checks.ts';
import { defaultDevice } from '../creation.ts';
import type { Device, Doorkeeper } from '../devices/device.ts';
import { during } from '../during.ts';
import { OutOfMemoryError } from '../errors.ts';
import { gradEnabled } from '../grad-mode.ts';
import { isObserved } from '../operation.ts';
import { callback, device as deviceParameter, number, optionsWith } from '../parameters.ts';
import { workObserver } from '../profile/work.ts';
import { Tensor } from '../tensor.ts';
import type { Program } from './program.ts';
import { Recorder } from './record.ts';
import { Player } from './replay.ts';
import { currentTracer, setTracer, type Tracer } from './tracer.ts';
import { type ProgramText, textOf } from './text.ts';

/** Options of `compile`. */
export interface CompileOptions {
  /** Programs that are kept, one for each set of shapes and each way that the step went; the longest unused goes. Default 8. */
  programs?: number;
  /** Where the step computes. Default: the device of its first tensor argument, else the default device. */
  device?: Device;
  /** Told in words when a call did something else than what was recorded. Such a call has run eagerly from there on. */
  onChange?: (change: string) => void;
}

/** What has become of the calls of a compiled step. */
export interface CompileStatistics {
  readonly recorded: number;
  readonly replayed: number;
  /** Calls that began as a replay and went on eagerly, because something had changed. */
  readonly changed: number;
  /** Calls that nothing was recorded of: while a profiler or anomaly detection watches, within another compiled step, or given up. */
  readonly eager: number;
}

/** A step that records itself and is replayed. */
export interface Compiled<A extends readonly unknown[], R> extends Disposable {
  (...args: A): R;
  readonly statistics: CompileStatistics;
  /** The programs in force, the last used first. */
  programs(): ProgramText[];
  /** Lets go of all programs and their memory. The next call records anew. */
  dispose(): void;
}

/** A program and the calls that it is for. */
interface Entry {
  readonly key: string;
  readonly device: Device;
  readonly program: Program;
  readonly player: Player;
}

/** After so many changes in a row, without one whole replay, calls of these shapes run eagerly. */
const MOST_CHANGES = 8;
const DEFAULT_PROGRAMS = 8;
/** Lists of more are data. */
const MOST_MEMBERS = 64;

const takesCompile = takes('compile', {
  step: callback,
  options: optionsWith<CompileOptions>({ programs: number, device: deviceParameter, onChange: callback }),
});

/** The members of a list or of a plain object. */
function membersOf(value: unknown): readonly [name: string, member: unknown][] | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Tensor) return undefined;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype ? Object.entries(value) : undefined;
}

/** What tells calls apart beforehand: shapes, flags and words. Numbers are inputs; whatever else differs is noticed. */
function signatureOf(value: unknown): string {
  if (value instanceof Tensor) return `${value.dtype}[${value.shape.join()}]${value.tracked ? 'g' : ''}`;
  if (typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  const members = membersOf(value);
  if (!members || members.length > MOST_MEMBERS) return typeof value;
  return `{${members.map(([name, member]) => `${name}:${signatureOf(member)}`).join()}}`;
}

function deviceOf(value: unknown): Device | undefined {
  if (value instanceof Tensor) return value.device;
  const members = membersOf(value) ?? [];
  if (members.length > MOST_MEMBERS) return undefined;
  for (const [, member] of members) {
    const device = deviceOf(member);
    if (device) return device;
  }
  return undefined;
}

class CompiledStep<A extends readonly unknown[], R> {
  #counts = { recorded: 0, replayed: 0, changed: 0, eager: 0 };
  readonly #step: (...args: A) => R;
  readonly #options: CompileOptions;
  readonly #most: number;
  /** The longest unused first. */
  #entries: Entry[] = [];
  /** Changes since the last whole replay, by key. */
  readonly #changes = new Map<string, number>();

  constructor(step: (...args: A) => R, options: CompileOptions) {
    this.#step = step;
    this.#options = options;
    this.#most = countWithin('compile', 'programs', options.programs ?? DEFAULT_PROGRAMS, { from: 1 });
  }

  get statistics(): CompileStatistics {
    return { ...this.#counts };
  }

  call(args: A): R {
    const device = deviceOf(args) ?? this.#options.device ?? defaultDevice();
    const key = `${gradEnabled()} ${args.map(signatureOf).join()}`;
    // Who merely counts launches is told of replayed ones too.
    const isTimed = device.observer?.after !== undefined || device.observer?.timer !== undefined;
    const isWatched = isObserved() || workObserver() !== undefined || isTimed;
    if (currentTracer() || isWatched || (this.#changes.get(key) ?? 0) >= MOST_CHANGES) return this.#runEagerly(args);
    const entry = this.#entries.findLast((each) => each.device === device && each.key === key);
    return entry ? this.#replay(entry, args) : this.#record(key, device, args);
  }

  texts(): ProgramText[] {
    return this.#entries.toReversed().map(({ device, program, player }) => textOf(device, program, player.bindings));
  }

  dispose(): void {
    for (const { player } of this.#entries.splice(0)) player.bindings.release();
    this.#changes.clear();
  }

  #runEagerly(args: A): R {
    this.#counts.eager++;
    return this.#step(...args);
  }

  #record(key: string, device: Device, args: A): R {
    const recorder = new Recorder(device);
    return this.#run(device, recorder, args, () => {
      this.#counts.recorded++;
      const program = recorder.finish();
      if (program) this.#keep({ key, device, program, player: new Player(device, program) });
    });
  }

  #replay(entry: Entry, args: A): R {
    const { player, device } = entry;
    if (!this.#canBegin(player)) {
      this.#drop(entry, player.change);
      return player.change === undefined ? this.#runEagerly(args) : this.#record(entry.key, device, args);
    }
    return this.#run(device, player, args, () => {
      if (player.finish()) {
        this.#counts.replayed++;
        this.#changes.delete(entry.key);
        this.#keep(entry);
      } else {
        this.#drop(entry, player.change);
      }
    });
  }

  /** Runs the step with somebody at the device's door, and `then` if nothing was thrown. */
  #run(device: Device, tracer: Tracer & Doorkeeper, args: A, then: () => void): R {
    device.doorkeeper = tracer;
    setTracer(tracer);
    let isDone = false;
    return during(
      () => {
        const result = this.#step(...args);
        if (!(result instanceof Promise)) {
          isDone = true;
          return result;
        }
        return result.then((value: unknown) => {
          isDone = true;
          return value;
        }) as R;
      },
      () => {
        // Somebody else's by now, if this step was left for another one while it waited.
        if (device.doorkeeper === tracer) device.doorkeeper = undefined;
        if (currentTracer() === tracer) setTracer(undefined);
        if (isDone) then();
      },
    );
  }

  /** False where the memory for it cannot be had, or a buffer of it is in use. */
  #canBegin(player: Player): boolean {
    try {
      return player.begin();
    } catch (error) {
      player.bindings.release();
      if (!(error instanceof OutOfMemoryError)) throw error;
      return false;
    }
  }

  /** Puts a program at the end of those in force, and lets go of the longest unused if they are too many. */
  #keep(entry: Entry): void {
    this.#entries = this.#entries.filter((each) => each !== entry);
    this.#entries.push(entry);
    for (const { player } of this.#entries.splice(0, this.#entries.length - this.#most)) player.bindings.release();
  }

  #drop(entry: Entry, change: string | undefined): void {
    entry.player.bindings.release();
    this.#entries = this.#entries.filter((each) => each !== entry);
    if (change === undefined) return;
    this.#counts.changed++;
    this.#changes.set(entry.key, (this.#changes.get(entry.key) ?? 0) + 1);
    this.#options.onChange?.(change);
  }
}

/**
 * A function that does what `step` does, in less of the host's time: the first call with arguments of some shapes records, later
 * ones replay. For training steps and for inference:
 *
 *     const step = compile((x: Tensor, y: Tensor) => {
 *       const loss = crossEntropy(model.forward(x), y);
 *       optimizer.zeroGrad();
 *       loss.backward();
 *       optimizer.step();
 *       return loss;
 *     });
 *     using _scope = scope();
 *     console.log(await step(x, y).item());
 *
 * The results are the same to the last bit. `step` itself runs in every call, so that conditions, hooks, schedules, random draws and
 * what it reads work as ever, and whatever is different in a call is noticed: that call goes on eagerly, the next one records. What
 * is saved is the engine's own work. The memory of what is made and released within the step is planned once, and kept until
 * `dispose`. One step runs at a time: what else is computed on the device while it awaits something counts as its own.
 */
export function compile<A extends readonly unknown[], R>(
  ...args: [step: (...args: A) => R, options?: CompileOptions]
): Compiled<A, R> {
  const [step, options = {}] = takesCompile(args);
  const compiled = new CompiledStep(step, options);
  return Object.defineProperties((...given: A): R => compiled.call(given), {
    statistics: { get: () => compiled.statistics },
    programs: { value: () => compiled.texts() },
    dispose: { value: () => compiled.dispose() },
    [Symbol.dispose]: { value: () => compiled.dispose() },
  }) as Compiled<A, R>;
}
