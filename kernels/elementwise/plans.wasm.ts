// WASM plans of the elementwise kernels: one phase whose tasks are the elements, in runs long enough to pay for a thread.
import type { PlanTable, WasmPlan, WasmPlanner } from '../plan.ts';
import { Binary, Unary } from './codes.ts';
import {
  binary,
  type BinaryParams,
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

/** Elements worth another thread: bound by memory, and with an exponential or so for each. */
const plainGrain = 16384;
const costlyGrain = 2048;

const costly: ReadonlySet<Unary> = new Set([
  Unary.exp,
  Unary.log,
  Unary.silu,
  Unary.sigmoid,
  Unary.tanh,
  Unary.sin,
  Unary.cos,
  Unary.elu,
  Unary.gelu,
  Unary.geluTanh,
  Unary.softplus,
  Unary.powScalar,
  Unary.erf,
  Unary.erfc,
  Unary.log1p,
]);

const costlyPairs: ReadonlySet<Binary> = new Set([Binary.pow, Binary.sigmoidGrad, Binary.tanhGrad, Binary.logRatio]);

const elements = (exportName: string, tasks: number, grain = plainGrain): WasmPlan => ({
  name: 'lines',
  phases: [{ exportName, tasks, grain }],
});

const unaryPlan: WasmPlanner<UnaryParams> = ({ n, op }) =>
  elements('unary', n, costly.has(op) ? costlyGrain : plainGrain);
const binaryPlan: WasmPlanner<BinaryParams> = ({ n, op }) =>
  elements('binary', n, costlyPairs.has(op) ? costlyGrain : plainGrain);
const ternaryPlan: WasmPlanner<TernaryParams> = ({ n }) => elements('ternary', n, costlyGrain);
const wherePlan: WasmPlanner<WhereParams> = ({ n }) => elements('where', n);
const castPlan: WasmPlanner<CastParams> = ({ n }) => elements('cast', n);
const fillPlan: WasmPlanner<FillParams> = ({ n }) => elements('fill', n);

export function addElementwise(table: PlanTable<WasmPlanner<never>>): void {
  table.add(unary, unaryPlan, 'lines');
  table.add(binary, binaryPlan, 'lines');
  table.add(ternary, ternaryPlan, 'lines');
  table.add(where, wherePlan, 'lines');
  table.add(cast, castPlan, 'lines');
  for (const kernel of Object.values(fills)) table.add(kernel, fillPlan, 'lines');
}
