// Reference loops of the scans, which define them.
import type { PlanTable, ReferencePlan } from '../plan.ts';
import { prefixSum, recurrence, type ScanParams } from './scan.ts';

/** Calls `visit` for every place of a line in the order of the scan, with the place before it, for all lines. */
function along(
  { outer, n, inner, reverse }: ScanParams,
  visit: (o: number, k: number, i: number, before: number) => void,
) {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      for (let step = 0; step < n; step++) {
        const k = reverse ? n - 1 - step : step;
        visit(o, k, i, step === 0 ? -1 : reverse ? k + 1 : k - 1);
      }
    }
  }
}

const prefixSumLoop: ReferencePlan<ScanParams> = ([x], [y], p) => {
  along(p, (o, k, i, before) => y.set(o, k, i, x.get(o, k, i) + (before < 0 ? 0 : y.get(o, before, i))));
};

const recurrenceLoop: ReferencePlan<ScanParams> = ([a, b], [y], p) => {
  along(p, (o, k, i, before) => {
    y.set(o, k, i, before < 0 ? b.get(o, k, i) : b.get(o, k, i) + a.get(o, k, i) * y.get(o, before, i));
  });
};

export function addScan(table: PlanTable<ReferencePlan<never>>): void {
  table.add(prefixSum, prefixSumLoop);
  table.add(recurrence, recurrenceLoop);
}
