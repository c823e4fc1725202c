// The verdicts, defined here and nowhere else, around one idea: noise must never make anything easier. A number is judged by the
// 90 % interval of its mean over seeds, a claim by that of a difference paired by seed; a wider interval can only lose a verdict.
//
// A number that has a published one beside it is
// - `not attempted` without values, for a reason that is given;
// - `not comparable` on a stand-in or below the paper's scale: that is another experiment, of which only claims are judged;
// - `too few seeds` with fewer than three;
// - `reproduced` when its interval lies within the tolerance of the published number;
// - `better than published` when its interval lies beyond the tolerance in the better direction of the column;
// - `not reproduced` otherwise.
//
// A claim is one effect or several, each claimed to be above or below a size. It is
// - `not attempted` where a number is missing, `too few seeds` with fewer than three;
// - `fails` when an effect is not as claimed in the means, whatever the spread: noise is no excuse either;
// - `holds` when, besides, all effects are as claimed in two thirds of the seeds, and no interval reaches the claimed size;
// - `within noise` otherwise.
import type { Cell, Claim, Column, Effect } from './paper.ts';
import { LEAST_SEEDS, type Summary, summarize } from './statistics.ts';

/** What is said of a number that has a published one beside it. */
export type NumberVerdict =
  'reproduced' | 'better than published' | 'not reproduced' | 'too few seeds' | 'not comparable' | 'not attempted';

/** What is said of a statement of the paper. */
export type ClaimVerdict = 'holds' | 'within noise' | 'fails' | 'too few seeds' | 'not attempted';

/** What became of a cell's runs: its values in the order of the seeds, or why there are none. */
export type CellOutcome = { readonly values: readonly number[] } | { readonly reason: string };

/** Our number and the published one, with what is needed to compare them. */
export interface NumberToJudge {
  readonly ours: Summary | undefined;
  readonly published: number;
  /** Distance from the published number that counts as the same number. */
  readonly tolerance: number;
  readonly better: Column['better'];
  /** Made with the paper's settings on the paper's data. */
  readonly comparable: boolean;
  /** Without chance: any number of seeds is enough. */
  readonly exact?: boolean | undefined;
}

/** The verdict on a number: see docs/commands.md. */
export function judgeNumber({ ours, published, tolerance, better, comparable, exact }: NumberToJudge): NumberVerdict {
  if (!ours) return 'not attempted';
  if (!comparable) return 'not comparable';
  const interval = ours.interval ?? (exact ? [ours.mean, ours.mean] : undefined);
  if (!interval) return 'too few seeds';
  const [low, high] = interval as readonly [number, number];
  if (low >= published - tolerance && high <= published + tolerance) return 'reproduced';
  const beyond = better === 'higher' ? low > published + tolerance : high < published - tolerance;
  return better !== undefined && beyond ? 'better than published' : 'not reproduced';
}

/** One comparison of a claim, judged. */
export interface EffectResult {
  readonly mean: number;
  readonly interval: readonly [low: number, high: number] | undefined;
  readonly claimed: { readonly direction: 'above' | 'below'; readonly size: number };
  readonly verdict: ClaimVerdict;
}

/** A claim, judged. */
export interface ClaimResult {
  readonly verdict: ClaimVerdict;
  /** Seeds in which all effects are as claimed. */
  readonly seedsHolding: number;
  readonly seeds: number;
  /** In the order of the claim's; empty where a number is missing. */
  readonly effects: readonly EffectResult[];
  /** Why it was not attempted. */
  readonly reason: string | undefined;
}

/** How far a value lies on the claimed side: positive where it is as claimed. */
const margin = ({ direction, size }: Effect, value: number): number =>
  direction === 'above' ? value - size : size - value;

function claimVerdict(margins: readonly (readonly number[])[], seedsHolding: number): ClaimVerdict {
  const seeds = margins[0]!.length;
  if (seeds < LEAST_SEEDS) return 'too few seeds';
  const summaries = margins.map(summarize);
  // Written so that a value that is not a number does not pass.
  if (!summaries.every(({ mean }) => mean > 0)) return 'fails';
  const clear = summaries.every(({ interval }) => interval![0] > 0);
  return clear && 3 * seedsHolding >= 2 * seeds ? 'holds' : 'within noise';
}

const holding = (margins: readonly (readonly number[])[]): number =>
  margins[0]!.filter((_, seed) => margins.every((each) => each[seed]! > 0)).length;

/** Judges a claim. `outcome` gives the values of a cell, in the same order of seeds for all. */
export function judgeClaim(claim: Claim, outcome: (cell: Cell) => CellOutcome): ClaimResult {
  const found = new Map<Cell, readonly number[]>();
  for (const each of claim.effects.flatMap(({ cells }) => cells)) {
    const result = outcome(each);
    if ('reason' in result) {
      const { reason } = result;
      return { verdict: 'not attempted', seedsHolding: 0, seeds: 0, effects: [], reason };
    }
    found.set(each, result.values);
  }
  const seeds = Math.min(...[...found.values()].map((values) => values.length));
  const bySeed = claim.effects.map((effect) =>
    Array.from({ length: seeds }, (_, seed) => effect.of((each) => found.get(each)![seed]!)),
  );
  const margins = claim.effects.map((effect, i) => bySeed[i]!.map((value) => margin(effect, value)));
  const effects = claim.effects.map((effect, i): EffectResult => {
    const { mean, interval } = summarize(bySeed[i]!);
    const { direction, size } = effect;
    const verdict = claimVerdict([margins[i]!], holding([margins[i]!]));
    return { mean, interval: interval ?? undefined, claimed: { direction, size }, verdict };
  });
  const seedsHolding = holding(margins);
  const verdict = claimVerdict(margins, seedsHolding);
  return { verdict, seedsHolding, seeds, effects, reason: undefined };
}
