// Reductions over any axes. The kernel reduces one run of neighbouring axes; several runs are several launches.
import {
  argReduce,
  ArgReduction,
  batchNormStatistics,
  copy,
  fill,
  reduce,
  Reduction,
  Unary,
  unary,
} from '../../kernels/index.ts';
import { numberWithin } from '../checks.ts';
import { ShapeError, showShape } from '../errors.ts';
import { defineComposite, defineFunction, defineOperation } from '../operation.ts';
import type { Saves } from '../saved.ts';
import { aroundAxis, normalizeAxes, normalizeAxis, type Shape, sizeOf } from '../shape.ts';
import { axis, float, number, optional, optionsWith, orNull } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { emptyTensor } from '../tensor.ts';
import { noGrad } from '../grad-mode.ts';
import type { VjpContext } from '../tape.ts';
import { tidy } from '../scope.ts';
import { div, eq, mul, sub } from './binary.ts';
import { expand } from './expand.ts';
import { gather } from './indexing.ts';
import { permute } from './layout.ts';
import { keep, overAxes, type ReduceOptions } from './reduce-options.ts';
import { reshape, squeeze } from './reshape.ts';
import { affine, cast } from './unary.ts';

export type { ReduceOptions };

type Axes = readonly number[];

const family = 'reduction';
const alongAxis = { x: float, axis, options: optionsWith<ReduceOptions>(keep) };

/** Neighbouring axes. */
interface Run {
  first: number;
  last: number;
}

/** Runs of neighbouring axes, last run first. */
function runsOf(axes: Axes): Run[] {
  const runs: Run[] = [];
  for (const axis of axes) {
    const run = runs[0];
    if (run && run.last === axis - 1) run.last = axis;
    else runs.unshift({ first: axis, last: axis });
  }
  return runs;
}

const withOnes = (shape: Shape, axes: Axes): number[] => shape.map((n, axis) => (axes.includes(axis) ? 1 : n));

/** Without the reduced axes, which have size 1. */
const dropAxes = (y: Tensor, axes: Axes): Tensor =>
  reshape(
    y,
    y.shape.filter((_, axis) => !axes.includes(axis)),
  );

/** One run of axes of `shape`. */
function launchRun(from: Tensor, to: Tensor, shape: Shape, { first, last }: Run, op: Reduction): void {
  let [outer, n, inner] = [1, 1, 1];
  shape.forEach((size, axis) => {
    if (axis < first) outer *= size;
    else if (axis <= last) n *= size;
    else inner *= size;
  });
  from.device.launch(reduce, [from.storage], [to.storage], { outer, n, inner, op });
}

function launchReduce(x: Tensor, y: Tensor, axes: Axes, op: Reduction): void {
  if (sizeOf(y.shape) === 0) return;
  const runs = runsOf(axes);
  if (runs.length === 1) {
    launchRun(x, y, x.shape, runs[0]!, op);
    return;
  }
  tidy(() => {
    let from = x;
    let shape: Shape = x.shape;
    runs.forEach((run, i) => {
      const reduced = shape.map((size, axis) => (axis >= run.first && axis <= run.last ? 1 : size));
      const to = i === runs.length - 1 ? y : emptyTensor(x.device, reduced, 'float32');
      launchRun(from, to, shape, run, op);
      from = to;
      shape = reduced;
    });
    if (!runs.length) {
      const n = x.size;
      const plain = { shape: [n], inStrides: [1], outStrides: [1], rank: 1, n };
      const whole = { ...plain, inOffset: 0, outOffset: 0, inSize: n, outSize: n };
      x.device.launch(copy, [x.storage], [y.storage], whole);
    }
  });
}

interface ReduceRule {
  /** There is none over nothing. */
  ofSome?: boolean;
  reads?: Saves;
  vjp: (context: VjpContext<Axes>, shape: Shape) => Tensor;
}

/** All reductions keep their axes inside the operation; dropping them is a reshape. */
function define(name: string, op: Reduction, rule: ReduceRule) {
  const apply = defineOperation<Axes>({
    name,
    family,
    infer: ([x], axes) => [{ shape: withOnes(x!.shape, axes), dtype: 'float32' }],
    forward: ([x], [y], axes) => launchReduce(x!, y!, axes, op),
    saves: rule.reads ?? {},
    vjp: (context) => [rule.vjp(context, context.inputShapes[0]!)],
  });
  const reduceAxes = (x: Tensor, axes?: number | Axes, { keepdim = false }: ReduceOptions = {}): Tensor => {
    const list = normalizeAxes(name, axes, x.rank);
    if (rule.ofSome) checkSome(name, x, reducedSize(x.shape, list));
    const y = apply([x], list)[0]!;
    return keepdim ? y : dropAxes(y, list);
  };
  return defineFunction(name, reduceAxes, overAxes);
}

/** Elements that each output reduces. */
const reducedSize = (shape: Shape, axes: Axes): number => sizeOf(axes.map((axis) => shape[axis]!));

/** Sum over `axes` (all when undefined). */
export const sum = define('sum', Reduction.sum, { vjp: ({ gradients }, shape) => expand(gradients[0]!, shape) });

/** Mean over `axes`; NaN where there is nothing to average, and without a gradient there. */
export const mean = define('mean', Reduction.mean, {
  vjp: ({ gradients, attrs }, shape) => {
    const n = reducedSize(shape, attrs);
    return expand(affine(gradients[0]!, n > 0 ? 1 / n : 0, 0), shape);
  },
});

/** Equal extremes share the gradient equally. */
const shareTies: ReduceRule = {
  ofSome: true,
  reads: { inputs: [0], outputs: [0] },
  vjp: ({ gradients, inputs, outputs, attrs }, shape) => {
    const mask = cast(eq(inputs[0]!, outputs[0]!), 'float32');
    return mul(mask, expand(div(gradients[0]!, sum(mask, attrs, { keepdim: true })), shape));
  },
};

/** Maximum over `axes`; ties share the gradient. NaN wins. Throws ShapeError where there is nothing to choose from. */
export const amax = define('amax', Reduction.max, shareTies);
/** Minimum over `axes`; ties share the gradient. NaN wins. Throws ShapeError where there is nothing to choose from. */
export const amin = define('amin', Reduction.min, shareTies);

function arg(name: string, op: ArgReduction) {
  const apply = defineOperation<number>({
    name,
    family,
    noGradient: 'gives an index',
    infer: ([x], axis) => [{ shape: withOnes(x!.shape, [axis]), dtype: 'int32' }],
    forward([x], [y], axis) {
      const { outer, size, inner } = aroundAxis(x!.shape, axis);
      if (outer * inner > 0) x!.device.launch(argReduce, [x!.storage], [y!.storage], { outer, n: size, inner, op });
    },
  });
  const find = (x: Tensor, axis?: number | null, { keepdim = false }: ReduceOptions = {}): Tensor => {
    if (axis === undefined || axis === null) {
      checkSome(name, x, x.size);
      const flat = apply([reshape(x, [x.size])], 0)[0]!;
      return reshape(flat, keepdim ? x.shape.map(() => 1) : []);
    }
    const at = normalizeAxis(name, axis, x.rank);
    checkSome(name, x, x.shape[at]!);
    const y = apply([x], at)[0]!;
    return keepdim ? y : squeeze(y, at);
  };
  return defineFunction(name, find, { ...alongAxis, axis: optional(orNull(axis)) });
}

/** An extreme is one of some. */
function checkSome(operation: string, x: Tensor, count: number): void {
  if (count > 0) return;
  const details = { operation, argument: 'x', expected: 'an axis that is not empty', given: showShape(x.shape) };
  throw new ShapeError('there is nothing to choose from', details);
}

/** Index (int32) of the first maximum along `axis`, or in the flattened tensor. */
export const argmax = arg('argmax', ArgReduction.max);
/** Index (int32) of the first minimum along `axis`, or in the flattened tensor. */
export const argmin = arg('argmin', ArgReduction.min);

const extreme = (name: string, index: typeof argmax) =>
  defineComposite(
    name,
    (x: Tensor, axis: number, { keepdim = false }: ReduceOptions = {}) => {
      const at = normalizeAxis(name, axis, x.rank);
      checkSome(name, x, x.shape[at]!);
      const indices = index(x, at, { keepdim: true });
      const values = gather(x, at, indices);
      return keepdim ? { values, indices } : { values: squeeze(values, at), indices: squeeze(indices, at) };
    },
    { family, signature: alongAxis },
  );

/** Maximum along one axis and its first index, which receives the whole gradient. */
export const max = extreme('max', argmax);
/** Minimum along one axis and its first index, which receives the whole gradient. */
export const min = extreme('min', argmin);

const centred = (x: Tensor, axes: Axes): Tensor => sub(x, mean(x, axes, { keepdim: true }));

const freedom = (shape: Shape, { axes, correction }: VarianceRule): number => reducedSize(shape, axes) - correction;

interface VarianceRule {
  axes: Axes;
  correction: number;
}

/** Shorter runs of neighbours than this are brought together before their statistics are taken. */
const SHORT_RUN = 32;
/** Runs from this length on are copied faster than they are turned. */
const COPIED_RUN = 8;

/**
 * x as [batch, channels, spatial] with the kept axes for channels: as it stands where they are neighbours, else permuted to columns
 * or rows, whichever leaves the last axis in its place.
 */
function keptAsChannels(x: Tensor, axes: Axes): { x: Tensor; batch: number; channels: number; spatial: number } {
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const channels = sizeOf(kept.map((axis) => x.shape[axis]!));
  const count = x.size / channels;
  if (channels === 1) return { x, batch: 1, channels, spatial: count };
  const [first, last] = [kept[0]!, kept.at(-1)!];
  const batch = sizeOf(x.shape.slice(0, first));
  const spatial = count / batch;
  const areNeighbours = last - first === kept.length - 1;
  const isRun = batch === 1 || spatial === 1 || spatial >= SHORT_RUN;
  if (areNeighbours && isRun) return { x, batch, channels, spatial };
  const isLastKept = last === x.rank - 1 && x.shape[last]! >= COPIED_RUN;
  if (isLastKept) return { x: permute(x, [...axes, ...kept]), batch: count, channels, spatial: 1 };
  return { x: permute(x, [...kept, ...axes]), batch: 1, channels, spatial: count };
}

/** One operation for the sake of its gradient: that of the mean inside it is 0, but would be NaN next to an infinity. */
const varianceOp = defineOperation<VarianceRule>({
  name: 'variance',
  family,
  infer: ([x], { axes }) => [{ shape: withOnes(x!.shape, axes), dtype: 'float32' }],
  forward([x], [y], rule) {
    const [n, { device }] = [y!.size, x!];
    if (n === 0) return;
    if (x!.size === 0) {
      device.launch(fill, [], [y!.storage], { n, value: NaN });
      return;
    }
    tidy(() => {
      const { x: image, ...sizes } = noGrad(() => keptAsChannels(x!, rule.axes));
      const [average, spread, inverse] = Array.from({ length: 3 }, () => emptyTensor(device, [n], 'float32').storage);
      device.launch(batchNormStatistics, [image.storage], [average!, spread!, inverse!], { ...sizes, eps: 0, relu: 0 });
      // Where no degree of freedom is left the variance is infinite, or 0 / 0; its slope below divides by what is left, as torch's.
      const scale = reducedSize(x!.shape, rule.axes) / Math.max(0, freedom(x!.shape, rule));
      device.launch(unary, [spread!], [y!.storage], { n, op: Unary.affine, a: scale, b: 0 });
    });
  },
  saves: { inputs: [0] },
  vjp: ({ gradients, inputs: [x], attrs }) => [
    mul(gradients[0]!, affine(centred(x!, attrs.axes), 2 / freedom(x!.shape, attrs), 0)),
  ],
});

/** Options of `variance`. */
export interface VarianceOptions extends ReduceOptions {
  /** Taken from the count of values to give the divisor. Default 1: unbiased. */
  correction?: number;
}

/** Variance over `axes` with divisor n - correction (1: unbiased). */
export const variance = defineFunction(
  'variance',
  (x: Tensor, axes?: number | Axes, { keepdim = false, correction = 1 }: VarianceOptions = {}): Tensor => {
    numberWithin('variance', 'correction', correction);
    const list = normalizeAxes('variance', axes, x.rank);
    const y = varianceOp([x], { axes: list, correction })[0]!;
    return keepdim ? y : dropAxes(y, list);
  },
  { ...overAxes, options: optionsWith<VarianceOptions>({ ...keep, correction: number }) },
);
