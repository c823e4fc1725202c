// manifest.json: everything needed to say where numbers came from. Written beside the results.
import os from 'node:os';
import { version } from '../../package.json';
import { type BuildFacts, buildFacts } from './build-facts.ts';
import { noData, type TableData } from './results.ts';
import type { DataFacts, PresetName } from './paper.ts';
import { RESULT_VERSION, type RunRecord } from './store.ts';

/** Raised when a reader of the version before would misunderstand the file. Manifests without a version are of 1. */
export const MANIFEST_VERSION = 2;

export interface Manifest {
  readonly version: number;
  readonly wgrad: string;
  /** The sources it was built from; absent in manifests of earlier versions, as are the next two. */
  readonly source?: BuildFacts['source'];
  readonly lock?: string;
  /** `RESULT_VERSION` of the runs. */
  readonly resultVersion?: number;
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly device: Record<string, unknown>;
  /** Checksum of the measured table of plans, or why it was not used; absent without one. */
  readonly tuning?: string | undefined;
  /** Plans used, by kernel, over all runs. */
  readonly plans: Record<string, string[]>;
  /** The most threads that have made a run together (`--replicas`); absent where each was made by one. */
  readonly replicas?: number | undefined;
  /** What each paper was run with. */
  readonly papers: Record<string, { preset: PresetName; seeds: readonly number[]; data: DataFacts }>;
  /** Numbers that decided each run, by paper and run. */
  readonly configurations: Record<string, Record<string, unknown>>;
  readonly commandLine: readonly string[];
  readonly finished: string;
}

export const wgradVersion: string = version;

/** `records`: of all runs that the tables read. `facts`: the data of each paper that was trained, by name. */
export function buildManifest(
  tables: readonly TableData[],
  records: Iterable<RunRecord>,
  facts: ReadonlyMap<string, DataFacts>,
  commandLine: readonly string[],
): Manifest {
  const plans = new Map<string, Set<string>>();
  const configurations: Record<string, Record<string, unknown>> = {};
  let device: Record<string, unknown> = {};
  let tuning: string | undefined;
  let most = 1;
  for (const record of records) {
    const { plans: used, ...deviceFacts } = record.device;
    device = deviceFacts;
    most = Math.max(most, record.replicas ?? 1);
    tuning = deviceFacts.facts.tuning === undefined ? undefined : String(deviceFacts.facts.tuning);
    (configurations[record.paper] ??= {})[record.run] = record.configuration;
    for (const [kernel, names] of Object.entries(used)) {
      plans.set(kernel, new Set([...(plans.get(kernel) ?? []), ...names]));
    }
  }
  return {
    version: MANIFEST_VERSION,
    wgrad: wgradVersion,
    ...buildFacts,
    resultVersion: RESULT_VERSION,
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    processor: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    device,
    ...(tuning === undefined ? {} : { tuning }),
    plans: Object.fromEntries([...plans].sort().map(([kernel, names]) => [kernel, [...names].sort()])),
    ...(most > 1 ? { replicas: most } : {}),
    papers: Object.fromEntries(
      tables
        .filter(({ data }) => data !== noData)
        .map(({ paper, preset, seeds }) => [paper.name, { preset, seeds, data: facts.get(paper.name) ?? noData }]),
    ),
    configurations,
    commandLine,
    finished: new Date().toISOString(),
  };
}
