// Reference loops of pooling over the windows of windows.ts. Averages give every position of a window the weight 1 / divisor,
// and their gradient goes back along the same pairs with the same weight.
import type { PlanTable, ReferencePlan } from '../plan.ts';
import {
  adaptiveAveragePool,
  adaptiveAveragePoolBackward,
  adaptiveMaxPool,
  type AdaptivePoolParams,
  averagePool,
  averagePoolBackward,
  maxPool,
  maxPoolBackward,
  type PoolParams,
} from './pooling.ts';
import { addPyramidPool } from './pyramid-pool.reference.ts';
import { adaptiveWindows, poolWindows, type Window } from './windows.ts';

/** Loops over all planes; `windowsOf` gives the windows, which are the same for each. */
type WindowsOf<P> = (params: P) => Window[];

const maximumLoop =
  <P extends AdaptivePoolParams>(windowsOf: WindowsOf<P>): ReferencePlan<P> =>
  ([x], [y, indices], p) => {
    const windows = windowsOf(p);
    for (let plane = 0; plane < p.planes; plane++) {
      const start = plane * p.inH * p.inW;
      for (const [at, { positions }] of windows.entries()) {
        let best = -Infinity;
        let index = positions[0] ?? -1;
        for (const position of positions) {
          const value = x.data[start + position];
          if (value > best || Number.isNaN(value)) {
            best = value;
            index = position;
          }
        }
        y.data[plane * windows.length + at] = best;
        indices.data[plane * windows.length + at] = index;
      }
    }
  };

const maximumBackwardLoop: ReferencePlan<PoolParams> = ([g, indices], [gx], p) => {
  gx.data.fill(0);
  const windows = p.outH * p.outW;
  for (let at = 0; at < p.planes * windows; at++) {
    const index = indices.data[at];
    if (index >= 0) gx.data[Math.floor(at / windows) * p.inH * p.inW + index] += g.data[at];
  }
};

const averageLoop =
  <P extends AdaptivePoolParams>(windowsOf: WindowsOf<P>): ReferencePlan<P> =>
  ([x], [y], p) => {
    const windows = windowsOf(p);
    for (let plane = 0; plane < p.planes; plane++) {
      const start = plane * p.inH * p.inW;
      for (const [at, { positions, divisor }] of windows.entries()) {
        let sum = 0;
        for (const position of positions) sum += x.data[start + position];
        // A window that lies in the padding has the mean 0.
        y.data[plane * windows.length + at] = positions.length ? sum / divisor : 0;
      }
    }
  };

const averageBackwardLoop =
  <P extends AdaptivePoolParams>(windowsOf: WindowsOf<P>): ReferencePlan<P> =>
  ([g], [gx], p) => {
    gx.data.fill(0);
    const windows = windowsOf(p);
    for (let plane = 0; plane < p.planes; plane++) {
      const start = plane * p.inH * p.inW;
      for (const [at, { positions, divisor }] of windows.entries()) {
        const share = g.data[plane * windows.length + at] / divisor;
        for (const position of positions) gx.data[start + position] += share;
      }
    }
  };

export function addPooling(table: PlanTable<ReferencePlan<never>>): void {
  table.add(maxPool, maximumLoop(poolWindows));
  table.add(maxPoolBackward, maximumBackwardLoop);
  table.add(averagePool, averageLoop(poolWindows));
  table.add(averagePoolBackward, averageBackwardLoop(poolWindows));
  table.add(adaptiveAveragePool, averageLoop(adaptiveWindows));
  table.add(adaptiveAveragePoolBackward, averageBackwardLoop(adaptiveWindows));
  table.add(adaptiveMaxPool, maximumLoop(adaptiveWindows));
  addPyramidPool(table);
}
