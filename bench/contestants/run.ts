// Runs a case: everyone is set up and checked against our results, then measured in turn, round after round (A, B, C, A, B,
// C, ...), so that whatever else the machine does meets all alike. Leaves out which cases there are.
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchDevice, Entrant } from './roster.ts';
import { AbsentError, type Contestant, disagreement } from './contestant.ts';
import type { CaseShape, Summary } from '../peers/protocol.mjs';
import { bestRatio, type Ratio, ratio, type Timing, timing } from '../measure/statistics.ts';

export interface BenchmarkCase {
  readonly name: string;
  readonly title: string;
  readonly device: BenchDevice;
  /** What contestants know it by. */
  readonly benchmark: string;
  readonly shape: CaseShape;
  /** Floating-point operations of one repetition. */
  readonly flops: number;
  readonly ours: Entrant;
  readonly peers: readonly Entrant[];
}

export interface Measured extends Timing {
  readonly name: string;
  readonly version: string;
  readonly details: string;
}

/** `ratio`: how many times as fast as this one we are; `bestRatio`: at the best times of both. */
export type PeerResult =
  | (Measured & { readonly ratio: Ratio; readonly bestRatio: number })
  | { readonly name: string; readonly absent: string };

export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly device: string;
  readonly adapter?: string;
  readonly flops: number;
  readonly ours: Measured | { readonly absent: string };
  readonly peers: readonly PeerResult[];
}

export interface Effort {
  readonly rounds: number;
  /** Least time of one contestant in one round. */
  readonly secondsPerRound: number;
  /**
   * Least time of one contestant before the first round, which does not count: engines that compile while they run, on the other
   * core, have reached their speed by then.
   */
  readonly warmUpSeconds?: number;
  /** A peer that has been measured for longer in a case sits out its other rounds. */
  readonly secondsPerPeer: number;
}

/** Between two contestants: threads of the one before may spin a little before they sleep. */
const PAUSE_MS = 30;

/** Everyone who has been started, by entrant: processes stay from case to case. */
export class Field {
  readonly #started = new Map<Entrant, Promise<Contestant>>();

  start(entrant: Entrant): Promise<Contestant> {
    const running = this.#started.get(entrant) ?? entrant.start();
    this.#started.set(entrant, running);
    return running;
  }

  async close(): Promise<void> {
    for (const each of await Promise.allSettled(this.#started.values())) {
      if (each.status === 'fulfilled') each.value.close();
    }
  }
}

const reason = (error: unknown): string => {
  if (error instanceof AbsentError) return error.message;
  throw error;
};

const secondsIn = (rounds: readonly (readonly number[])[]): number =>
  rounds.flat().reduce((sum, each) => sum + each, 0);

/** Sets peers up; those that cannot take part are told why. */
async function prepare(
  { name, benchmark, shape, peers }: BenchmarkCase,
  ours: { contestant: Contestant; results: Summary[] },
  field: Field,
  progress: (text: string) => void,
): Promise<Map<Entrant, Contestant | string>> {
  const entered = new Map<Entrant, Contestant | string>();
  for (const entrant of peers) {
    try {
      progress(`${name}: warming up ${entrant.name}`);
      const contestant = await field.start(entrant);
      const { adapter } = ours.contestant;
      if (adapter !== undefined && contestant.adapter !== undefined && adapter !== contestant.adapter) {
        throw new AbsentError(`it runs on another adapter: ${contestant.adapter}`);
      }
      const problem = disagreement(ours.results, await contestant.prepare(benchmark, shape));
      if (problem) throw new AbsentError(`it computes something else: ${problem}`);
      entered.set(entrant, contestant);
    } catch (error) {
      entered.set(entrant, reason(error));
    }
  }
  return entered;
}

/** Lets those who still take part work, one after the other; who cannot is told why. */
async function eachPeer(
  entered: Map<Entrant, Contestant | string>,
  work: (peer: Contestant, entrant: Entrant) => Promise<unknown>,
): Promise<void> {
  for (const [entrant, peer] of entered) {
    if (typeof peer === 'string') continue;
    try {
      await work(peer, entrant);
    } catch (error) {
      entered.set(entrant, reason(error));
    }
  }
}

/** Measures one case. `progress` is called before each round. */
export async function runCase(
  benchmark: BenchmarkCase,
  field: Field,
  { rounds, secondsPerRound, warmUpSeconds = 0, secondsPerPeer }: Effort,
  progress: (text: string) => void,
): Promise<CaseResult> {
  const { name, title, device, flops } = benchmark;
  const head = { name, title, device, flops };
  let contestant: Contestant;
  let results: Summary[];
  try {
    contestant = await field.start(benchmark.ours);
    progress(`${name}: warming up`);
    results = await contestant.prepare(benchmark.benchmark, benchmark.shape);
  } catch (error) {
    return { ...head, ours: { absent: reason(error) }, peers: [] };
  }
  const entered = await prepare(benchmark, { contestant, results }, field, progress);
  if (warmUpSeconds > 0) {
    progress(`${name}: warming up`);
    await contestant.measure(warmUpSeconds);
    await eachPeer(entered, (peer) => peer.measure(warmUpSeconds));
  }
  const oursTimes: number[][] = [];
  const times = new Map([...entered.keys()].map((entrant): [Entrant, number[][]] => [entrant, []]));
  for (let round = 0; round < rounds; round++) {
    progress(`${name}: round ${round + 1} of ${rounds}`);
    await sleep(PAUSE_MS);
    oursTimes.push(await contestant.measure(secondsPerRound));
    await eachPeer(entered, async (peer, entrant) => {
      const passed = times.get(entrant)!;
      if (secondsIn(passed) > secondsPerPeer) return;
      await sleep(PAUSE_MS);
      passed.push(await peer.measure(secondsPerRound));
    });
  }
  const measured = ({ version, details }: Contestant, label: string, rounds: number[][]): Measured => ({
    name: label,
    version,
    details,
    ...timing(rounds, flops),
  });
  return {
    ...head,
    ...(contestant.adapter === undefined ? {} : { adapter: contestant.adapter }),
    ours: measured(contestant, contestant.name, oursTimes),
    peers: [...entered].map(([entrant, peer]) =>
      typeof peer === 'string'
        ? { name: entrant.name, absent: peer }
        : {
            ...measured(peer, entrant.name, times.get(entrant)!),
            ratio: ratio(oursTimes, times.get(entrant)!),
            bestRatio: bestRatio(oursTimes, times.get(entrant)!),
          },
    ),
  };
}
