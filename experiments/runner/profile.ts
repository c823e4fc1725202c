// Profiling runs: which steps of a run are watched, and the files that come of it. A run goes on unwatched afterwards and ends
// with the same bits.
import path from 'node:path';
import {
  chromeTrace,
  type Device,
  type Profile,
  Profiler,
  type ProfileSummary,
  summarize,
} from '../../engine/index.ts';
import { writeJson, writeWhole } from './files.ts';

/** Steps that pass before: kernels compile, pools fill. */
const WARM_UP_STEPS = 2;
/** Steps that are watched. */
const PROFILED_STEPS = 5;

/** Watches some steps of one run. A step is a unit of the run's progress; what runs between two, such as validation, is left out. */
export class RunProfiler {
  readonly #device: Device;
  readonly #done: (profile: Profile) => void;
  #profiler: Profiler | undefined;
  #unitsDone = 0;
  #steps = 0;
  #ended = false;

  /** `done` is given the profile when it is complete. */
  constructor(device: Device, done: (profile: Profile) => void) {
    this.#device = device;
    this.#done = done;
  }

  /** To be called when the run has done so many units. */
  async progress(unitsDone: number): Promise<void> {
    if (this.#ended || unitsDone === this.#unitsDone) return;
    this.#unitsDone = unitsDone;
    this.#steps++;
    await this.#profiler?.step();
    if (this.#steps === WARM_UP_STEPS) {
      await this.#device.synchronize();
      this.#profiler = new Profiler({ device: this.#device });
    }
    if (this.#steps === WARM_UP_STEPS + PROFILED_STEPS) await this.end();
  }

  /** What was done since the last step ended is not part of one. */
  skip(): void {
    this.#profiler?.skip();
  }

  /** Ends the profile, with fewer steps where the run had fewer. */
  async end(): Promise<void> {
    this.#ended = true;
    const profiler = this.#profiler;
    this.#profiler = undefined;
    if (profiler && profiler.steps > 0) this.#done(await profiler.stop());
    profiler?.cancel();
  }

  /** Stops watching, without a profile. */
  cancel(): void {
    this.#ended = true;
    this.#profiler?.cancel();
  }
}

/** The sums of a profile with what it is of: an entry of `profile.json`. */
export interface ProfileRecord extends ProfileSummary {
  /** Paper, run and seed, or what else was profiled. */
  readonly name: string;
  /** Runs that shared the processor, and the threads of each. */
  readonly jobs: number;
  readonly threads: number;
}

/** The profiles of one command, written to its folder as soon as there is one: `profile.json` with the sums and `trace.json`. */
export class ProfileFolder {
  readonly #out: string;
  readonly #profiles = new Map<string, Profile>();
  readonly #records = new Map<string, ProfileRecord>();
  #writing: Promise<void> = Promise.resolve();

  constructor(out: string) {
    this.#out = out;
  }

  get records(): readonly ProfileRecord[] {
    return [...this.#records.values()];
  }

  get traceFile(): string {
    return path.join(this.#out, 'trace.json');
  }

  has(name: string): boolean {
    return this.#records.has(name);
  }

  /** A profile of the same name takes the place of the one before. */
  add(name: string, profile: Profile, { jobs, threads }: Pick<ProfileRecord, 'jobs' | 'threads'>): void {
    this.#profiles.set(name, profile);
    this.#records.set(name, { name, jobs, threads, ...summarize(profile) });
    const [records, trace] = [this.records, chromeTrace(Object.fromEntries(this.#profiles))];
    this.#writing = this.#writing.then(async () => {
      await writeJson(path.join(this.#out, 'profile.json'), records);
      // Compact: there is a line of it for every launch, and programs read it.
      await writeWhole(this.traceFile, JSON.stringify(trace));
    });
    // Told to the one who waits.
    this.#writing.catch(() => undefined);
  }

  /** Resolves when all files are there, and rejects if one could not be written. */
  written(): Promise<void> {
    return this.#writing;
  }
}

/** Marks the first run of each table that is still to be made, `undone` being told of tables that have none. */
export function profiledTasks(
  tables: readonly { readonly name: string; readonly keys: readonly string[] }[],
  pending: ReadonlySet<string>,
  undone: (table: string) => void,
): Set<string> {
  const chosen = new Set<string>();
  for (const { name, keys } of tables) {
    if (keys.length === 0) continue;
    const first = keys.find((key) => pending.has(key));
    if (first === undefined) undone(name);
    else chosen.add(first);
  }
  return chosen;
}
