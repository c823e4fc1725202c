// Reference loops of the reductions over the middle axis of [outer, n, inner]: sums, extrema, their places, softmax.
// Sums are plain float64 sums in order, whose error is far below a float32's last digit.
import type { PlanTable, ReferenceArray, ReferencePlan } from '../plan.ts';
import { ArgReduction, Reduction } from './codes.ts';
import {
  argReduce,
  type ArgReduceParams,
  reduce,
  type ReduceParams,
  softmax,
  softmaxBackward,
  type SoftmaxParams,
} from './reduction.ts';

/** Runs `visit` for every (o, i): one line of n elements each. */
function eachLine({ outer, inner }: { outer: number; inner: number }, visit: (o: number, i: number) => void): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) visit(o, i);
  }
}

/** The line's reduction by `combine`, from left to right. */
function fold(
  x: ReferenceArray,
  o: number,
  i: number,
  start: number,
  combine: (a: number, b: number) => number,
): number {
  let result = start;
  for (let k = 0; k < x.shape[1]; k++) result = combine(result, x.get(o, k, i));
  return result;
}

const add = (a: number, b: number): number => a + b;
// JavaScript's max and min give NaN as soon as one side is NaN.
const larger = (a: number, b: number): number => Math.max(a, b);
const smaller = (a: number, b: number): number => Math.min(a, b);

type LineReduction = (x: ReferenceArray, o: number, i: number) => number;

const reductions: Readonly<Record<Reduction, LineReduction>> = {
  [Reduction.sum]: (x, o, i) => fold(x, o, i, 0, add),
  // 0 / 0 makes the mean of nothing NaN.
  [Reduction.mean]: (x, o, i) => fold(x, o, i, 0, add) / x.shape[1],
  [Reduction.max]: (x, o, i) => fold(x, o, i, -Infinity, larger),
  [Reduction.min]: (x, o, i) => fold(x, o, i, Infinity, smaller),
};

const reduceLoop: ReferencePlan<ReduceParams> = ([x], [y], p) => {
  eachLine(p, (o, i) => y.set(o, i, reductions[p.op](x, o, i)));
};

const argReduceLoop: ReferencePlan<ArgReduceParams> = ([x], [y], p) => {
  const sign = p.op === ArgReduction.max ? 1 : -1;
  eachLine(p, (o, i) => {
    let best = 0;
    for (let k = 1; k < p.n; k++) {
      const value = x.get(o, k, i);
      const champion = x.get(o, best, i);
      if (Number.isNaN(champion)) break;
      if (Number.isNaN(value) || sign * value > sign * champion) best = k;
    }
    y.set(o, i, best);
  });
};

const softmaxLoop: ReferencePlan<SoftmaxParams> = ([x], [y], p) => {
  eachLine(p, (o, i) => {
    const m = fold(x, o, i, -Infinity, larger);
    // The terms that are 1 stay out of the sum, which keeps what is small beside 1.
    const ties = fold(x, o, i, 0, (count, value) => count + Number(value === m));
    const rest = fold(x, o, i, 0, (sum, value) => sum + (value - m === 0 ? 0 : Math.exp(value - m)));
    for (let k = 0; k < p.n; k++) {
      const shifted = x.get(o, k, i) - m;
      y.set(o, k, i, p.log ? shifted - Math.log1p(rest + (ties - 1)) : Math.exp(shifted) / (rest + ties));
    }
  });
};

const softmaxBackwardLoop: ReferencePlan<SoftmaxParams> = ([y, g], [gx], p) => {
  eachLine(p, (o, i) => {
    let top = 0;
    for (let k = 1; k < p.n; k++) if (y.get(o, k, i) > y.get(o, top, i)) top = k;
    const gTop = p.n ? g.get(o, top, i) : 0;
    /** The sum over all but the most likely. */
    const sumOfOthers = (term: (k: number) => number): number => {
      let sum = 0;
      for (let k = 0; k < p.n; k++) if (k !== top) sum += term(k);
      return sum;
    };
    if (p.log) {
      const others = sumOfOthers((k) => g.get(o, k, i));
      for (let k = 0; k < p.n; k++) gx.set(o, k, i, g.get(o, k, i) - Math.exp(y.get(o, k, i)) * (others + gTop));
      const logOfTop = y.get(o, top, i);
      gx.set(o, top, i, -gTop * Math.expm1(logOfTop) - Math.exp(logOfTop) * others);
    } else {
      const dot = sumOfOthers((k) => y.get(o, k, i) * (g.get(o, k, i) - gTop));
      for (let k = 0; k < p.n; k++) gx.set(o, k, i, y.get(o, k, i) * (g.get(o, k, i) - gTop - dot));
    }
  });
};

export function addReduction(table: PlanTable<ReferencePlan<never>>): void {
  table.add(reduce, reduceLoop);
  table.add(argReduce, argReduceLoop);
  table.add(softmax, softmaxLoop);
  table.add(softmaxBackward, softmaxBackwardLoop);
}
