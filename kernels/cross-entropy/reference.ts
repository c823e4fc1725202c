// Reference loops of softmax cross-entropy; equations in cross-entropy.ts.
import type { PlanTable, ReferenceArray, ReferencePlan } from '../plan.ts';
import { PixelReduction } from './codes.ts';
import { crossEntropy, crossEntropyBackward, type CrossEntropyParams } from './cross-entropy.ts';

type WeightOf = (k: number) => number;

const weightsOf = (p: CrossEntropyParams, weight: ReferenceArray | undefined): WeightOf =>
  p.weighted ? (k) => weight!.get(k) : () => 1;

/** The weight of a label: NaN for one that is not a class. */
const labelWeight = (p: CrossEntropyParams, weight: WeightOf, label: number): number =>
  label >= 0 && label < p.classes ? weight(label) : NaN;

/** Runs `visit` for every pixel. */
function eachPixel({ batch, spatial }: CrossEntropyParams, visit: (n: number, s: number) => void): void {
  for (let n = 0; n < batch; n++) {
    for (let s = 0; s < spatial; s++) visit(n, s);
  }
}

/**
 * Writes the largest logit of every pixel and the logarithm of the sum of e^(x - largest). One of these terms is 1; it stays out
 * of the sum, which keeps what is small beside it.
 */
function normalize(p: CrossEntropyParams, x: ReferenceArray, normalizers: ReferenceArray): void {
  eachPixel(p, (n, s) => {
    let largest = -Infinity;
    for (let k = 0; k < p.classes; k++) largest = Math.max(largest, x.get(n, k, s));
    let rest = 0;
    let ties = 0;
    for (let k = 0; k < p.classes; k++) {
      const shifted = x.get(n, k, s) - largest;
      if (shifted === 0) ties++;
      else rest += Math.exp(shifted);
    }
    normalizers.set(n, 0, s, largest);
    normalizers.set(n, 1, s, Math.log1p(rest + (ties - 1)));
  });
}

const forwardLoop: ReferencePlan<CrossEntropyParams> = ([x, target, weight], [loss, normalizers, total], p) => {
  normalize(p, x, normalizers);
  const weightOf = weightsOf(p, weight);
  /** Minus the log-probability of class k. */
  const surprise = (n: number, k: number, s: number): number =>
    normalizers.get(n, 1, s) - (x.get(n, k, s) - normalizers.get(n, 0, s));
  loss.data.fill(0);
  let sum = 0;
  let weights = 0;
  eachPixel(p, (n, s) => {
    const label = target.get(n, s);
    if (label === p.ignoreIndex) return;
    const w = labelWeight(p, weightOf, label);
    let value = Number.isNaN(w) ? NaN : w * surprise(n, label, s);
    if (p.smoothing !== 0) {
      let spread = 0;
      for (let k = 0; k < p.classes; k++) spread += weightOf(k) * surprise(n, k, s);
      value = (1 - p.smoothing) * value + (p.smoothing / p.classes) * spread;
    }
    sum += value;
    weights += w;
    if (p.reduction === PixelReduction.none) loss.set(n, s, value);
  });
  if (p.reduction === PixelReduction.sum) loss.set(0, sum);
  if (p.reduction === PixelReduction.mean) {
    loss.set(0, sum / weights);
    total.set(0, weights);
  }
};

const backwardLoop: ReferencePlan<CrossEntropyParams> = ([x, target, normalizers, g, ...more], [gx], p) => {
  const weightOf = weightsOf(p, more[0]);
  const total = p.reduction === PixelReduction.mean ? more.at(-1)!.get(0) : 1;
  let classWeights = 0;
  for (let k = 0; k < p.classes; k++) classWeights += weightOf(k);
  const each = p.smoothing / p.classes;
  eachPixel(p, (n, s) => {
    const label = target.get(n, s);
    const counts = label !== p.ignoreIndex;
    // Nothing times a NaN stays NaN, as in PyTorch: an ignored pixel does not hide one.
    const scale = counts ? (p.reduction === PixelReduction.none ? g.get(n, s) : g.get(0)) / total : 0;
    const hard = counts ? (1 - p.smoothing) * labelWeight(p, weightOf, label) : 0;
    for (let k = 0; k < p.classes; k++) {
      const logProbability = x.get(n, k, s) - normalizers.get(n, 0, s) - normalizers.get(n, 1, s);
      const probability = Math.exp(logProbability);
      const fromLabel = hard * (k === label ? Math.expm1(logProbability) : probability);
      const fromSpread = p.smoothing === 0 ? 0 : each * (classWeights * probability - weightOf(k));
      gx.set(n, k, s, scale * (fromLabel + fromSpread));
    }
  });
};

export function addCrossEntropy(table: PlanTable<ReferencePlan<never>>): void {
  table.add(crossEntropy, forwardLoop);
  table.add(crossEntropyBackward, backwardLoop);
}
