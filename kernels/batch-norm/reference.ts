// Reference loops of batch normalisation over [batch, channels, spatial]; equations in batch-norm.ts.
import type { PlanTable, ReferencePlan } from '../plan.ts';
import {
  batchNormApply,
  batchNormBackward,
  batchNormInference,
  type BatchNormParams,
  batchNormStatistics,
} from './batch-norm.ts';

/** The sum of `term` over all elements of one channel. */
function channelSum(p: BatchNormParams, term: (n: number, s: number) => number): number {
  let sum = 0;
  for (let n = 0; n < p.batch; n++) {
    for (let s = 0; s < p.spatial; s++) sum += term(n, s);
  }
  return sum;
}

const inverseDeviation = (variance: number, { eps }: BatchNormParams): number => 1 / Math.sqrt(variance + eps);

const statisticsLoop: ReferencePlan<BatchNormParams> = ([x], [mean, variance, inverse], p) => {
  const m = p.batch * p.spatial;
  for (let c = 0; c < p.channels; c++) {
    const center = channelSum(p, (n, s) => x.get(n, c, s)) / m;
    mean.set(c, center);
    const spread = channelSum(p, (n, s) => (x.get(n, c, s) - center) ** 2) / m;
    variance.set(c, spread);
    inverse.set(c, inverseDeviation(spread, p));
  }
};

/** y from the inverse deviation that `spread` stands for. */
const normalizeLoop =
  (inverseOf: (spread: number, p: BatchNormParams) => number): ReferencePlan<BatchNormParams> =>
  ([x, mean, spread, weight, bias], [y], p) => {
    for (let n = 0; n < p.batch; n++) {
      for (let c = 0; c < p.channels; c++) {
        const r = inverseOf(spread.get(c), p);
        for (let s = 0; s < p.spatial; s++) {
          const value = (x.get(n, c, s) - mean.get(c)) * r * weight.get(c) + bias.get(c);
          y.set(n, c, s, p.relu && value <= 0 ? 0 : value);
        }
      }
    }
  };

const backwardLoop: ReferencePlan<BatchNormParams> = ([x, given, mean, inverse, weight, y], [gx, gw, gb], p) => {
  const m = p.batch * p.spatial;
  const g = (n: number, c: number, s: number): number => (p.relu && y!.get(n, c, s) <= 0 ? 0 : given.get(n, c, s));
  for (let c = 0; c < p.channels; c++) {
    const r = inverse.get(c);
    const h = (n: number, s: number): number => (x.get(n, c, s) - mean.get(c)) * r;
    const biasGradient = channelSum(p, (n, s) => g(n, c, s));
    const weightGradient = channelSum(p, (n, s) => g(n, c, s) * h(n, s));
    gb.set(c, biasGradient);
    gw.set(c, weightGradient);
    for (let n = 0; n < p.batch; n++) {
      for (let s = 0; s < p.spatial; s++) {
        const centered = g(n, c, s) - biasGradient / m - (h(n, s) * weightGradient) / m;
        gx.set(n, c, s, weight.get(c) * r * centered);
      }
    }
  }
};

export function addBatchNorm(table: PlanTable<ReferencePlan<never>>): void {
  table.add(batchNormStatistics, statisticsLoop);
  table.add(
    batchNormApply,
    normalizeLoop((inverse) => inverse),
  );
  table.add(batchNormInference, normalizeLoop(inverseDeviation));
  table.add(batchNormBackward, backwardLoop);
}
