// manifest.json: everything needed to say where numbers came from. Written beside the results.
import os from 'node:os';
import { version } from '../../package.json';
import { type JudgedTable, noData } from './results.ts';
import type { DataFacts, PresetName } from './paper.ts';

export interface Manifest {
  readonly wgrad: string;
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly device: Record<string, unknown>;
  /** Checksum of the measured table of plans, or why it was not used; absent without one. */
  readonly tuning?: string;
  /** Plans used, by kernel, over all runs. */
  readonly plans: Record<string, string[]>;
  /** What each paper was run with. */
  readonly papers: Record<string, { preset: PresetName; seeds: readonly number[]; data: DataFacts }>;
  /** Numbers that decided each run, by paper and run. */
  readonly configurations: Record<string, Record<string, unknown>>;
  readonly commandLine: readonly string[];
  readonly finished: string;
}

export const wgradVersion: string = version;

export function buildManifest(tables: readonly JudgedTable[], commandLine: readonly string[]): Manifest {
  const plans = new Map<string, Set<string>>();
  const configurations: Record<string, Record<string, unknown>> = {};
  let device: Record<string, unknown> = {};
  let tuning: string | undefined;
  for (const { records } of tables) {
    for (const [run, list] of records) {
      for (const record of list) {
        const { plans: used, ...facts } = record.device;
        device = facts;
        tuning = facts.facts.tuning === undefined ? undefined : String(facts.facts.tuning);
        (configurations[record.paper] ??= {})[run] = record.configuration;
        for (const [kernel, names] of Object.entries(used)) {
          plans.set(kernel, new Set([...(plans.get(kernel) ?? []), ...names]));
        }
      }
    }
  }
  return {
    wgrad: wgradVersion,
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    processor: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    device,
    ...(tuning === undefined ? {} : { tuning }),
    plans: Object.fromEntries([...plans].sort().map(([kernel, names]) => [kernel, [...names].sort()])),
    papers: Object.fromEntries(
      tables
        .filter(({ data }) => data !== noData)
        .map(({ paper, result, seeds, data }) => [paper.name, { preset: result.preset, seeds, data }]),
    ),
    configurations,
    commandLine,
    finished: new Date().toISOString(),
  };
}
