// `wgrad reproduce` and the quick tour: choose what to run, run it, print the tables.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, type DeviceChoice, readCheckpoint } from '../../engine/index.ts';
import { sha256OfFile } from '../data/files.ts';
import { papers } from '../papers/index.ts';
import { writeWhole } from '../runner/files.ts';
import { selectOnly } from '../runner/only.ts';
import { splitSettings } from '../runner/overrides.ts';
import type { PresetName } from '../runner/paper.ts';
import type { Display } from '../runner/progress.ts';
import { reproduce, type Selection } from '../runner/reproduce.ts';
import type { Shard } from '../runner/shard.ts';
import { readTuning } from '../runner/tuning.ts';
import { canRedraw, styled } from './colour.ts';
import { barDisplay, jsonDisplay, lineDisplay } from './display.ts';
import { dryRun } from './dry-run.ts';
import { type EmitFlags, jobText, shardFolder } from './emit.ts';
import { EXIT_FAILED, plainMessage } from './errors.ts';
import { isReaderGone, print, say } from './output.ts';
import { profileText } from './profile.ts';
import { select } from './select.ts';
import { commandGiven } from './shell.ts';
import { untilSignal } from './signals.ts';
import { DEFAULT_WIDTH, tableText } from './tables.ts';

export interface ReproduceFlags extends EmitFlags {
  preset: PresetName;
  seeds?: readonly number[];
  /** Rows and columns of the chosen tables. */
  only?: readonly string[];
  /** `key=value` texts. */
  set?: readonly string[];
  dryRun?: boolean;
  data?: string;
  device: DeviceChoice;
  /** Files of pretrained weights. */
  weights?: readonly string[];
  /** A file of measured tables. */
  tuning?: string;
  out?: string;
  jobs?: number;
  /** Threads that make each run together. */
  replicas?: number;
  /** Parts that each batch is made of. */
  parts?: number;
  /** The server of a queue whose workers make the runs. */
  queue?: string;
  priority?: number;
  /** Only this part of the runs. */
  shard?: Shard;
  json?: boolean;
  profile?: boolean;
  eager?: boolean;
  wide?: boolean;
}

function displayFor(json: boolean): Display {
  if (json) return jsonDisplay(print);
  return canRedraw(process.stderr) ? barDisplay(process.stderr) : lineDisplay(say);
}

/** The last lines of a command: which runs failed, why, and what to do. */
async function tellFailures(out: string, failures: ReadonlyMap<string, string>): Promise<void> {
  const file = path.join(out, 'failures.txt');
  if (failures.size === 0) {
    await rm(file, { force: true });
    return;
  }
  await writeWhole(file, [...failures].map(([key, message]) => `${key}\n${message}\n`).join('\n'));
  say(styled('red', `${failures.size} run(s) failed:`));
  for (const [key, message] of failures) say(`  ${key}: ${plainMessage(message.split('\n')[0])}`);
  say(`Where in the code: ${file}. To try them again: ${commandGiven()}`);
}

/** Settings as texts, files of weights among them: each with the backbone that it names and its checksum. */
async function settingsFrom({ set = [], weights = [] }: ReproduceFlags): Promise<Map<string, string>> {
  const settings = splitSettings(set);
  if (weights.length === 0) return settings;
  const files = [];
  for (const given of weights) {
    const file = path.resolve(given);
    const { backbone } = (await readCheckpoint(file)).metadata;
    if (backbone === undefined) {
      throw new ConfigError(`${given} does not say which backbone it is for`, {
        hint: 'Make it with `wgrad weights import FILE --for BACKBONE --out F.safetensors`',
      });
    }
    files.push({ backbone, file, sha256: await sha256OfFile(file) });
  }
  return settings.set('weights', JSON.stringify(files));
}

/** Runs a selection, prints its tables and returns the exit status: 0, 1 if a run failed, 128 + n if stopped by signal n. */
async function run(selection: readonly Selection[], flags: ReproduceFlags): Promise<number> {
  const {
    preset,
    seeds,
    data,
    device,
    jobs,
    replicas,
    parts,
    profile,
    eager,
    wide,
    shard,
    only,
    dryRun: isDry = false,
    json = false,
  } = flags;
  const usual = path.join('runs', preset);
  const out = path.resolve(flags.out ?? (shard ? shardFolder(usual, shard.index, shard.count) : usual));
  const options = {
    ...{ preset, seeds, data, device, jobs, replicas, parts, profile, eager, wide, shard },
    set: await settingsFrom(flags),
    queue: flags.queue === undefined ? undefined : { url: flags.queue, priority: flags.priority },
    tuning: flags.tuning === undefined ? undefined : await readTuning(flags.tuning),
    selection: only ? selectOnly(selection, only) : selection,
    out,
    commandLine: ['wgrad', ...process.argv.slice(2)],
  };
  if (isDry) {
    const { result, stoppedWith } = await untilSignal((signal) => dryRun({ ...options, signal }, json));
    return stoppedWith ?? result;
  }
  const display = displayFor(json);
  const { result, stoppedWith } = await untilSignal((signal) => reproduce({ ...options, display, signal }));
  const { view, failures, profiles } = result;
  const width = process.stdout.columns || DEFAULT_WIDTH;
  for (const profile of profiles.records) {
    if (json) print(JSON.stringify({ type: 'profile', ...profile }));
    else print(`${profileText(profile, profiles.traceFile, width)}\n`);
  }
  if (!view) {
    display.notice(`Stopped. What is finished is in ${out}; to go on: ${commandGiven()}`);
    return stoppedWith ?? EXIT_FAILED;
  }
  const tables = view.papers.flatMap((paper) => paper.tables);
  if (json) {
    for (const table of tables) print(JSON.stringify({ type: 'table', ...table, panels: [] }));
  } else {
    for (const table of tables) print(`${tableText(table, width)}\n`);
    print(`Report: ${path.join(out, 'report.html')}`);
  }
  if (isReaderGone()) say(`Nothing reads the output any more; the results are in ${out}`);
  await tellFailures(out, failures);
  return failures.size > 0 ? EXIT_FAILED : 0;
}

export async function reproduceCommand(names: readonly string[], flags: ReproduceFlags): Promise<number> {
  const selection = select(names, papers);
  if (flags.emit === undefined) return run(selection, flags);
  if (flags.only) selectOnly(selection, flags.only);
  print(jobText(flags.emit, flags, flags.out ?? path.join('runs', flags.preset)));
  return 0;
}

/** The tables that papers offer for it, with the presets that they choose: a few minutes on two cores. */
export async function tour(flags: ReproduceFlags): Promise<number> {
  if (flags.seeds !== undefined) throw new ConfigError('the tour has seeds of its own; use `wgrad reproduce --seeds`');
  const names = papers.flatMap(({ name, tour }) => tour?.tables.map((table) => `${name}/${table}`) ?? []);
  const selection = select(names, papers).map((each): Selection => ({ ...each, preset: each.paper.tour!.preset }));
  return run(selection, flags);
}
