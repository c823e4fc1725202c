// What the WebGPU plans of conv2d and its input gradient share: the text before their modules, what they make, and their buffers.
import type { WebGpuFacts, WebGpuPlan } from '../plan.ts';
import { sumSplitsPass } from '../shared/product-tiles.webgpu.ts';
import type { Conv2dParams } from './conv2d.ts';
import buffers from './buffers.wgsl';
import geometryFunctions from './geometry.wgsl';
import params from './params.wgsl';

/** Parameters and geometry: what stands before every gathering module. */
export const geometry = params + geometryFunctions;

/** And buffers of words, for all but that of tiles. */
export const wordGeometry = geometry + buffers;

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

/** Operands that a gathering pass reads, in the order of bindings. */
const gatherBindings = (p: Conv2dParams, adjoint: boolean): string[] => [
  adjoint ? 'y' : 'x',
  'w',
  p.bias ? 'bias' : 'w',
];

/** The plan of one shader: group 0 as buffers.wgsl binds it. `tiles` workgroups per group and phase. */
export function gatherPlan(
  name: string,
  module: string,
  p: Conv2dParams,
  adjoint: boolean,
  grid: readonly [number, number, number],
  constants: Record<string, number> = {},
): WebGpuPlan {
  const bindings = [...gatherBindings(p, adjoint), adjoint ? 'x*' : 'y*'];
  return {
    name,
    passes: [{ module, workgroups: grid, bindings, constants: { adjoint: Number(adjoint), ...constants } }],
  };
}

/** Workgroups along z of a gathering pass without splits: groups times phases. */
export const gatherDepth = (p: Conv2dParams, adjoint: boolean): number => p.groups * targetsOf(p, adjoint).phases;

/** Words of the result. */
export const gatherResults = (p: Conv2dParams, adjoint: boolean): number =>
  p.batch * (adjoint ? p.inChannels * p.inH * p.inW : p.outChannels * p.outH * p.outW);

export interface Split {
  /** Its splits are along z. */
  readonly grid: readonly [number, number, number];
  readonly splits: number;
}

/** The plan of one shader that writes its result at once or, in several splits, their parts of it, which a second pass adds up. */
export function gatherSplits(
  name: string,
  module: string,
  p: Conv2dParams,
  adjoint: boolean,
  facts: WebGpuFacts,
  { grid, splits }: Split,
): WebGpuPlan {
  const plan = gatherPlan(name, module, p, adjoint, grid);
  if (splits === 1) return plan;
  const results = gatherResults(p, adjoint);
  const parts = plan.passes.map((pass) => ({ ...pass, bindings: [...gatherBindings(p, adjoint), 'partials*'] }));
  return {
    name,
    passes: [...parts, sumSplitsPass(adjoint ? 'x' : 'y', results, facts)],
    scratch: { partials: 4 * results * splits },
  };
}
