// A whole command: which runs the chosen tables need, which of them are on disk, training the others, judging, writing.
import { access, constants } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ConfigError, createDevice, type DeviceChoice, type DeviceName, type Tuning } from '../../engine/index.ts';
import { buildView, provenanceView } from '../report/build.ts';
import { writeReport } from '../report/report.ts';
import type { TableView, View } from '../report/view.ts';
import { makeFolder } from './files.ts';
import { buildManifest } from './manifest.ts';
import type { DataFacts, Paper, PresetName, TableDefinition } from './paper.ts';
import { runTasks } from './pool.ts';
import { ProfileFolder, profiledTasks } from './profile.ts';
import { type Display, keyOf, Progress } from './progress.ts';
import { writeResults } from './result-files.ts';
import { gatherTable, noData, type RunOutcomes } from './results.ts';
import { cellsOf, runsOf, settingsOf } from './runs.ts';
import { writeSealed } from './seal.ts';
import { type RunRecord, type RunRequest, RunStore } from './store.ts';
import type { WorkerTask } from './worker.ts';

export interface Selection {
  readonly paper: Paper;
  readonly tables: readonly TableDefinition[];
  /** Overrides the preset of the command for this paper. */
  readonly preset?: PresetName;
  readonly seeds?: number;
}

export interface ReproduceOptions {
  readonly selection: readonly Selection[];
  readonly preset: PresetName;
  /** Number of seeds, 0 to n - 1. Default: the paper's own for the preset. */
  readonly seeds?: number | undefined;
  readonly data?: string | undefined;
  readonly device: DeviceChoice;
  /** Measured tables of plans, of which the device takes its own. */
  readonly tuning?: Tuning | undefined;
  readonly out: string;
  /** Worker processes. Default: one per core, one on webgpu. */
  readonly jobs?: number | undefined;
  /** Profile some steps of the first run of each table. */
  readonly profile?: boolean | undefined;
  readonly commandLine: readonly string[];
  readonly display: Display;
  readonly signal: AbortSignal;
}

export interface Reproduction {
  /** Undefined when it was stopped. */
  readonly view: View | undefined;
  readonly failures: ReadonlyMap<string, string>;
  readonly profiles: ProfileFolder;
  /** True when it was stopped before the end; nothing but finished runs and checkpoints has been written then. */
  readonly stopped: boolean;
}

/** One table's paper with its preset, seeds and data. */
interface Part {
  readonly paper: Paper;
  readonly tables: readonly TableDefinition[];
  readonly preset: PresetName;
  readonly seeds: readonly number[];
  readonly data: DataFacts;
}

/** Makes the folder. Throws ConfigError if nothing can be written there. */
export async function checkWritable(out: string): Promise<void> {
  try {
    await makeFolder(out);
    await access(out, constants.W_OK);
  } catch (cause) {
    throw new ConfigError(`nothing can be written to '${out}'`, {
      given: (cause as NodeJS.ErrnoException).code ?? String(cause),
      hint: 'Choose another folder with --out',
      cause,
    });
  }
}

/** The device that a choice stands for here, with its description. Throws DeviceError with what to install. */
export async function resolveDevice(choice: DeviceChoice): Promise<{ name: DeviceName; notice: string }> {
  let why = '';
  const device = await createDevice(choice, { threads: 1, why: (reason) => (why = reason) });
  const { name, description } = device;
  device.dispose();
  return { name, notice: `device ${name}: ${description}${why && `. Not webgpu: ${why}`}` };
}

export async function reproduce(options: ReproduceOptions): Promise<Reproduction> {
  const { display, signal } = options;
  const out = path.resolve(options.out);
  await checkWritable(out);
  const parts: Part[] = [];
  for (const { paper, tables, preset = options.preset, seeds: own } of options.selection) {
    const count = options.seeds ?? own ?? paper.defaultSeeds(preset);
    const seeds = Array.from({ length: count }, (_, seed) => seed);
    const trains = tables.some((table) => runsOf(table).length > 0);
    parts.push({ paper, tables, preset, seeds, data: trains ? await paper.dataFacts(preset, options.data) : noData });
  }
  const device = await resolveDevice(options.device);
  // Every run has threads of its own, which are told below.
  display.notice(device.notice.replace(/ \[at [^\]]+\]|, \d+ threads?(?=\))/g, ''));
  for (const { paper, preset, seeds, data } of parts.filter((part) => part.data !== noData)) {
    const stand = data.real ? '' : ", a stand-in for the paper's data";
    display.notice(`${paper.name}: preset ${preset}, ${seeds.length} seed(s), data: ${data.name}${stand}`);
  }

  const records = new Map<string, RunRecord>();
  const failures = new Map<string, string>();
  const pending: { task: WorkerTask; cost: number }[] = [];
  const needs: string[][] = [];
  const seen = new Set<string>();
  for (const { paper, tables, preset, seeds, data } of parts) {
    for (const table of tables) {
      for (const { cell } of cellsOf(table)) {
        const { run } = cell;
        if (run) needs.push(seeds.map((seed) => keyOf({ paper: paper.name, run: run.key, seed })));
      }
      for (const run of runsOf(table)) {
        for (const seed of seeds) {
          const { data: folder, tuning } = options;
          const request: RunRequest = {
            paper: paper.name,
            run: run.key,
            seed,
            preset,
            device: device.name,
            data: folder,
            tuning,
          };
          if (seen.has(keyOf(request))) continue;
          seen.add(keyOf(request));
          const record = await new RunStore(out, request, paper, data).read();
          if (record) records.set(keyOf(request), record);
          else
            pending.push({
              task: { request, out, dataFacts: data, threads: 1 },
              cost: paper.cost(settingsOf(run, preset)),
            });
        }
      }
    }
  }
  const profiled = options.profile
    ? profiledTasks(
        parts.flatMap(({ paper, tables, seeds }) =>
          tables.map((table) => ({
            name: `${paper.name}/${table.name}`,
            keys: runsOf(table).flatMap((run) => seeds.map((seed) => keyOf({ paper: paper.name, run: run.key, seed }))),
          })),
        ),
        new Set(pending.map(({ task }) => keyOf(task.request))),
        (table) => display.notice(`${table}: nothing to profile, all its runs are on disk; choose another --out`),
      )
    : new Set<string>();
  // Long runs first, so that the last ones to end are short; before them those whose profile is waited for.
  const isProfiled = ({ task }: (typeof pending)[number]): boolean => profiled.has(keyOf(task.request));
  pending.sort((a, b) => Number(isProfiled(b)) - Number(isProfiled(a)) || b.cost - a.cost);
  if (records.size > 0) display.notice(`${records.size} of ${seen.size} runs are on disk already`);

  const cores = os.availableParallelism();
  const jobs = Math.max(1, Math.min(options.jobs ?? (device.name === 'webgpu' ? 1 : cores), pending.length));
  const threads = Math.max(1, Math.floor(cores / jobs));
  if (pending.length > 0)
    display.notice(`${pending.length} runs to make, ${jobs} at a time, ${threads} thread(s) each`);
  const tasks = pending.map(({ task }) => ({ ...task, threads, profile: profiled.has(keyOf(task.request)) }));
  const profiles = new ProfileFolder(out);
  const costs = new Map(pending.map(({ task, cost }) => [keyOf(task.request), cost]));
  const progress = new Progress(needs, [...records.keys()], [...costs.values()]);
  const tell = (type: 'started' | 'done' | 'failed', { request }: WorkerTask, rest: object = {}): void => {
    const { paper, run, seed } = request;
    display.run({ type, paper, run, seed, ...rest }, progress.snapshot());
  };
  try {
    await runTasks(
      tasks,
      jobs,
      {
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
        done(task) {
          tell('done', task, { seconds: progress.finish(task) });
        },
        failed(task, message) {
          progress.finish(task);
          failures.set(keyOf(task.request), message);
          tell('failed', task, { message });
        },
      },
      signal,
    );
  } finally {
    display.end();
  }
  await profiles.written();
  for (const key of profiled) {
    if (!profiles.has(key) && !failures.has(key) && !signal.aborted)
      display.notice(`no profile of ${key}: it had too few steps left`);
  }
  if (signal.aborted) return { view: undefined, failures, profiles, stopped: true };

  for (const { request } of tasks) {
    const part = parts.find(({ paper }) => paper.name === request.paper)!;
    const record = await new RunStore(out, request, part.paper, part.data).read();
    if (record) records.set(keyOf(request), record);
  }
  const outcomes: RunOutcomes = {
    record: (paper, run, seed) => records.get(keyOf({ paper, run, seed })),
    failure: (paper, run, seed) => {
      const message = failures.get(keyOf({ paper, run, seed }));
      return message && `the run of seed ${seed} failed: ${message.split('\n')[0]}`;
    },
  };
  const known = parts.flatMap(({ paper, tables, preset, seeds, data }) =>
    tables.map((table) => gatherTable(paper, table, { preset, device: device.name, data, seeds }, outcomes)),
  );
  const facts = new Map(parts.map(({ paper, data }) => [paper.name, data]));
  const manifest = buildManifest(known, records.values(), facts, options.commandLine);
  const view = buildView(known, [provenanceView(options.out, manifest)]);
  const views = view.papers.flatMap(({ tables }): readonly TableView[] => tables);
  await writeResults(
    out,
    known.map((each, i) => ({ known: each, view: views[i]! })),
  );
  await writeSealed(path.join(out, 'manifest.json'), manifest);
  await writeReport(path.join(out, 'report.html'), view);
  return { view, failures, profiles, stopped: false };
}
