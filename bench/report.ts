// What `wgrad bench` prints: a table for people, or one JSON document with the facts that a number needs to mean something.
import { rename, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { layOut } from '../experiments/cli/tables.ts';
import { wgradVersion } from '../experiments/runner/manifest.ts';
import type { CaseResult, PeerResult } from './run.ts';
import type { Ratio, Timing } from './statistics.ts';

export interface Document {
  readonly command: string;
  readonly finished: string;
  readonly seconds: number;
  readonly machine: Readonly<Record<string, string | number | readonly number[]>>;
  readonly versions: Readonly<Record<string, string>>;
  /** How the numbers are made, in one sentence. */
  readonly method: string;
  readonly cases: readonly CaseResult[];
}

/** Writes the document; a file of that name is replaced only when the new one is whole. */
export async function writeDocument(file: string, document: object): Promise<void> {
  const unfinished = `${file}.${process.pid}.tmp`;
  await writeFile(unfinished, `${JSON.stringify(document, null, 2)}\n`);
  await rename(unfinished, file);
}

/** The machine as it is now; `loadBefore` is its load average before the benchmark began. */
export function machineFacts(loadBefore: readonly number[]): Document['machine'] {
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

/** Three digits, without an exponent. */
export const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
export const timeText = ({ median, min, max }: Timing): string =>
  `${digits(1000 * median)} ms (${digits(1000 * min)} to ${digits(1000 * max)})`;
export const ratioText = ({ median, min, max }: Ratio): string =>
  `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;

function peerRow(peer: PeerResult): string[] {
  if ('absent' in peer) return [peer.name, 'absent', '', peer.absent];
  return [peer.name, timeText(peer), digits(peer.gflops), ratioText(peer.ratio)];
}

/** One case as a table. */
export function caseText({ title, device, ours, peers }: CaseResult, width: number): string {
  if ('absent' in ours) return `${title} [${device}]\n  not measured: ${ours.absent}`;
  const rows = [[ours.name, timeText(ours), digits(ours.gflops), ''], ...peers.map(peerRow)];
  return `${title} [${ours.details}]\n${layOut(['', 'time', 'GFLOP/s', 'we are times as fast'], rows, width)}`;
}

/** Load average over which other work on the machine disturbs the numbers, by core. */
const BUSY = 0.5;

/** A warning where the machine had other work when the benchmark began. */
export function busyText(loadBefore: readonly number[]): string | undefined {
  const cores = os.availableParallelism();
  if (loadBefore[0]! <= BUSY * cores) return undefined;
  return `The machine was busy (load ${loadBefore[0]!.toFixed(1)} on ${cores} cores): trust the ratios, not the times.`;
}
