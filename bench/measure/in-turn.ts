// Measures pieces of work of one device in turn, round after round, so that whatever else the machine does meets all alike.
import type { Clock } from './clock.ts';
import type { Work } from '../peers/protocol.mjs';

export interface Rounds {
  readonly rounds: number;
  /** Least time of one piece of work in one round. */
  readonly secondsPerRound: number;
}

/** Seconds of each repetition, by work and round. Warming up is the caller's. */
export async function inTurn(
  works: readonly Work[],
  clock: Clock,
  { rounds, secondsPerRound }: Rounds,
): Promise<number[][][]> {
  const times: number[][][] = works.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, work] of works.entries()) times[i]!.push(await clock.repeat(work, secondsPerRound));
  }
  return times;
}
