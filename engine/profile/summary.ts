// A profile in numbers: what a step costs, and its kernels, layers and operations by the time they take.
import type { Pass, Profile, ProfiledLaunch, Span } from './profile.ts';
import { takes } from '../call-check.ts';
import { record } from '../parameters.ts';
import { DATA_REGION } from './work.ts';

/** Sums over the launches that share a name, as means over the steps. */
export interface ProfileRow {
  readonly name: string;
  readonly launches: number;
  /** 0 where the device has no clock. */
  readonly milliseconds: number;
  /** The same by pass; zeros left out. */
  readonly passes: Readonly<Partial<Record<Pass, number>>>;
  readonly flops: number;
  readonly bytes: number;
}

/** A profile added up by kernel, layer and operation. */
export interface ProfileSummary {
  readonly device: string;
  readonly clock: Profile['clock'];
  readonly clockStep: number | undefined;
  readonly steps: number;
  /** Means over the steps. */
  readonly step: {
    readonly milliseconds: number;
    readonly kernelMilliseconds: number;
    /** Waiting for data: time in regions of that name, and how many of them a step has. */
    readonly dataMilliseconds: number;
    readonly dataWaits: number;
    readonly launches: number;
    /** Command buffers handed to the GPU; on other devices each launch counts. */
    readonly submits: number;
    readonly flops: number;
    readonly bytes: number;
  };
  /** Bytes that tensors held at the launches of the steps: at most, and when the steps began and ended. */
  readonly memory: { readonly peakBytes: number; readonly firstBytes: number; readonly lastBytes: number };
  /** By pass, in the order of a step. */
  readonly passes: readonly ProfileRow[];
  /** By the time they take, or by launches where there is no clock. A kernel is named with its plan. */
  readonly kernels: readonly ProfileRow[];
  readonly layers: readonly ProfileRow[];
  readonly operations: readonly ProfileRow[];
}

function rowsBy(
  launches: readonly ProfiledLaunch[],
  steps: number,
  nameOf: (launch: ProfiledLaunch) => string,
): ProfileRow[] {
  const groups = new Map<string, ProfiledLaunch[]>();
  for (const launch of launches) {
    const group = groups.get(nameOf(launch));
    if (group) group.push(launch);
    else groups.set(nameOf(launch), [launch]);
  }
  return [...groups].map(([name, group]) => {
    const passes: Partial<Record<Pass, number>> = {};
    for (const { pass, milliseconds = 0 } of group) passes[pass] = (passes[pass] ?? 0) + milliseconds / steps;
    const mean = (value: (launch: ProfiledLaunch) => number): number =>
      group.reduce((sum, launch) => sum + value(launch), 0) / steps;
    return {
      name,
      launches: group.length / steps,
      milliseconds: mean(({ milliseconds = 0 }) => milliseconds),
      passes,
      flops: mean(({ flops }) => flops),
      bytes: mean(({ bytes }) => bytes),
    };
  });
}

const largestFirst = (a: ProfileRow, b: ProfileRow): number =>
  b.milliseconds - a.milliseconds || b.launches - a.launches;

const takesProfile = takes('summarize', { profile: record });

/** Sums up the steps of a profile; what ran between them does not count. */
export function summarize(...args: [profile: Profile]): ProfileSummary {
  const [{ device, clock, clockStep, steps, launches, regions }] = takesProfile(args);
  const counted = steps.flatMap(({ launches: [first, end] }) => launches.slice(first, end));
  const mean = (sum: number): number => sum / steps.length;
  const total = (spans: readonly Span[]): number => spans.reduce((sum, { begin, end }) => sum + end - begin, 0);
  const data = regions.filter(
    ({ name, begin, end }) => name === DATA_REGION && steps.some((step) => step.begin <= begin && end <= step.end),
  );
  const sum = (value: (launch: ProfiledLaunch) => number): number =>
    counted.reduce((total, launch) => total + value(launch), 0);
  const passes: readonly Pass[] = ['forward', 'backward', 'update', 'other'];
  const by = (nameOf: (launch: ProfiledLaunch) => string): ProfileRow[] => rowsBy(counted, steps.length, nameOf);
  return {
    device,
    clock,
    clockStep,
    steps: steps.length,
    step: {
      milliseconds: mean(total(steps)),
      kernelMilliseconds: mean(sum(({ milliseconds = 0 }) => milliseconds)),
      dataMilliseconds: mean(total(data)),
      dataWaits: mean(data.length),
      launches: mean(counted.length),
      submits: mean(steps.reduce((sum, { submits }) => sum + submits, 0)),
      flops: mean(sum(({ flops }) => flops)),
      bytes: mean(sum(({ bytes }) => bytes)),
    },
    memory: {
      peakBytes: counted.reduce((most, { liveBytes }) => Math.max(most, liveBytes), 0),
      firstBytes: counted[0]?.liveBytes ?? 0,
      lastBytes: counted.at(-1)?.liveBytes ?? 0,
    },
    passes: by(({ pass }) => pass).sort((a, b) => passes.indexOf(a.name as Pass) - passes.indexOf(b.name as Pass)),
    kernels: by(({ kernel, plan }) => `${kernel}.${plan}`).sort(largestFirst),
    layers: by(({ layer }) => layer).sort(largestFirst),
    operations: by(({ operation }) => operation).sort(largestFirst),
  };
}
