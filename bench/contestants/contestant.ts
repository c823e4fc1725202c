// What takes part in a benchmark: wgrad itself in this process, and peers behind a pipe. All answer the same three calls.
import type { CaseShape, Summary, Work } from '../peers/protocol.mjs';

export interface Contestant {
  readonly name: string;
  readonly version: string;
  /** What matters for its speed: threads, instruction sets. */
  readonly details: string;
  /** Description of the WebGPU adapter it runs on. */
  readonly adapter?: string;
  /** Plans by kernel that the prepared case has taken; ours alone can tell. */
  plans?(): Readonly<Record<string, string>>;
  /** Sets a case up, runs it once and summarizes its results. Throws AbsentError where the case cannot be run. */
  prepare(benchmark: string, shape: CaseShape): Promise<Summary[]>;
  /** Seconds of each repetition of the prepared case, for at least `seconds` in all. */
  measure(seconds: number): Promise<number[]>;
  close(): void;
}

/** A case of ours, ready to be repeated. */
export interface PreparedWork extends Work {
  /** Values to compare, after at least one launch. */
  results(): Promise<ArrayLike<number>[]>;
  dispose(): void;
}

/** A contestant, or one of its cases, is not there; the message says why in a few words. */
export class AbsentError extends Error {}

/** Largest difference between results, relative to their root mean square. Algorithms may differ, such as Winograd's. */
const TOLERANCE = 2e-3;

/** Why two contestants do not compute the same thing, or undefined if they do. */
export function disagreement(ours: readonly Summary[], other: readonly Summary[]): string | undefined {
  if (ours.length !== other.length) return `${other.length} results instead of ${ours.length}`;
  for (const [i, { rms, samples }] of ours.entries()) {
    const pairs = [[rms, other[i]!.rms], ...samples.map((value, j) => [value, other[i]!.samples[j]])];
    for (const [mine, theirs] of pairs) {
      if (!(Math.abs(mine! - (theirs ?? NaN)) <= TOLERANCE * rms)) return `result ${i} is ${theirs} instead of ${mine}`;
    }
  }
  return undefined;
}
