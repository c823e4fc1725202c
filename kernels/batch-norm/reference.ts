// Reference loops of batch normalisation over [batch, channels, spatial]; equations in batch-norm.ts.
import type { PlanTable, ReferencePlan } from '../plan.ts';
import { batchNormApply, batchNormBackward, type BatchNormParams, batchNormStatistics } from './batch-norm.ts';

/** The sum of `term` over all elements of one channel. */
function channelSum(p: BatchNormParams, term: (n: number, s: number) => number): number {
  let sum = 0;
  for (let n = 0; n < p.batch; n++) {
    for (let s = 0; s < p.spatial; s++) sum += term(n, s);
  }
  return sum;
}

const statisticsLoop: ReferencePlan<BatchNormParams> = ([x], [mean, variance], p) => {
  const m = p.batch * p.spatial;
  for (let c = 0; c < p.channels; c++) {
    const center = channelSum(p, (n, s) => x.get(n, c, s)) / m;
    mean.set(c, center);
    variance.set(c, channelSum(p, (n, s) => (x.get(n, c, s) - center) ** 2) / m);
  }
};

const applyLoop: ReferencePlan<BatchNormParams> = ([x, mean, variance, weight, bias], [y], p) => {
  for (let n = 0; n < p.batch; n++) {
    for (let c = 0; c < p.channels; c++) {
      const r = 1 / Math.sqrt(variance.get(c) + p.eps);
      for (let s = 0; s < p.spatial; s++) {
        y.set(n, c, s, (x.get(n, c, s) - mean.get(c)) * r * weight.get(c) + bias.get(c));
      }
    }
  }
};

const backwardLoop: ReferencePlan<BatchNormParams> = ([x, g, mean, variance, weight], [gx, gw, gb], p) => {
  const m = p.batch * p.spatial;
  for (let c = 0; c < p.channels; c++) {
    const r = 1 / Math.sqrt(variance.get(c) + p.eps);
    const h = (n: number, s: number): number => (x.get(n, c, s) - mean.get(c)) * r;
    const biasGradient = channelSum(p, (n, s) => g.get(n, c, s));
    const weightGradient = channelSum(p, (n, s) => g.get(n, c, s) * h(n, s));
    gb.set(c, biasGradient);
    gw.set(c, weightGradient);
    for (let n = 0; n < p.batch; n++) {
      for (let s = 0; s < p.spatial; s++) {
        const centered = g.get(n, c, s) - biasGradient / m - (h(n, s) * weightGradient) / m;
        gx.set(n, c, s, weight.get(c) * r * centered);
      }
    }
  }
};

export function addBatchNorm(table: PlanTable<ReferencePlan<never>>): void {
  table.add(batchNormStatistics, statisticsLoop);
  table.add(batchNormApply, applyLoop);
  table.add(batchNormBackward, backwardLoop);
}
