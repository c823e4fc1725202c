// The document of a run: what was measured, and the facts that a number needs to mean something. Written as JSON, tracked in
// bench/results, read again by `compare` and `page`. The schema checks what those two need.
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { z } from 'zod';
import { DataError } from '../../engine/index.ts';
import { writeWhole } from '../../experiments/runner/files.ts';
import { wgradVersion } from '../../experiments/runner/manifest.ts';
import type { CaseResult } from '../contestants/run.ts';

const number = z.number();
const spread = z.looseObject({ median: number, min: number, max: number });
const measured = spread.extend({ name: z.string(), details: z.string(), gflops: number });
const measuredPeer = measured.extend({ ratio: spread, bestRatio: number.optional() });
const absent = z.looseObject({ absent: z.string() });

const benchmarkCase = z.looseObject({
  name: z.string(),
  title: z.string(),
  device: z.string(),
  flops: number,
  ours: z.union([absent, measured]),
  peers: z.array(z.union([absent.extend({ name: z.string() }), measuredPeer])),
});

const ceilings = z.looseObject({ gflops: number, gbps: number });
const kernel = spread.extend({
  kernel: z.string(),
  plan: z.string(),
  flops: number,
  bytes: number,
  gflops: number,
  gbps: number,
  roof: z.looseObject({ binding: z.enum(['compute', 'memory']), share: number, bestShare: number }),
});
const group = z.looseObject({
  name: z.string(),
  title: z.string(),
  networks: z.array(z.string()),
  /** Where it stands in a sweep. */
  point: z.record(z.string(), number).optional(),
  kernels: z.array(kernel),
  othersOverFirst: spread.optional(),
  ceilings: ceilings.optional(),
  absent: z.string().optional(),
});

const memory = z.looseObject({ name: z.string(), bytes: number.optional(), absent: z.string().optional() });
const stepFacts = z.looseObject({
  name: z.string(),
  title: z.string(),
  launches: number,
  submits: number,
  deviceBytes: number,
  memory: z.array(memory),
  firstStep: z.array(z.looseObject({ name: z.string(), absent: z.string().optional() })),
});

const document = z.looseObject({
  suite: z.string().optional(),
  command: z.string(),
  finished: z.string(),
  seconds: number,
  machine: z.record(z.string(), z.unknown()),
  device: z.string().optional(),
  versions: z.record(z.string(), z.string()),
  method: z.string(),
  ceilings: ceilings.optional(),
  cases: z.array(benchmarkCase).default([]),
  groups: z.array(group).default([]),
  steps: z.array(stepFacts).default([]),
});

export type ReadDocument = z.infer<typeof document>;
export type Group = z.infer<typeof group>;
export type StepFacts = z.infer<typeof stepFacts>;
export type Suite = 'quick' | 'kernel' | 'sweep' | 'step' | 'all';

export type ReadMeasured = z.infer<typeof measured>;
export type ReadCase = z.infer<typeof benchmarkCase>;

/** Whether a contestant has been measured. */
export const isMeasured = <Absent extends { absent: string }>(
  contestant: ReadMeasured | Absent,
): contestant is ReadMeasured => !('absent' in contestant);

export type ReadPeer = z.infer<typeof measuredPeer>;

/** The peers of a case that have been measured. */
export const measuredPeers = ({ peers }: Pick<ReadCase, 'peers'>): ReadPeer[] =>
  peers.filter((peer) => !('absent' in peer)) as ReadPeer[];

/** Facts of a run that stand at the head of its document. */
export interface Head {
  readonly suite: Suite;
  readonly command: string;
  readonly finished: string;
  readonly seconds: number;
  readonly machine: Readonly<Record<string, string | number | readonly number[]>>;
  /** Description of the device, and what its driver says of itself. */
  readonly device?: string;
  readonly driver?: string;
  readonly versions: Readonly<Record<string, string>>;
  /** How the numbers are made, in a few sentences. */
  readonly method: string;
}

export interface Document extends Head {
  /** Medians over the whole run. */
  readonly ceilings?: { readonly gflops: number; readonly gbps: number };
  readonly cases: readonly CaseResult[];
  readonly groups?: readonly Group[];
  readonly steps?: readonly StepFacts[];
}

/** The machine as it is now; `loadBefore` is its load average before the benchmark began. */
export function machineFacts(loadBefore: readonly number[]): Head['machine'] {
  return {
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    processor: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Number((os.totalmem() / 2 ** 30).toFixed(1)),
    loadAverageBefore: loadBefore,
    loadAverageAfter: os.loadavg(),
  };
}

/** wgrad, Node and every peer that was there. */
export function versionsOf(cases: readonly CaseResult[]): Record<string, string> {
  const versions: Record<string, string> = {
    wgrad: wgradVersion,
    node: process.versions.node,
    v8: process.versions.v8,
  };
  for (const peer of cases.flatMap(({ peers }) => peers)) {
    if (!('absent' in peer) && !peer.name.startsWith('wgrad')) versions[peer.name] = peer.version;
  }
  return versions;
}

/** What every document begins with. `started`: performance.now() and the load average when the benchmark began. */
export const headOf = (
  command: string,
  { started, loadBefore }: { readonly started: number; readonly loadBefore: readonly number[] },
  cases: readonly CaseResult[] = [],
) => ({
  command,
  finished: new Date().toISOString(),
  seconds: Number(((performance.now() - started) / 1000).toFixed(1)),
  machine: machineFacts(loadBefore),
  versions: versionsOf(cases),
});

/** Digits that a measurement has at most. */
const PRECISION = 6;

/** JSON whose measurements are cut to the digits that they have; a group of kernels is one line. */
export function documentText(content: object): string {
  const cut = (_: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(PRECISION)) : value;
  const { groups = [], ...rest } = content as { groups?: readonly object[] };
  const text = JSON.stringify(rest, cut, 2);
  if (groups.length === 0) return text;
  const lines = groups.map((group) => `    ${JSON.stringify(group, cut)}`);
  return `${text.slice(0, -2)},\n  "groups": [\n${lines.join(',\n')}\n  ]\n}`;
}

export const writeDocument = (file: string, content: object): Promise<void> =>
  writeWhole(file, `${documentText(content)}\n`);

/** Throws DataError for a file that is not there or holds something else. */
export async function readDocument(file: string): Promise<ReadDocument> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new DataError(`${file} cannot be read as JSON`, { given: (error as Error).message, cause: error });
  }
  const parsed = document.safeParse(content);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new DataError(`${file} is not a benchmark result: ${path.join('.')}: ${message}`);
}
