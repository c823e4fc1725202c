// What `wgrad bench` prints for people: tables of cases with their peers, of kernels below their ceilings, and of the facts of
// training steps.
import os from 'node:os';
import { layOut } from '../../experiments/cli/tables.ts';
import type { Group, StepFacts } from './document.ts';
import type { CaseResult, PeerResult } from '../contestants/run.ts';
import type { Ratio } from '../measure/statistics.ts';

/** Three digits, without an exponent. */
export const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
export const spreadOfMs = ({ median, min, max }: Ratio): string =>
  `${digits(1000 * median)} ms (${digits(1000 * min)} to ${digits(1000 * max)})`;
export const ratioText = ({ median, min, max }: Ratio): string =>
  `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** Results that were tracked before this ratio was have none. */
const bestText = ({ bestRatio }: { readonly bestRatio?: number }): string => bestRatio?.toFixed(2) ?? '';

function peerRow(peer: PeerResult): string[][] {
  return 'absent' in peer
    ? []
    : [[peer.name, spreadOfMs(peer), digits(peer.gflops), ratioText(peer.ratio), bestText(peer)]];
}

/** One case as a table, with the reasons of those who are absent below it. */
export function caseText({ title, device, ours, peers }: CaseResult, width: number): string {
  if ('absent' in ours) return `${title} [${device}]\n  not measured: ${ours.absent}`;
  const rows = [[ours.name, spreadOfMs(ours), digits(ours.gflops), '', ''], ...peers.flatMap(peerRow)];
  const missing = peers.flatMap((peer) => ('absent' in peer ? [`absent: ${peer.name}: ${peer.absent}`] : []));
  const table = layOut(['', 'time', 'GFLOP/s', 'we are times as fast', 'at best'], rows, width);
  return [`${title} [${ours.details}]`, table, ...missing].join('\n');
}

/** A group of kernels as a table: time, rates, share of the binding ceiling, plan. */
export function groupText({ title, networks, kernels, othersOverFirst, absent }: Group, width: number): string {
  const where = networks.length > 0 ? ` (${networks.join(', ')})` : '';
  if (absent !== undefined) return `${title}${where}\n  not measured: ${absent}`;
  const rows = kernels.map(({ kernel, plan, gflops, gbps, roof, ...times }) => [
    kernel,
    spreadOfMs(times),
    digits(gflops),
    digits(gbps),
    `${percent(roof.share)} of ${roof.binding}, best ${percent(roof.bestShare)}`,
    plan,
  ]);
  const table = layOut(['', 'time', 'GFLOP/s', 'GB/s', 'ceiling', 'plan'], rows, width);
  const ratio = othersOverFirst ? `\nboth gradients take ${ratioText(othersOverFirst)} times the forward pass` : '';
  return `${title}${where}\n${table}${ratio}`;
}

export const mebibytes = (bytes: number): string => `${digits(bytes / 2 ** 20)} MiB`;

/** Launches, memory and the first step of a training step. */
export function stepText({ launches, submits, deviceBytes, memory, firstStep }: StepFacts, width: number): string {
  const first = new Map(firstStep.map((each) => [each.name, each]));
  const rows = memory.map(({ name, bytes, absent }) => {
    const start = first.get(name) as { median?: number; min?: number; max?: number } | undefined;
    const time = start?.median === undefined ? '' : spreadOfMs(start as Ratio);
    return [name, bytes === undefined ? `absent: ${absent}` : mebibytes(bytes), time];
  });
  const head = ['', 'peak memory above that before the step', 'process start to the end of its first step'];
  return (
    `${launches} launches and ${submits} submits per step; tensors hold ${mebibytes(deviceBytes)} more at its peak than before\n` +
    layOut(head, rows, width)
  );
}

/** Load average over which other work on the machine disturbs the numbers, by core. */
const BUSY = 0.5;

/** A warning where the machine had other work when the benchmark began. */
export function busyText(loadBefore: readonly number[]): string | undefined {
  const cores = os.availableParallelism();
  if (loadBefore[0]! <= BUSY * cores) return undefined;
  return `The machine was busy (load ${loadBefore[0]!.toFixed(1)} on ${cores} cores): trust the ratios, not the times.`;
}

/** For every kernel of a sweep, its worst point beside its best: shares of the ceiling of compute in the same rounds. */
export function sweepText(groups: readonly Group[]): string {
  const seen = new Map<string, { title: string; share: number }[]>();
  for (const { title, kernels, ceilings } of groups) {
    for (const { kernel, min, flops } of kernels) {
      const share = flops / min / 1e9 / ceilings!.gflops; // absent groups have no kernels
      seen.set(kernel, [...(seen.get(kernel) ?? []), { title, share }]);
    }
  }
  const lines = [...seen].map(([kernel, points]) => {
    const sorted = [...points].sort((a, b) => a.share - b.share);
    const [worst, best] = [sorted[0]!, sorted.at(-1)!];
    const below = (share: number): string => {
      const titles = sorted.filter((point) => point.share < share).map(({ title }) => title);
      return titles.length === 0 ? 'none' : titles.join('; ');
    };
    // Algorithms that save multiplications pass the ceiling, which says nothing against the others.
    const past = best.share > 1 ? `; below half of the ceiling: ${below(1 / 2)}` : '';
    return (
      `${kernel}: the worst point has ${percent(worst.share / best.share)} of the best one's rate (${worst.title}; ` +
      `${best.title}); below half: ${below(best.share / 2)}${past}`
    );
  });
  return ['The sweep, at best times, each by the ceiling of compute beside it:', ...lines].join('\n');
}
