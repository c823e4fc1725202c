// WebGPU plans of conv2dWeightGradient: who adds up which weights, and into how many parts the sum over pixels is split.
// The number of splits depends on the shapes and the kind of adapter alone, so the order of the sum is fixed.
import type { PlanTable, WebGpuFacts, WebGpuPlan, WebGpuPlanner } from '../plan.ts';
import {
  LEAST_LARGE_TILES,
  productTiles,
  splitsOf,
  type Splitting,
  sumSplitsPass,
  tilesFit,
  type TileShape,
  tileThreads,
} from '../shared/product-tiles.webgpu.ts';
import { choosePlan, hasEightLanes, type PlanCandidate } from '../shared/webgpu-plan.ts';
import { foldGrid, grid1d } from '../shared/webgpu-grid.ts';
import { type Conv2dParams, conv2dWeightGradient } from './conv2d.ts';
import params from './params.wgsl';
import weightGeometryFunctions from './weight-geometry.wgsl';
import walk from './weight-walk.wgsl';
import direct from './weight-gradient-direct.wgsl';
import lanes from './weight-gradient-lanes.wgsl';
import rows3x3 from './weight-gradient-rows3x3.wgsl';
import fewModule from './weight-gradient-few.wgsl';
import tilesModule from './weight-gradient-tiles.wgsl';

/** The same for modules of the weight gradient. */
export const weightGeometry = params + weightGeometryFunctions;

// Whole modules, put together once: the device knows a module by its text.
const modules = {
  rows3x3: `enable subgroups;\n${weightGeometry}${rows3x3}`,
  lanes: `enable subgroups;\n${weightGeometry}${lanes}`,
  direct: weightGeometry + direct,
};

/** Workgroups that keep an adapter busy. More splits than that only make more partial sums. */
const busyWorkgroups = (facts: WebGpuFacts): number => (facts.software ? 64 : 1024);

/** Most words of partial sums: 64 MiB. */
const MOST_PARTIALS = 2 ** 24;

/** Splits for a pass that has `workgroups` workgroups without any, of at least `leastPixels` pixels each. */
export function splitsFor(p: Conv2dParams, workgroups: number, leastPixels: number, facts: WebGpuFacts): number {
  const rows = p.batch * p.outH;
  const weights = weightCount(p);
  const limits = [
    Math.ceil(busyWorkgroups(facts) / Math.max(1, workgroups)),
    Math.floor((rows * p.outW) / leastPixels),
    Math.floor(Math.min(MOST_PARTIALS, facts.maxStorageBufferBindingSize / 4) / Math.max(1, weights)),
    Math.floor(facts.maxComputeWorkgroupsPerDimension / p.groups),
    rows,
  ];
  return Math.max(1, Math.min(...limits));
}

export const weightCount = (p: Conv2dParams): number =>
  (p.outChannels * p.inChannels * p.kernelH * p.kernelW) / p.groups;

/** How many pixels a thread walks on at a time, and how many output rows each of them is. */
const walkBy = (pixels: number | string, rows: number): string =>
  `const WALK = ${typeof pixels === 'number' ? `${pixels}u` : pixels};\nconst ROWS_EACH = ${rows}u;\n${walk}`;

/** `grid` has its splits along z. With one split the weights are written at once. */
export function splitPlan(
  name: string,
  module: string,
  p: Conv2dParams,
  facts: WebGpuFacts,
  splits: number,
  grid: readonly [number, number, number],
  constants?: Record<string, number>,
): WebGpuPlan {
  const pass = (output: string) => ({ module, workgroups: grid, bindings: ['x', 'y', output], constants });
  if (splits === 1) return { name, passes: [pass('w*')] };
  const weights = weightCount(p);
  const passes = [pass('partials*'), sumSplitsPass('w', weights, facts)];
  return { name, passes, scratch: { partials: 4 * weights * splits } };
}

export const is3x3 = (p: Conv2dParams): boolean =>
  p.kernelH === 3 && p.kernelW === 3 && p.strideH === 1 && p.strideW === 1 && p.dilationH === 1 && p.dilationW === 1;

/** Threads for `items`, in whole subgroups of eight. */
const threadsFor = (items: number): number => Math.min(64, Math.max(8, Math.ceil(items / 8) * 8));

/** Threads that walk over pixels one after the other keep a large GPU busy: some four waves of 64 for each vector unit. */
const BUSY_WALKERS = 49152;
/** Sums that a thread keeps in registers. */
const MOST_TAPS = 49;

function fewWeights(p: Conv2dParams, facts: WebGpuFacts, wanted: boolean): PlanCandidate {
  const pairs = p.outChannels * (p.inChannels / p.groups);
  // Rows of one pixel meet words of x that others meet too, so none of them may be past the end.
  const rows = p.strideH === 1 && p.dilationH === 1 ? ([4, 2].find((n) => p.outH % n === 0) ?? 1) : 1;
  const splitting: Splitting = {
    workgroups: pairs,
    threads: 64,
    terms: p.batch * p.outH * p.outW,
    results: weightCount(p),
    busyThreads: BUSY_WALKERS,
    leastTerms: 1024,
  };
  const taps = p.kernelH * p.kernelW;
  return {
    name: 'fewSplitK',
    fits: taps <= MOST_TAPS && 4 * 64 * taps <= facts.maxComputeWorkgroupStorageSize,
    wanted,
    make: (name) => {
      const splits = splitsOf(splitting, facts);
      const sizes = `const TAP_ROWS = ${p.kernelH}u;\nconst TAP_COLUMNS = ${p.kernelW}u;\n`;
      const module = weightGeometry + sizes + walkBy(64, rows) + fewModule;
      const [x, y] = foldGrid(pairs, facts);
      return splitPlan(name, module, p, facts, splits, [x, y, splits]);
    },
  };
}

function candidates(p: Conv2dParams, facts: WebGpuFacts): PlanCandidate[] {
  const outs = p.outChannels / p.groups;
  const ins = p.inChannels / p.groups;
  const columns = ins * p.kernelH * p.kernelW;
  // Tiles along x and y are not folded, and none has less than 8 output channels or 8 columns.
  const limit = facts.maxComputeWorkgroupsPerDimension;
  const gridFits = p.groups <= limit && Math.ceil(outs / 8) <= limit && Math.ceil(columns / 8) <= limit;
  const wide = outs >= 8 && columns >= 8;
  const pixels = p.batch * p.outH * p.outW;
  const tiles = (name: string, shape: TileShape, isBest: boolean): PlanCandidate => {
    const [x, y] = [Math.ceil(columns / shape.columns), Math.ceil(outs / shape.rows)];
    const workgroups = x * y * p.groups;
    const sums = { terms: pixels, results: weightCount(p), depth: p.groups };
    const splitting = { workgroups, threads: tileThreads(shape), ...sums };
    return {
      name,
      fits: gridFits && tilesFit(shape, facts),
      wanted: !facts.software && wide && isBest,
      make: () => {
        const splits = splitsOf(splitting, facts);
        const module = weightGeometry + productTiles(shape) + walkBy('STEP', 1) + tilesModule;
        return splitPlan(name, module, p, facts, splits, [x, y, splits * p.groups]);
      },
    };
  };
  const few = fewWeights(p, facts, !facts.software && !wide);
  // Parts of so many pixels are worth a workgroup of 256 threads.
  const largeTiles = Math.ceil(columns / 128) * Math.ceil(outs / 128) * p.groups * Math.ceil(pixels / 512);
  const isLarge = outs > 64 && columns > 64 && largeTiles >= LEAST_LARGE_TILES;
  return [
    {
      name: 'rows3x3SplitK',
      fits: is3x3(p) && hasEightLanes(facts) && gridFits,
      wanted: facts.software && wide && ins >= 4,
      make: (name) => {
        const blocks = Math.min(2, Math.ceil(outs / 8));
        const threads = threadsFor(ins);
        const [x, y] = [Math.ceil(ins / threads), Math.ceil(outs / (8 * blocks))];
        const splits = splitsFor(p, x * y * p.groups, 256, facts);
        return splitPlan(name, modules.rows3x3, p, facts, splits, [x, y, splits * p.groups], { blocks, threads });
      },
    },
    {
      name: 'lanesSplitK',
      fits: hasEightLanes(facts) && gridFits,
      wanted: facts.software && wide,
      make: (name) => {
        const blocks = Math.min(4, Math.ceil(outs / 8));
        const threads = threadsFor(columns / 4);
        const [x, y] = [Math.ceil(columns / (4 * threads)), Math.ceil(outs / (8 * blocks))];
        const splits = splitsFor(p, x * y * p.groups, 256, facts);
        return splitPlan(name, modules.lanes, p, facts, splits, [x, y, splits * p.groups], { blocks, threads });
      },
    },
    tiles('tiles128SplitK', { rows: 128, columns: 128 }, isLarge),
    tiles('tiles64SplitK', { rows: 64, columns: 64 }, true),
    few,
    {
      name: 'directSplitK',
      fits: true,
      wanted: true,
      make: (name) => {
        const [x, y] = grid1d(weightCount(p), 64, facts);
        const splits = splitsFor({ ...p, groups: 1 }, x * y, 256, facts);
        return splitPlan(name, modules.direct, p, facts, splits, [x, y, splits]);
      },
    },
  ];
}

const planWeightGradient: WebGpuPlanner<Conv2dParams> = (p, facts, prefer) => choosePlan(candidates(p, facts), prefer);

export function addWeightGradient(table: PlanTable<WebGpuPlanner<never>>): void {
  const variants = ['rows3x3SplitK', 'lanesSplitK', 'tiles128SplitK', 'tiles64SplitK', 'fewSplitK', 'directSplitK'];
  table.add(conv2dWeightGradient, planWeightGradient, ...variants);
}
