// WebGPU plans of conv2d and its adjoints. Tiles in workgroup memory on hardware; on software adapters, where that memory
// is as slow as any other, register tiles fed by subgroup broadcasts; and untiled plans for groups of few channels.
import type { PlanTable, WebGpuFacts, WebGpuPlanner } from '../plan.ts';
import { choosePlan, hasEightLanes, type PlanCandidate } from '../shared/webgpu-plan.ts';
import { LEAST_LARGE_TILES, type TileShape } from '../shared/product-tiles.webgpu.ts';
import { foldGrid } from '../shared/webgpu-grid.ts';
import { conv2d, conv2dInputGradient, type Conv2dParams } from './conv2d.ts';
import direct from './direct.wgsl';
import { fewChannelsFit, fewChannelsPlan, isFewChannels } from './few-channels.webgpu.ts';
import { gatherPlan, targetsOf, wordGeometry } from './gather.webgpu.ts';
import lanes from './lanes.wgsl';
import rows3x3 from './rows3x3.wgsl';
import { tiledGather, tiledGatherFits } from './tiles.webgpu.ts';
import { addWeightGradient, is3x3 } from './weight-gradient.webgpu.ts';

// Whole modules, put together once: the device knows a module by its text.
const modules = {
  rows3x3: `enable subgroups;\n${wordGeometry}${rows3x3}`,
  lanes: `enable subgroups;\n${wordGeometry}${lanes}`,
  direct: wordGeometry + direct,
};

const blocksFor = (channels: number, most: number): number => Math.min(most, Math.ceil(channels / 8));

function candidates(p: Conv2dParams, facts: WebGpuFacts, adjoint: boolean): PlanCandidate[] {
  const t = targetsOf(p, adjoint);
  const pixels = p.batch * t.rows * t.columns;
  const z = p.groups * t.phases;
  const depthFits = z <= facts.maxComputeWorkgroupsPerDimension;
  const folded = (tiles: number, depth: number): [number, number, number] => {
    const [x, y] = foldGrid(tiles, facts);
    return [x, y, depth];
  };
  const wide = t.channels >= 8;
  const isFew = isFewChannels(t.channels, p.kernelH * p.kernelW);
  const tiles = (name: string, shape: TileShape, isBest: boolean): PlanCandidate => ({
    name,
    fits: tiledGatherFits(shape, p, adjoint, facts),
    wanted: !facts.software && !isFew && isBest,
    make: () => tiledGather(name, shape, p, adjoint, facts),
  });
  const largeTiles = Math.ceil(pixels / 128) * Math.ceil(t.channels / 128) * z;
  const isLarge = t.channels > 64 && largeTiles >= LEAST_LARGE_TILES;
  return [
    {
      name: 'rows3x3',
      fits: is3x3(p) && hasEightLanes(facts) && depthFits,
      wanted: facts.software && wide,
      make: (name) => {
        const blocks = blocksFor(t.channels, 2);
        const spots = p.batch * Math.ceil(t.rows / 2) * Math.ceil(t.columns / 4);
        const grid = folded(Math.ceil(spots / 64) * Math.ceil(t.channels / (8 * blocks)), p.groups);
        return gatherPlan(name, modules.rows3x3, p, adjoint, grid, { blocks });
      },
    },
    {
      name: 'lanes',
      fits: hasEightLanes(facts) && depthFits,
      wanted: facts.software && wide,
      make: (name) => {
        const blocks = blocksFor(t.channels, 4);
        const grid = folded(Math.ceil(pixels / 256) * Math.ceil(t.channels / (8 * blocks)), z);
        return gatherPlan(name, modules.lanes, p, adjoint, grid, { blocks });
      },
    },
    tiles('tiles128', { rows: 128, columns: 128 }, isLarge),
    tiles('tiles64', { rows: 64, columns: 64 }, true),
    {
      name: 'fewChannels',
      fits: fewChannelsFit(p, adjoint, facts),
      wanted: !facts.software && isFew,
      make: (name) => fewChannelsPlan(name, p, adjoint, facts),
    },
    {
      name: 'direct',
      fits: true,
      wanted: true,
      make: (name) => {
        const quads = p.batch * t.channels * p.groups * Math.ceil(t.rows / 4) * t.columns;
        return gatherPlan(name, modules.direct, p, adjoint, foldGrid(Math.ceil(quads / 64) * t.phases, facts));
      },
    },
  ];
}

const planConv2d: WebGpuPlanner<Conv2dParams> = (p, facts, prefer) => choosePlan(candidates(p, facts, false), prefer);

const planInputGradient: WebGpuPlanner<Conv2dParams> = (p, facts, prefer) =>
  choosePlan(candidates(p, facts, true), prefer);

export function addConv2d(table: PlanTable<WebGpuPlanner<never>>): void {
  const variants = ['rows3x3', 'lanes', 'tiles128', 'tiles64', 'fewChannels', 'direct'];
  table.add(conv2d, planConv2d, ...variants);
  table.add(conv2dInputGradient, planInputGradient, ...variants);
  addWeightGradient(table);
}
