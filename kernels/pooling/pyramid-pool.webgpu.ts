// WebGPU plans of pyramid pooling: a workgroup per plane where the rows of all bins fit its memory, else a workgroup per cell
// forward and a thread per position backward. The number of bins decides how many buffers a module binds.
import type { PlanTable, WebGpuFacts, WebGpuPlanner } from '../plan.ts';
import { choosePlan } from '../shared/webgpu-plan.ts';
import { foldGrid, grid1d } from '../shared/webgpu-grid.ts';
import { WORKGROUP, wgslConstants } from '../shared/wgsl.ts';
import { PyramidRule } from './codes.ts';
import {
  MAX_PYRAMID_BINS,
  pyramidCells,
  pyramidPool,
  pyramidPoolBackward,
  type PyramidPoolParams,
} from './pyramid-pool.ts';
import backwardModule from './pyramid-pool-backward.wgsl';
import forwardModule from './pyramid-pool.wgsl';
import windowFunctions from './pyramid-window.wgsl';

const shared = wgslConstants('pyramidRule', PyramidRule) + windowFunctions;

/** `text(k)` for every bin. */
const forBins = (count: number, text: (k: number) => string): string =>
  Array.from({ length: count }, (_, k) => text(k)).join('');

/** The buffers of `count` bins and the function that writes to them. */
const outputs = (count: number): string =>
  `${forBins(count, (k) => `@group(0) @binding(${k + 2}) var<storage, read_write> y${k}: array<f32>;\n`)}
fn put(k: u32, at: u32, value: f32) {
  switch k {
${forBins(count - 1, (k) => `    case ${k + 1}u: { y${k + 1}[at] = value; }\n`)}    default: { y0[at] = value; }
  }
}
`;

/** The buffers of `count` bins' gradients, the function that reads them, and the gradient that they make. */
const inputs = (count: number): string =>
  `${forBins(count, (k) => `@group(0) @binding(${k + 1}) var<storage, read> g${k}: array<f32>;\n`)}
@group(0) @binding(${count + 1}) var<storage, read_write> gx: array<f32>;

fn take(k: u32, at: u32) -> f32 {
  switch k {
${forBins(count - 1, (k) => `    case ${k + 1}u: { return g${k + 1}[at]; }\n`)}    default: { return g0[at]; }
  }
}
`;

// Whole modules, put together once: the device knows a module by its text.
const counts = Array.from({ length: MAX_PYRAMID_BINS + 1 }, (_, count) => count);
const forwardTexts = counts.map((count) => shared + outputs(count) + forwardModule);
const backwardTexts = counts.map((count) => shared + inputs(count) + backwardModule);

const sumOver = (p: PyramidPoolParams, value: (bin: number) => number): number =>
  p.bins.reduce((sum, bin) => sum + value(bin), 0);

/** Words of the rows of all bins. */
const rowWords = (p: PyramidPoolParams): number => p.inW * sumOver(p, (bin) => pyramidCells(p.rule, bin, p.inH));

/** A software adapter runs a workgroup on one core, and pays for every thread at each barrier. */
const SOFTWARE_WORKGROUP = 16;
const workgroupOf = (p: PyramidPoolParams, facts: WebGpuFacts): number =>
  facts.software ? SOFTWARE_WORKGROUP : p.inH * p.inW < 1024 ? 64 : WORKGROUP;

function perPlane(module: string, p: PyramidPoolParams, facts: WebGpuFacts) {
  const constants = { workgroupSize: workgroupOf(p, facts), sharedWords: Math.max(1, rowWords(p)) };
  return {
    name: 'perPlane',
    fits: 4 * rowWords(p) <= facts.maxComputeWorkgroupStorageSize,
    wanted: true,
    make: (name: string) => ({
      name,
      passes: [{ module, entryPoint: name, workgroups: foldGrid(p.planes, facts), constants }],
    }),
  };
}

const forward: WebGpuPlanner<PyramidPoolParams> = (p, facts, prefer) => {
  const module = forwardTexts[p.count]!;
  const workgroupSize = facts.software ? SOFTWARE_WORKGROUP : WORKGROUP;
  const cells = p.planes * sumOver(p, (bin) => pyramidCells(p.rule, bin, p.inH) * pyramidCells(p.rule, bin, p.inW));
  const perCell = {
    name: 'perCell',
    fits: true,
    wanted: true,
    make: (name: string) => {
      const constants = { workgroupSize, sharedWords: workgroupSize };
      return { name, passes: [{ module, entryPoint: name, workgroups: foldGrid(cells, facts), constants }] };
    },
  };
  return choosePlan([perPlane(module, p, facts), perCell], prefer);
};

const backward: WebGpuPlanner<PyramidPoolParams> = (p, facts, prefer) => {
  const module = backwardTexts[p.count]!;
  const perPosition = {
    name: 'perPosition',
    fits: true,
    wanted: true,
    make: (name: string) => {
      const workgroups = grid1d(p.planes * p.inH * p.inW, WORKGROUP, facts);
      const constants = { workgroupSize: WORKGROUP, sharedWords: 1 };
      return { name, passes: [{ module, entryPoint: name, workgroups, constants }] };
    },
  };
  return choosePlan([perPlane(module, p, facts), perPosition], prefer);
};

export function addPyramidPool(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(pyramidPool, forward, 'perPlane', 'perCell');
  table.add(pyramidPoolBackward, backward, 'perPlane', 'perPosition');
}
