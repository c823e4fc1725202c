// A profile as a Chrome trace ("Trace Event Format", the JSON that Perfetto and chrome://tracing open): steps, regions,
// layers and kernels on four tracks, and the bytes that tensors hold as a counter. Times are microseconds.
import { takes } from '../call-check.ts';
import { record } from '../parameters.ts';
import type { Profile } from './profile.ts';

/** One event of Chrome's trace format. */
export interface TraceEvent {
  readonly name: string;
  /** X a span, C a counter, M a name of a track. */
  readonly ph: 'X' | 'C' | 'M';
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args?: Readonly<Record<string, string | number>>;
}

/** A trace that Chrome's and Perfetto's viewers open. */
export interface ChromeTrace {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: 'ms';
}

const tracks = { steps: 1, regions: 2, layers: 3, kernels: 4 } as const;
const MICROSECONDS = 1000;

const takesProfiles = takes('chromeTrace', { profiles: record });

/** The events of one or several profiles, each by its name as a process of its own. */
export function chromeTrace(...args: [profiles: Profile | Readonly<Record<string, Profile>>]): ChromeTrace {
  const [profiles] = takesProfiles(args);
  const named = 'launches' in profiles ? { wgrad: profiles as Profile } : (profiles as Record<string, Profile>);
  const traceEvents = Object.entries(named).flatMap(([name, profile], i) => eventsOf(name, profile, i + 1));
  return { traceEvents, displayTimeUnit: 'ms' };
}

function eventsOf(process: string, profile: Profile, pid: number): TraceEvent[] {
  const name = (what: 'process_name' | 'thread_name', tid: number, text: string): TraceEvent => ({
    name: what,
    ph: 'M',
    pid,
    tid,
    ts: 0,
    args: { name: text },
  });
  const span = (
    label: string,
    track: keyof typeof tracks,
    begin: number,
    end: number,
    rest: Pick<TraceEvent, 'cat' | 'args'> = {},
  ): TraceEvent => {
    const [ts, dur] = [begin * MICROSECONDS, (end - begin) * MICROSECONDS];
    return { name: label, ph: 'X', pid, tid: tracks[track], ts, dur, ...rest };
  };
  const untimed = profile.clock === 'none' ? ', recorded: this device has no clock' : '';
  return [
    name('process_name', 0, `${process} (${profile.device})`),
    ...Object.entries(tracks).map(([track, tid]) =>
      name('thread_name', tid, track === 'kernels' ? track + untimed : track),
    ),
    ...profile.steps.map((step) => span(step.name, 'steps', step.begin, step.end, { args: { submits: step.submits } })),
    ...profile.regions.map(({ name, begin, end }) => span(name, 'regions', begin, end)),
    ...profile.layers.map(({ name, pass, begin, end }) => span(name, 'layers', begin, end, { cat: pass })),
    ...profile.launches.flatMap(({ kernel, plan, begin, milliseconds, hostMilliseconds, pass, ...args }) => [
      span(`${kernel}.${plan}`, 'kernels', begin, begin + (milliseconds ?? hostMilliseconds), { cat: pass, args }),
      {
        name: 'bytes of tensors',
        ph: 'C',
        pid,
        tid: 0,
        ts: begin * MICROSECONDS,
        args: { bytes: args.liveBytes },
      } as const,
    ]),
  ];
}
