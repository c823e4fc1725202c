// Reference loops of data movement: strided copies, gather, and the two ways of scattering back.
import { stridedOffset } from '../elementwise/reference.ts';
import type { PlanTable, ReferencePlan } from '../plan.ts';
import { copy, type CopyParams, gather, type GatherParams, scatter, scatterAdd } from './copy.ts';

const copyLoop: ReferencePlan<CopyParams> = ([x], [y], p) => {
  for (let i = 0; i < p.n; i++) {
    const value = x.get(p.inOffset + stridedOffset(i, p.shape, p.inStrides));
    y.set(p.outOffset + stridedOffset(i, p.shape, p.outStrides), value);
  }
};

/** Runs `visit` for every index (o, k, i) of [outer, count, inner], k in rising order for each (o, i). */
function eachIndex(p: GatherParams, visit: (o: number, k: number, i: number) => void): void {
  for (let o = 0; o < p.outer; o++) {
    for (let k = 0; k < p.count; k++) {
      for (let i = 0; i < p.inner; i++) visit(o, k, i);
    }
  }
}

const gatherLoop: ReferencePlan<GatherParams> = ([x, index], [y], p) => {
  eachIndex(p, (o, k, i) => {
    const s = index.get(o, k, i);
    y.set(o, k, i, s >= 0 && s < p.size ? x.get(o, s, i) : 0);
  });
};

const scatterAddLoop: ReferencePlan<GatherParams> = ([g, index], [y], p) => {
  y.data.fill(0);
  eachIndex(p, (o, k, i) => {
    const s = index.get(o, k, i);
    if (s >= 0 && s < p.size) y.set(o, s, i, y.get(o, s, i) + g.get(o, k, i));
  });
};

const scatterLoop: ReferencePlan<GatherParams> = ([g, index], [y], p) => {
  y.data.fill(0);
  eachIndex(p, (o, k, i) => {
    const s = index.get(o, k, i);
    if (s >= 0 && s < p.size) y.set(o, s, i, g.get(o, k, i));
  });
};

export function addCopy(table: PlanTable<ReferencePlan<never>>): void {
  table.add(copy, copyLoop);
  table.add(gather, gatherLoop);
  table.add(scatterAdd, scatterAddLoop);
  table.add(scatter, scatterLoop);
}
