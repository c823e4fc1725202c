// A grid in parts for several machines: `--shard I/N`. Which runs a part has follows from the plan alone, not from what is on disk:
// parts that are started at different times, or again, never make the same run twice.
import { ConfigError } from '../../engine/index.ts';
import type { PlannedRun } from './needs.ts';

/** Part `index` of `count`, from 1 on. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** The most parts of one grid. */
const MOST_SHARDS = 10_000;

/** Throws ConfigError for a text that is not `I/N` with 1 <= I <= N. */
export function parseShard(text: string): Shard {
  const [, index, count] = (/^(\d+)\/(\d+)$/.exec(text.trim()) ?? []).map(Number);
  if (index === undefined || count === undefined || index < 1 || index > count || count > MOST_SHARDS) {
    throw new ConfigError(`'${text}' is not a part of a grid`, {
      expected: `I/N with 1 <= I <= N <= ${MOST_SHARDS}, as in 2/8`,
    });
  }
  return { index, count };
}

type Shared = Pick<PlannedRun, 'key' | 'cost'> & {
  readonly request: { readonly paper: string };
  readonly needs: readonly { readonly by: { readonly key: string } }[];
};

/** Runs that need each other, however far apart: a folder with one of them has to have all. In the order of the plan. */
function groupsOf(runs: readonly Shared[]): Shared[][] {
  const groupOf = new Map<string, Shared[]>();
  for (const run of runs) {
    const group = [...new Set(run.needs.map(({ by }) => groupOf.get(by.key)!))].flat();
    group.push(run);
    for (const { key } of group) groupOf.set(key, group);
  }
  return [...new Set(groupOf.values())];
}

/**
 * The part, 1 to `count`, of each run by its key. The dearest groups are dealt first, each to the part that has the least of its
 * paper: costs compare runs of one paper alone.
 */
export function shardsOf(runs: readonly Shared[], count: number): Map<string, number> {
  const shards = new Map<string, number>();
  const made = new Array<number>(count).fill(0);
  const costOf = (group: readonly Shared[]): number => group.reduce((sum, { cost }) => sum + cost, 0);
  for (const paper of new Set(runs.map(({ request }) => request.paper))) {
    const load = new Array<number>(count).fill(0);
    const groups = groupsOf(runs.filter(({ request }) => request.paper === paper));
    // The sort is stable: groups of the same cost stay in the order of the plan.
    for (const group of groups.sort((a, b) => costOf(b) - costOf(a))) {
      let least = 0;
      for (let i = 1; i < count; i++) {
        if ((load[i]! - load[least]! || made[i]! - made[least]!) < 0) least = i;
      }
      load[least]! += costOf(group);
      made[least]! += group.length;
      for (const { key } of group) shards.set(key, least + 1);
    }
  }
  return shards;
}
