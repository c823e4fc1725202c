// Reference loop of the multiply-add chains; the equation is in peak.ts.
import type { PlanTable, ReferencePlan } from '../plan.ts';
import { CHAINS, multiplyAdds, type MultiplyAddsParams } from './peak.ts';

const chains: ReferencePlan<MultiplyAddsParams> = ([x], [y], { n, rounds }) => {
  let sum = 0;
  for (let c = 0; c < CHAINS; c++) {
    let a = c;
    for (let round = 0; round < rounds; round++) a = x.get(0) * a + x.get(1);
    sum += a;
  }
  for (let i = 0; i < n; i++) y.set(i, sum);
};

export function addPeak(table: PlanTable<ReferencePlan<never>>): void {
  table.add(multiplyAdds, chains);
}
