// Reference loops of data movement: strided copies, gather, and the two ways of scattering back.
import { stridedOffset } from '../elementwise/reference.ts';
import type { PlanTable, ReferenceArray, ReferencePlan } from '../plan.ts';
import { copy, type CopyParams, gather, type GatherParams, NOTHING_OUTSIDE, scatter, scatterAdd } from './copy.ts';

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

/** Negative indices count from the end. Undefined for one outside. */
function placeOf(index: number, { size }: GatherParams): number | undefined {
  if (index < -size || index >= size) return undefined;
  return index < 0 ? index + size : index;
}

/** The word `outside` as an element of `y`. */
function outsideOf({ data }: ReferenceArray, { outside }: GatherParams): number {
  const { buffer } = Uint32Array.of(outside);
  return (data instanceof Int32Array ? new Int32Array(buffer) : new Float32Array(buffer))[0]!;
}

const gatherLoop: ReferencePlan<GatherParams> = ([x, index], [y], p) => {
  const outside = outsideOf(y, p);
  eachIndex(p, (o, k, i) => {
    const s = placeOf(index.get(o, k, i), p);
    y.set(o, k, i, s === undefined ? outside : x.get(o, s, i));
  });
};

/** Scatters g over zeros by `merge`, then marks the lines that have an index outside. */
const scatterBy =
  (merge: (old: number, value: number) => number): ReferencePlan<GatherParams> =>
  ([g, index], [y], p) => {
    const outside = outsideOf(y, p);
    y.data.fill(0);
    eachIndex(p, (o, k, i) => {
      const s = placeOf(index.get(o, k, i), p);
      if (s !== undefined) y.set(o, s, i, merge(y.get(o, s, i), g.get(o, k, i)));
    });
    if (outside === NOTHING_OUTSIDE) return;
    eachIndex(p, (o, k, i) => {
      if (placeOf(index.get(o, k, i), p) !== undefined) return;
      for (let s = 0; s < p.size; s++) y.set(o, s, i, outside);
    });
  };

export function addCopy(table: PlanTable<ReferencePlan<never>>): void {
  table.add(copy, copyLoop);
  table.add(gather, gatherLoop);
  table.add(
    scatterAdd,
    scatterBy((old, value) => old + value),
  );
  table.add(
    scatter,
    scatterBy((_, value) => value),
  );
}
