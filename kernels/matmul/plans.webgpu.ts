// WebGPU plans of the matrix product: tiles in workgroup memory on hardware (tiles.webgpu.ts), register tiles fed by subgroup broadcasts on
// software adapters, and plain dot products where there is too little to share.
import type { PlanTable, WebGpuFacts, WebGpuPlan, WebGpuPlanner } from '../plan.ts';
import { foldGrid, grid1d, type Workgroups } from '../shared/webgpu-grid.ts';
import { LEAST_LARGE_TILES, type TileShape } from '../shared/product-tiles.webgpu.ts';
import { choosePlan, hasEightLanes, type PlanCandidate } from '../shared/webgpu-plan.ts';
import buffers from './buffers.wgsl';
import direct from './direct.wgsl';
import dot from './dot.wgsl';
import geometryFunctions from './geometry.wgsl';
import lanes from './lanes.wgsl';
import { matmul, type MatmulParams } from './matmul.ts';
import { tiledProduct, tiledProductFits } from './tiles.webgpu.ts';

/** Parameters, buffers and strides: what stands before every module but that of tiles. */
export const geometry = geometryFunctions + buffers;

// Whole modules, put together once: the device knows a module by its text.
const modules = {
  dot: geometry + dot,
  lanes: `enable subgroups;\n${geometry}${lanes}`,
  direct: geometry + direct,
};

/** Terms of an inner dimension whose sums, of 256 each, may join C one after the other. */
const MOST_JOINED = 2 ** 17;

function plan(
  name: string,
  module: string,
  p: MatmulParams,
  workgroups: Workgroups,
  constants?: Record<string, number>,
): WebGpuPlan {
  return { name, passes: [{ module, workgroups, bindings: ['a', 'b', p.bias ? 'bias' : 'a', 'c*'], constants }] };
}

function candidates(p: MatmulParams, facts: WebGpuFacts): PlanCandidate[] {
  const elements = p.batch * p.m * p.n;
  // Where there is no term nothing joins C, and of too many sums the rounding errors would add up.
  const joinsFit = p.k > 0 && p.k <= MOST_JOINED;
  const tilesWanted = !facts.software && p.m >= 8 && p.n >= 8 && p.k >= 8;
  const tiles = (name: string, shape: TileShape, isBest: boolean): PlanCandidate => ({
    name,
    fits: tiledProductFits(shape, p, facts),
    wanted: tilesWanted && isBest,
    make: () => tiledProduct(name, shape, p, facts),
  });
  const isLarge = p.batch * Math.ceil(p.m / 128) * Math.ceil(p.n / 128) >= LEAST_LARGE_TILES;
  return [
    {
      name: 'dot',
      fits: true,
      // Few elements, long sums, and rows of both matrices that threads can read side by side.
      wanted: !facts.software && p.k >= 256 && Math.min(p.m, p.n) <= 4 && (p.transposeB === 1 || p.n === 1),
      make: (name) => plan(name, modules.dot, p, foldGrid(elements, facts)),
    },
    {
      name: 'lanes',
      fits: hasEightLanes(facts) && joinsFit,
      wanted: facts.software && p.m >= 4 && p.n >= 8,
      make: (name) => {
        const blocks = Math.min(4, Math.max(1, Math.ceil(p.m / 8)));
        const threads = Math.min(64, Math.max(8, Math.ceil(p.n / 32) * 8));
        const tiles = p.batch * Math.ceil(p.m / (8 * blocks)) * Math.ceil(p.n / (4 * threads));
        return plan(name, modules.lanes, p, foldGrid(tiles, facts), { blocks, threads });
      },
    },
    tiles('tiles128', { rows: 128, columns: 128 }, p.m > 64 && p.n > 64 && isLarge),
    tiles('tiles64', { rows: 64, columns: 64 }, true),
    {
      name: 'direct',
      fits: true,
      wanted: true,
      make: (name) => plan(name, modules.direct, p, grid1d(elements, 64, facts)),
    },
  ];
}

const planMatmul: WebGpuPlanner<MatmulParams> = (p, facts, prefer) => choosePlan(candidates(p, facts), prefer);

export const addMatmul = (table: PlanTable<WebGpuPlanner<never>>): unknown =>
  table.add(matmul, planMatmul, 'dot', 'lanes', 'tiles128', 'tiles64', 'direct');
