// `wgrad reproduce` and the quick tour: choose what to run, run it, print the tables.
import path from 'node:path';
import { ConfigError, type DeviceChoice } from '../../engine/index.ts';
import { papers } from '../papers/index.ts';
import type { PresetName } from '../runner/paper.ts';
import type { Display } from '../runner/progress.ts';
import { reproduce, type Selection } from '../runner/reproduce.ts';
import { readTuning } from '../runner/tuning.ts';
import { barDisplay, jsonDisplay, lineDisplay } from './display.ts';
import { profileText } from './profile.ts';
import { select } from './select.ts';
import { DEFAULT_WIDTH, tableText } from './tables.ts';

export interface ReproduceFlags {
  preset: PresetName;
  seeds?: number;
  data?: string;
  device: DeviceChoice;
  /** A file of measured tables. */
  tuning?: string;
  out?: string;
  jobs?: number;
  json?: boolean;
  profile?: boolean;
}

export const EXIT_INTERRUPTED = 130;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function displayFor(json: boolean): Display {
  if (json) return jsonDisplay(print);
  return process.stderr.isTTY ? barDisplay() : lineDisplay((line) => void process.stderr.write(`${line}\n`));
}

/** Runs a selection, prints its tables and returns the exit status: 0, 1 if a run failed, 130 if interrupted. */
async function run(selection: readonly Selection[], flags: ReproduceFlags, command: string): Promise<number> {
  const out = path.resolve(flags.out ?? path.join('runs', flags.preset));
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const display = displayFor(flags.json ?? false);
  try {
    const { view, failures, profiles, stopped } = await reproduce({
      ...flags,
      tuning: flags.tuning === undefined ? undefined : await readTuning(flags.tuning),
      selection,
      out,
      commandLine: ['wgrad', ...process.argv.slice(2)],
      display,
      signal: stop.signal,
    });
    const width = process.stdout.columns || DEFAULT_WIDTH;
    for (const profile of profiles.records) {
      if (flags.json) print(JSON.stringify({ type: 'profile', ...profile }));
      else print(`${profileText(profile, profiles.traceFile, width)}\n`);
    }
    if (stopped || !view) {
      display.notice(`Stopped. What is finished is in ${out}; to go on: ${command}`);
      return EXIT_INTERRUPTED;
    }
    const tables = view.papers.flatMap((paper) => paper.tables);
    if (flags.json) {
      for (const table of tables) print(JSON.stringify({ type: 'table', ...table, panels: [] }));
    } else {
      for (const table of tables) print(`${tableText(table, width)}\n`);
      print(`Report: ${path.join(out, 'report.html')}`);
    }
    for (const [key, message] of failures) process.stderr.write(`${key} failed: ${message}\n`);
    return failures.size > 0 ? 1 : 0;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

const again = (): string => ['wgrad', ...process.argv.slice(2)].join(' ');

export const reproduceCommand = (names: readonly string[], flags: ReproduceFlags): Promise<number> =>
  run(select(names, papers), flags, again());

/** The tables that papers offer for it, with the presets that they choose: a few minutes on two cores. */
export async function tour(flags: ReproduceFlags): Promise<number> {
  if (flags.seeds !== undefined) throw new ConfigError('the tour has seeds of its own; use `wgrad reproduce --seeds`');
  const names = papers.flatMap(({ name, tour }) => tour?.tables.map((table) => `${name}/${table}`) ?? []);
  const selection = select(names, papers).map((each): Selection => ({ ...each, preset: each.paper.tour!.preset }));
  return run(selection, flags, again());
}
