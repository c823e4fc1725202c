// Reference loops of pyramid pooling: bin after bin, by the windows of the other poolings.
import type { PlanTable, ReferencePlan } from '../plan.ts';
import { PyramidRule } from './codes.ts';
import {
  pyramidCells,
  pyramidKernel,
  pyramidPool,
  pyramidPoolBackward,
  type PyramidPoolParams,
} from './pyramid-pool.ts';
import { adaptiveWindows, poolWindows, type Window } from './windows.ts';

function windowsOf(bin: number, { planes, inH, inW, rule }: PyramidPoolParams): Window[] {
  const sizes = { planes, inH, inW, outH: pyramidCells(rule, bin, inH), outW: pyramidCells(rule, bin, inW) };
  if (rule === PyramidRule.adaptive) return adaptiveWindows(sizes);
  const [kernelH, kernelW] = [pyramidKernel(bin, inH), pyramidKernel(bin, inW)];
  const strides = { kernelH, kernelW, strideH: kernelH, strideW: kernelW };
  return poolWindows({ ...sizes, ...strides, padH: 0, padW: 0, dilationH: 1, dilationW: 1, countPadding: 0 });
}

/** Runs `visit` for every bin, plane and window: its place among the bin's windows and where its plane begins. */
function eachWindow(
  p: PyramidPoolParams,
  visit: (bin: number, at: number, start: number, positions: readonly number[]) => void,
): void {
  for (const [k, bin] of p.bins.entries()) {
    const windows = windowsOf(bin, p);
    for (let plane = 0; plane < p.planes; plane++) {
      windows.forEach(({ positions }, i) => visit(k, plane * windows.length + i, plane * p.inH * p.inW, positions));
    }
  }
}

const forwardLoop: ReferencePlan<PyramidPoolParams> = ([x], outputs, p) => {
  eachWindow(p, (k, at, start, positions) => {
    let sum = 0;
    for (const position of positions) sum += x.data[start + position];
    outputs[k].data[at] = sum / positions.length;
  });
};

const backwardLoop: ReferencePlan<PyramidPoolParams> = (gradients, [gx], p) => {
  gx.data.fill(0);
  eachWindow(p, (k, at, start, positions) => {
    const share = gradients[k].data[at] / positions.length;
    for (const position of positions) gx.data[start + position] += share;
  });
};

export function addPyramidPool(table: PlanTable<ReferencePlan<never>>): void {
  table.add(pyramidPool, forwardLoop);
  table.add(pyramidPoolBackward, backwardLoop);
}
