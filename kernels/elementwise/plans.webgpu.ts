// WebGPU plans of the elementwise kernels: one thread per element, compiled per operation and number of axes.
// Leaves out vectors of four per thread: these kernels wait for memory, and neighbouring threads read neighbouring words.
import type { PlanTable, WebGpuPlan, WebGpuPlanner } from '../plan.ts';
import { grid1d } from '../webgpu-grid.ts';
import { floatFunctions, mathFunctions, WORKGROUP, wgslConstants } from '../wgsl.ts';
import binaryModule from './binary.wgsl';
import castModule from './cast.wgsl';
import { Binary, Unary } from './codes.ts';
import {
  binary,
  type BinaryParams,
  Cast,
  cast,
  type CastParams,
  fill,
  type FillParams,
  unary,
  type UnaryParams,
  where,
  type WhereParams,
} from './elementwise.ts';
import fillModule from './fill.wgsl';
import unaryModule from './unary.wgsl';
import whereModule from './where.wgsl';

const unaryText = wgslConstants('unary', Unary) + mathFunctions + unaryModule;
const binaryText = wgslConstants('binary', Binary) + mathFunctions + binaryModule;
const castText = wgslConstants('cast', Cast) + floatFunctions + castModule;

type GridFacts = Parameters<typeof grid1d>[2];

function onePass(
  name: string,
  module: string,
  n: number,
  facts: GridFacts,
  constants: Readonly<Record<string, number>> = {},
): WebGpuPlan {
  const workgroups = grid1d(n, WORKGROUP, facts);
  return { name, passes: [{ module, workgroups, constants: { ...constants, workgroupSize: WORKGROUP } }] };
}

const unaryPlan: WebGpuPlanner<UnaryParams> = ({ n, op }, facts) => onePass('perElement', unaryText, n, facts, { op });

/** Axes that a shader unfolds: a scalar shape is one axis of one element, whose strides are packed as 0. */
const axes = (rank: number): number => Math.max(1, rank);
const stridedName = (rank: number): string => (rank <= 1 ? 'flat' : 'strided');

const binaryPlan: WebGpuPlanner<BinaryParams> = ({ n, op, rank }, facts) =>
  onePass(stridedName(rank), binaryText, n, facts, { op, rank: axes(rank) });

const wherePlan: WebGpuPlanner<WhereParams> = ({ n, rank }, facts) =>
  onePass(stridedName(rank), whereModule, n, facts, { rank: axes(rank) });

const castPlan: WebGpuPlanner<CastParams> = ({ n, kind }, facts) => onePass('perElement', castText, n, facts, { kind });

const fillPlan: WebGpuPlanner<FillParams> = ({ n }, facts) => onePass('perElement', fillModule, n, facts);

export function addElementwise(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(unary, unaryPlan);
  table.add(binary, binaryPlan);
  table.add(where, wherePlan);
  table.add(cast, castPlan);
  table.add(fill, fillPlan);
}
