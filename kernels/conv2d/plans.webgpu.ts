// WebGPU plans of conv2d and its adjoints. Tiles in workgroup memory on hardware; on software adapters, where that memory
// is as slow as any other, register tiles fed by subgroup broadcasts; and untiled plans for groups of few channels.
import type { PlanTable, WebGpuFacts, WebGpuPlan, WebGpuPlanner } from '../plan.ts';
import { choosePlan, hasEightLanes, type PlanCandidate } from '../shared/webgpu-plan.ts';
import { foldGrid } from '../shared/webgpu-grid.ts';
import { conv2d, conv2dInputGradient, type Conv2dParams } from './conv2d.ts';
import direct from './direct.wgsl';
import geometryFunctions from './geometry.wgsl';
import implicitGemm from './implicit-gemm.wgsl';
import lanes from './lanes.wgsl';
import params from './params.wgsl';
import rows3x3 from './rows3x3.wgsl';
import { addWeightGradient, is3x3 } from './weight-gradient.webgpu.ts';

/** Parameters and geometry: what stands before every gathering module. */
export const geometry = params + geometryFunctions;

// Whole modules, put together once: the device knows a module by its text.
const modules = {
  rows3x3: `enable subgroups;\n${geometry}${rows3x3}`,
  lanes: `enable subgroups;\n${geometry}${lanes}`,
  implicitGemm64: geometry + implicitGemm,
  direct: geometry + direct,
};

/** What a gathering shader makes: channels of one group, and pixels of one phase of the stride (see geometry.wgsl). */
interface Targets {
  channels: number;
  phases: number;
  rows: number;
  columns: number;
}

export function targetsOf(p: Conv2dParams, adjoint: boolean): Targets {
  const ins = p.inChannels / p.groups;
  const outs = p.outChannels / p.groups;
  if (!adjoint) return { channels: outs, phases: 1, rows: p.outH, columns: p.outW };
  const rows = Math.ceil(p.inH / p.strideH);
  const columns = Math.ceil(p.inW / p.strideW);
  return { channels: ins, phases: p.strideH * p.strideW, rows, columns };
}

/** The plan of one shader: group 0 as geometry.wgsl binds it. `tiles` workgroups per group and phase. */
export function gatherPlan(
  name: string,
  module: string,
  p: Conv2dParams,
  adjoint: boolean,
  grid: readonly [number, number, number],
  constants: Record<string, number> = {},
): WebGpuPlan {
  const source = adjoint ? 'y' : 'x';
  const bindings = [source, 'w', p.bias ? 'bias' : 'w', adjoint ? 'x*' : 'y*'];
  return {
    name,
    passes: [{ module, workgroups: grid, bindings, constants: { adjoint: Number(adjoint), ...constants } }],
  };
}

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
    {
      name: 'implicitGemm64',
      fits: depthFits,
      wanted: !facts.software && wide,
      make: (name) => {
        const grid = folded(Math.ceil(pixels / 64) * Math.ceil(t.channels / 64), z);
        return gatherPlan(name, modules.implicitGemm64, p, adjoint, grid);
      },
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
  const variants = ['rows3x3', 'lanes', 'implicitGemm64', 'direct'];
  table.add(conv2d, planConv2d, ...variants);
  table.add(conv2dInputGradient, planInputGradient, ...variants);
  addWeightGradient(table);
}
