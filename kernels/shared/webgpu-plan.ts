// Choosing among the plans of one launch: the preferred one if it fits, else the first that fits and is wanted.
import type { WebGpuFacts, WebGpuPlan } from '../plan.ts';

export interface PlanCandidate {
  readonly name: string;
  /** The plan can take these parameters on this adapter. */
  readonly fits: boolean;
  /** The plan is a good choice for them. */
  readonly wanted: boolean;
  make(name: string): WebGpuPlan;
}

/** The last candidate must fit everything. */
export function choosePlan(candidates: readonly PlanCandidate[], prefer: string | undefined): WebGpuPlan {
  const preferred = candidates.find(({ name, fits }) => fits && name === prefer);
  const chosen = preferred ?? candidates.find(({ fits, wanted }) => fits && wanted) ?? candidates.at(-1);
  if (!chosen) throw new RangeError('a kernel without plans');
  return chosen.make(chosen.name);
}

/** Shaders that broadcast from lanes 0 to 7 of a subgroup can run. */
export const hasEightLanes = (facts: Pick<WebGpuFacts, 'subgroups' | 'subgroupMinSize'>): boolean =>
  facts.subgroups && facts.subgroupMinSize >= 8;
