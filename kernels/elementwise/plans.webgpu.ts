// WebGPU plans of the elementwise kernels: a thread per element, or per four neighbours where the shapes allow it. Pipelines
// are compiled per operation and number of axes. Leaves out vectors for broadcasts along the last axis and for `where`.
import { rowMajorStrides } from '../copy/copy.ts';
import type { PlanTable, WebGpuPlanner } from '../plan.ts';
import { elementPlan, threadPass } from '../shared/webgpu-elements.ts';
import { floatFunctions, mathFunctions, threadFunctions, wgslConstants } from '../shared/wgsl.ts';
import binaryFunction from './binary-function.wgsl';
import binaryVectorModule from './binary-vector.wgsl';
import binaryModule from './binary.wgsl';
import castModule from './cast.wgsl';
import { Binary, mostPlainSlope, Ternary, Unary } from './codes.ts';
import {
  binary,
  type BinaryParams,
  Cast,
  cast,
  type CastParams,
  type FillParams,
  fills,
  ternary,
  type TernaryParams,
  unary,
  type UnaryParams,
  where,
  type WhereParams,
} from './elementwise.ts';
import fillModule from './fill.wgsl';
import ternaryModule from './ternary.wgsl';
import unaryModule from './unary.wgsl';
import whereModule from './where.wgsl';

const prelude = threadFunctions + mathFunctions;
const unaryText = wgslConstants('unary', Unary) + prelude + unaryModule;
const binaryPrelude = wgslConstants('binary', Binary) + prelude + binaryFunction;
const binaryText = binaryPrelude + binaryModule;
const binaryVectorText = binaryPrelude + binaryVectorModule;
const ternaryText =
  wgslConstants('ternary', Ternary) + `const MOST_PLAIN_SLOPE = ${mostPlainSlope};\n` + prelude + ternaryModule;
const castText = wgslConstants('cast', Cast) + threadFunctions + floatFunctions + castModule;
const whereText = threadFunctions + whereModule;
const fillText = threadFunctions + fillModule;

const unaryPlan: WebGpuPlanner<UnaryParams> = ({ n, op }, facts, prefer) =>
  elementPlan(unaryText, n, n % 4 === 0, facts, prefer, { op });

/** Axes that a shader unfolds: a scalar shape is one axis of one element, whose strides are packed as 0. */
const axes = (rank: number): number => Math.max(1, rank);
const stridedName = (rank: number): string => (rank <= 1 ? 'flat' : 'strided');

/** Which vector entry point a launch fits, if any. */
function vectorEntry({ shape, stridesA, stridesB }: BinaryParams): 'dense' | 'repeated' | undefined {
  const last = shape.length - 1;
  if (last < 0 || shape[last] % 4 !== 0) return undefined;
  const dense = rowMajorStrides(shape);
  const isDense = (strides: readonly number[]): boolean => strides.every((stride, axis) => stride === dense[axis]);
  if (!isDense(stridesA)) return undefined;
  if (isDense(stridesB)) return 'dense';
  return stridesB[last] === 0 ? 'repeated' : undefined;
}

const binaryPlan: WebGpuPlanner<BinaryParams> = (params, facts, prefer) => {
  const { n, op, rank } = params;
  const constants = { op, rank: axes(rank) };
  const entry = vectorEntry(params);
  if (entry && prefer !== stridedName(rank)) {
    return { name: entry, passes: [threadPass(binaryVectorText, entry, n / 4, facts, constants)] };
  }
  return { name: stridedName(rank), passes: [threadPass(binaryText, 'main', n, facts, constants)] };
};

const ternaryPlan: WebGpuPlanner<TernaryParams> = ({ n, op }, facts, prefer) =>
  elementPlan(ternaryText, n, n % 4 === 0, facts, prefer, { op });

const wherePlan: WebGpuPlanner<WhereParams> = ({ n, rank }, facts) => ({
  name: stridedName(rank),
  passes: [threadPass(whereText, 'main', n, facts, { rank: axes(rank) })],
});

const castPlan: WebGpuPlanner<CastParams> = ({ n, kind }, facts) => ({
  name: 'perElement',
  passes: [threadPass(castText, 'main', n, facts, { kind })],
});

const fillPlan: WebGpuPlanner<FillParams> = ({ n }, facts, prefer) =>
  elementPlan(fillText, n, n % 4 === 0, facts, prefer);

export function addElementwise(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(unary, unaryPlan, 'perFour', 'perElement');
  table.add(binary, binaryPlan, 'dense', 'repeated', 'flat', 'strided');
  table.add(ternary, ternaryPlan, 'perFour', 'perElement');
  table.add(where, wherePlan, 'flat', 'strided');
  table.add(cast, castPlan, 'perElement');
  for (const kernel of Object.values(fills)) table.add(kernel, fillPlan, 'perFour', 'perElement');
}
