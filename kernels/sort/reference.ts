// The reference sort: JavaScript's, which is stable, by a comparison in which NaN is the largest.
import type { PlanTable, ReferencePlan } from '../plan.ts';
import { sort, type SortParams } from './sort.ts';

function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : Number(a > b);
}

const sortLoop: ReferencePlan<SortParams> = ([x], [values, indices], { outer, n, inner, descending }) => {
  const sign = descending ? -1 : 1;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const order = Array.from({ length: n }, (_, k) => k);
      order.sort((a, b) => sign * compare(x.get(o, a, i), x.get(o, b, i)));
      order.forEach((from, k) => {
        values.set(o, k, i, x.get(o, from, i));
        indices.set(o, k, i, from);
      });
    }
  }
};

export function addSort(table: PlanTable<ReferencePlan<never>>): void {
  table.add(sort, sortLoop);
}
