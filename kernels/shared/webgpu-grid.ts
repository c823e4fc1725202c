// How many workgroups a WebGPU pass starts. One dimension of a grid is limited (65535 as a rule), so long grids are folded
// into rows; the shader unfolds them with
//
//   let group = workgroup_id.x + workgroup_id.y * num_workgroups.x;
//
// and returns where `group` (or the element it stands for) is past the end, since the last row may be longer than needed.
import type { WebGpuFacts } from '../plan.ts';

export type Workgroups = readonly [number, number, number];

type GridFacts = Pick<WebGpuFacts, 'maxComputeWorkgroupsPerDimension'>;

/** `groups` workgroups folded over x and y. Zero groups stay zero: the device launches nothing then. */
export function foldGrid(groups: number, facts: GridFacts): Workgroups {
  const limit = facts.maxComputeWorkgroupsPerDimension;
  if (groups <= limit) return [groups, 1, 1];
  const rows = Math.ceil(groups / limit);
  if (rows > limit) throw new RangeError(`a grid of ${groups} workgroups exceeds ${limit} x ${limit}`);
  return [Math.ceil(groups / rows), rows, 1];
}

/** Workgroups of `workgroupSize` threads for one thread per item. */
export const grid1d = (items: number, workgroupSize: number, facts: GridFacts): Workgroups =>
  foldGrid(Math.ceil(items / workgroupSize), facts);
