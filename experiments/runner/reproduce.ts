// A whole command: which runs the chosen tables need, which of them are on disk, training the others, judging, writing.
import { access, constants } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ConfigError, type DeviceChoice, type DeviceName, type Tuning } from '../../engine/index.ts';
import { takes } from '../../engine/call-check.ts';
import { flag, list, mapping, number, record, requiredOptions, text } from '../../engine/parameters.ts';
import { checkShared } from '../parallel/exchange.ts';
import { buildView, provenanceView } from '../report/build.ts';
import type { View } from '../report/view.ts';
import { makeFolder, notWritable } from './files.ts';
import { lockFolder } from './folder-lock.ts';
import { buildManifest } from './manifest.ts';
import type { PresetName } from './paper.ts';
import { type PlannedRun, queueOf, storeOf, urgencies } from './needs.ts';
import { dataByPaper, describeParts, needsOf, type Part, planParts, planRuns, type Selection } from './plan.ts';
import { type PoolEvents, type QueuedRun, runTasks } from './pool.ts';
import { type DeviceFound, resolveDevice } from './probe.ts';
import { ProfileFolder, profiledTasks } from './profile.ts';
import { type ExpectedRun, RecordedDisplay } from './progress-file.ts';
import { type Display, keyOf, Progress } from './progress.ts';
import { gatherTable, type RunOutcomes } from './results.ts';
import { runsOf } from './runs.ts';
import { type Shard, shardsOf } from './shard.ts';
import type { Notice } from './store.ts';
import { writeFolder } from './write-folder.ts';

export type { Selection } from './plan.ts';

/** Options of `reproduce`. */
export interface ReproduceOptions {
  readonly selection: readonly Selection[];
  readonly preset: PresetName;
  /** Default: as many from 0 on as the paper has for the preset. */
  readonly seeds?: readonly number[] | undefined;
  /** Settings to change in all runs: texts by key, as `--set` takes them. */
  readonly set?: ReadonlyMap<string, string> | undefined;
  readonly data?: string | undefined;
  readonly device: DeviceChoice;
  /** Measured tables of plans, of which the device takes its own. */
  readonly tuning?: Tuning | undefined;
  readonly out: string;
  /** Worker processes. Default: one per core, or per so many cores as there are replicas; one on webgpu. */
  readonly jobs?: number | undefined;
  /** Threads that make each run together, each some of the parts of its batches: the bits are the same for any number. Default: 1. */
  readonly replicas?: number | undefined;
  /** Parts that each batch is made of, a multiple of the replicas. They are part of what a run is. Default: as many as replicas. */
  readonly parts?: number | undefined;
  /** Only this part of the runs is made; the others stand in the tables as far as they are on disk. */
  readonly shard?: Shard | undefined;
  /** Has the runs made by the workers of a queue. `url`: of a Redis or Valkey server; `priority`: 1 to 100, smaller is sooner. */
  readonly queue?: { readonly url: string; readonly priority?: number | undefined } | undefined;
  /** Profile some steps of the first run of each table. */
  readonly profile?: boolean | undefined;
  /** Run training steps as they are, without `compile`: the bits are the same. */
  readonly eager?: boolean | undefined;
  /** false: the wasm device does not ask for vectors of 256 bits. The bits are the same. */
  readonly wide?: boolean | undefined;
  readonly commandLine: readonly string[];
  readonly display: Display;
  readonly signal: AbortSignal;
}

/** What `reproduce` has made. */
export interface Reproduction {
  /** Undefined when it was stopped. */
  readonly view: View | undefined;
  readonly failures: ReadonlyMap<string, string>;
  readonly profiles: ProfileFolder;
  /** True when it was stopped before the end; nothing but finished runs and checkpoints has been written then. */
  readonly stopped: boolean;
}

/** The runs that a command stands for, before any is made. */
export interface Plan {
  readonly parts: readonly Part[];
  readonly device: { readonly name: DeviceName; readonly notice: string };
  /** Of all parts, where the command is for one of them. */
  readonly runs: readonly PlannedRun[];
  /** The part that a run belongs to; undefined for those that this command makes. */
  readonly elsewhere: (key: string) => number | undefined;
}

/** Makes the folder. Throws ConfigError if nothing can be written there. */
export async function checkWritable(out: string): Promise<void> {
  try {
    await makeFolder(out);
    await access(out, constants.W_OK);
  } catch (cause) {
    throw notWritable(out, cause);
  }
}

/** One line about the device. */
function deviceNotice({ name, description, why }: DeviceFound): string {
  const notice = `device ${name}: ${description}${why && `. Not webgpu: ${why}`}`;
  // Every run has threads of its own, which are told elsewhere.
  return notice.replace(/ \[at [^\]]+\]|, \d+ threads?(?=\))/g, '');
}

/** The settings that are asked for, the parts of a batch among them. Throws ConfigError where they cannot be shared out. */
function withParts({ set = new Map<string, string>(), replicas = 1, parts }: Partial<ReproduceOptions>) {
  if (parts !== undefined && set.has('parts')) throw new ConfigError("'parts' is set twice");
  const count = parts ?? Number(set.get('parts') ?? replicas);
  // What is no number of parts is refused with the settings.
  if (Number.isInteger(count)) checkShared(count, replicas);
  return new Map(set).set('parts', set.get('parts') ?? String(count));
}

async function planWith(options: Omit<ReproduceOptions, 'display'>, notice: Notice): Promise<Plan> {
  const out = path.resolve(options.out);
  const { data, tuning, signal, shard } = options;
  const parts = await planParts({ ...options, set: withParts(options) });
  const found = await resolveDevice(options.device, signal);
  const device = { name: found.name, notice: deviceNotice(found) };
  const runs = await planRuns(parts, { out, device: device.name, data, tuning, notice });
  const shards = shard && shardsOf(runs, shard.count);
  const elsewhere = (key: string): number | undefined => {
    const its = shards?.get(key);
    return its === shard?.index ? undefined : its;
  };
  return { parts, device, runs, elsewhere };
}

/**
 * What a command with these options will do; undefined where it was stopped meanwhile. `notice` is told of finished runs that are
 * damaged.
 */
export async function plan(options: Omit<ReproduceOptions, 'display'>, notice: Notice): Promise<Plan | undefined> {
  try {
    return await planWith(options, notice);
  } catch (error) {
    if (options.signal.aborted) return undefined;
    throw error;
  }
}

const takesReproduce = takes('reproduce', {
  options: requiredOptions<ReproduceOptions>(
    {
      selection: list,
      preset: text,
      seeds: list,
      set: mapping,
      data: text,
      device: text,
      tuning: record,
      out: text,
      jobs: number,
      replicas: number,
      parts: number,
      shard: record,
      queue: record,
      profile: flag,
      eager: flag,
      wide: flag,
      commandLine: list,
      display: record,
      signal: record,
    },
    'selection',
    'preset',
    'device',
    'out',
    'commandLine',
    'display',
    'signal',
  ),
});

/**
 * Makes the runs of the selected tables, or resumes them, and writes results, manifest and report to `out`. Rejects with ConfigError for options that do
 * not exist, with the nearest name, and with ConfigError, DataError or DeviceError where nothing can be trained.
 */
export async function reproduce(...args: [options: ReproduceOptions]): Promise<Reproduction> {
  const [options] = takesReproduce(args);
  const out = path.resolve(options.out);
  await checkWritable(out);
  const unlock = await lockFolder(out);
  const display = new RecordedDisplay(options.display, out, options.commandLine);
  let ended: 'done' | 'stopped' = 'stopped';
  try {
    const made = await reproduceIn(out, options, display);
    if (!made.stopped) ended = 'done';
    return made;
  } finally {
    await display.close(ended);
    await unlock();
  }
}

/** A run as progress.json names it. */
const expectedRun = (planned: PlannedRun, out: string): ExpectedRun => ({
  paper: planned.request.paper,
  run: planned.request.run,
  seed: planned.request.seed,
  isDone: planned.record !== undefined,
  place: async () => (await storeOf(planned, out)).place,
});

async function reproduceIn(out: string, options: ReproduceOptions, display: RecordedDisplay): Promise<Reproduction> {
  const { signal } = options;
  const planned = await plan(options, (text) => display.notice(text));
  if (!planned) return { view: undefined, failures: new Map(), profiles: new ProfileFolder(out), stopped: true };
  const { parts, device, runs, elsewhere } = planned;
  display.notice(device.notice);
  describeParts(parts).forEach((line) => display.notice(line));

  const records = new Map(runs.flatMap(({ key, record }) => (record ? [[key, record]] : [])));
  const failures = new Map<string, string>();
  const own = runs.filter(({ key }) => elsewhere(key) === undefined);
  const pending = own.filter(({ record }) => !record);
  const profiled = options.profile
    ? profiledTasks(
        parts.flatMap(({ paper, tables, seeds }) =>
          tables.map((table) => ({
            name: `${paper.name}/${table.name}`,
            keys: runsOf(table).flatMap((run) => seeds.map((seed) => keyOf({ paper: paper.name, run: run.key, seed }))),
          })),
        ),
        new Set(pending.map(({ key }) => key)),
        (table) => display.notice(`${table}: nothing to profile, all its runs are on disk; choose another --out`),
      )
    : new Set<string>();
  // Long runs first, and those that long ones wait for, so that the last ones to end are short; before them those whose profile is
  // waited for.
  const isProfiled = ({ key }: PlannedRun): boolean => profiled.has(key);
  const urgency = urgencies(pending);
  pending.sort((a, b) => Number(isProfiled(b)) - Number(isProfiled(a)) || urgency.get(b.key)! - urgency.get(a.key)!);
  if (options.shard) {
    const { index, count } = options.shard;
    display.notice(`part ${index} of ${count}: ${own.length} of ${runs.length} runs`);
  }
  if (records.size > 0) display.notice(`${records.size} of ${runs.length} runs are on disk already`);

  const cores = os.availableParallelism();
  const { replicas = 1 } = options;
  const atOnce = device.name === 'webgpu' ? 1 : Math.max(1, Math.floor(cores / replicas));
  const jobs = Math.max(1, Math.min(options.jobs ?? atOnce, pending.length));
  const threads = Math.max(1, Math.floor(cores / (jobs * replicas)));
  if (pending.length > 0) {
    const each = `${replicas > 1 ? `${replicas} replicas of ` : ''}${threads} thread(s) each`;
    const how = options.queue ? 'by the workers of the queue' : `${jobs} at a time, ${each}`;
    display.notice(`${pending.length} runs to make, ${how}`);
  }
  const done = own.filter(({ record }) => record);
  await display.expect([...done, ...pending].map((run) => expectedRun(run, out)));
  const tasks = queueOf(pending, out, ({ key }) => ({
    threads,
    replicas,
    profile: profiled.has(key),
    eager: options.eager,
    wide: options.wide,
  }));
  const profiles = new ProfileFolder(out);
  const costs = new Map(pending.map(({ key, cost }) => [key, cost]));
  const isOwn = (keys: readonly string[]): boolean => keys.every((key) => elsewhere(key) === undefined);
  const found = own.flatMap(({ key, record }) => (record ? [key] : []));
  const progress = new Progress(needsOf(parts).filter(isOwn), found, [...costs.values()]);
  const tell = (type: 'started' | 'done' | 'failed', { request }: QueuedRun, rest: object = {}): void => {
    const { paper, run, seed } = request;
    display.run({ type, paper, run, seed, ...rest }, progress.snapshot());
  };
  const events: PoolEvents = {
    started(task) {
      progress.start(task, costs.get(keyOf(task.request))!);
      tell('started', task);
    },
    progress(task, done, total) {
      progress.update(task, done, total);
      display.progress(progress.snapshot());
    },
    profile(task, profile) {
      profiles.add(keyOf(task.request), profile, { jobs, threads });
      display.notice(`profile of ${keyOf(task.request)}: ${profiles.traceFile}`);
    },
    notice(task, text) {
      display.notice(`${keyOf(task.request)}: ${text}`);
    },
    done(task) {
      tell('done', task, { seconds: progress.finish(task) });
    },
    failed(task, message) {
      progress.finish(task);
      failures.set(keyOf(task.request), message);
      tell('failed', task, { message });
    },
  };
  try {
    const { queue } = options;
    if (!queue) await runTasks(tasks, jobs, events, signal);
    else if (pending.length > 0) {
      const { makeByQueue } = await import('../queue/producer.ts');
      await makeByQueue({ runs: pending, tasks, out, events, signal, say: (text) => display.notice(text) }, queue);
    }
  } finally {
    display.end();
  }
  await profiles.written();
  for (const key of profiled) {
    if (!profiles.has(key) && !failures.has(key) && !signal.aborted)
      display.notice(`no profile of ${key}: it had too few steps left`);
  }
  if (signal.aborted) return { view: undefined, failures, profiles, stopped: true };

  for (const run of pending) {
    const record = failures.has(run.key) ? undefined : await (await storeOf(run, out)).read();
    if (record) records.set(run.key, record);
  }
  const outcomes: RunOutcomes = {
    record: (paper, run, seed) => records.get(keyOf({ paper, run, seed })),
    failure: (paper, run, seed) => {
      const key = keyOf({ paper, run, seed });
      const message = failures.get(key);
      if (message) return `the run of seed ${seed} failed: ${message.split('\n')[0]}`;
      const part = elsewhere(key);
      return part === undefined ? undefined : `the run of seed ${seed} is in part ${part} of ${options.shard!.count}`;
    },
  };
  const known = parts.flatMap(({ paper, tables, preset, seeds, set, data }) =>
    tables.map((table) => gatherTable(paper, table, { preset, device: device.name, data, seeds, set }, outcomes)),
  );
  const manifest = buildManifest(known, records.values(), dataByPaper(parts), options.commandLine);
  const view = buildView(known, [provenanceView(options.out, manifest)]);
  await writeFolder(out, known, manifest, view);
  return { view, failures, profiles, stopped: false };
}
