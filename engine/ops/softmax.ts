// Softmax, its logarithm and log(sum(e^x)). The largest term is kept apart from the others throughout, since next to it they may
// be too small to be seen: what is computed from 1 - p for a probability p near 1 is computed from the sum of the others.
import { softmax as softmaxKernel, softmaxBackward, type SoftmaxParams, unary, Unary } from '../../kernels/index.ts';
import { tensor } from '../creation.ts';
import { ShapeError } from '../errors.ts';
import { defineFunction, defineOperation } from '../operation.ts';
import { aroundAxis, normalizeAxes, normalizeAxis, type Shape, sizeOf } from '../shape.ts';
import { axis, float } from '../signature.ts';
import { tidy } from '../scope.ts';
import { noGrad } from '../grad-mode.ts';
import type { Tensor } from '../tensor.ts';
import { add, eq, mul, sub, where } from './binary.ts';
import { permute } from './layout.ts';
import { overAxes, type ReduceOptions } from './reduce-options.ts';
import { amax, argmax, sum } from './reduction.ts';
import { reshape } from './reshape.ts';
import { abs, affine, cast, exp, log, log1p } from './unary.ts';

const family = 'softmax';

interface Line {
  axis: number;
  log: boolean;
}

const launchParams = (shape: Shape, { axis, log }: Line): SoftmaxParams => {
  const { outer, size, inner } = aroundAxis(shape, axis);
  return { outer, n: size, inner, log: Number(log) };
};

const backwardOp = defineOperation<Line>({
  name: 'softmaxBackward',
  family,
  noGradient: 'gradients of gradients of softmax are made of other operations',
  arguments: ['y', 'g'],
  infer: ([y]) => [{ shape: y!.shape, dtype: 'float32' }],
  forward([y, g], [gx], line) {
    if (y!.size === 0) return;
    y!.device.launch(softmaxBackward, [y!.storage, g!.storage], [gx!.storage], launchParams(y!.shape, line));
  },
});

/** The same gradient as a differentiable expression of y and g, for gradients of gradients. */
function composedGradient(y: Tensor, g: Tensor, { axis, log }: Line): Tensor {
  if (y.size === 0) return mul(y, g);
  const isTop = noGrad(() => {
    const size = y.shape[axis]!;
    const places = tensor(
      Int32Array.from({ length: size }, (_, k) => k),
      y.shape.map((_, at) => (at === axis ? size : 1)),
      { device: y.device },
    );
    return eq(argmax(y, axis, { keepdim: true }), places);
  });
  const along = (terms: Tensor): Tensor => sum(terms, axis, { keepdim: true });
  const ofTop = (terms: Tensor): Tensor => along(where(isTop, terms, 0));
  const ofOthers = (terms: Tensor): Tensor => along(where(isTop, 0, terms));
  if (!log) {
    const h = where(isTop, 0, sub(g, ofTop(g)));
    return mul(y, sub(h, along(mul(h, y))));
  }
  const p = exp(y);
  const others = ofOthers(g);
  const atTop = sub(mul(g, ofOthers(p)), mul(p, others));
  return where(isTop, atTop, sub(g, mul(p, add(others, ofTop(g)))));
}

function defineSoftmax(name: string, log: boolean) {
  const apply = defineOperation<Line>({
    name,
    family,
    infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
    forward([x], [y], line) {
      if (x!.size > 0) x!.device.launch(softmaxKernel, [x!.storage], [y!.storage], launchParams(x!.shape, line));
    },
    saves: { outputs: [0] },
    vjp: ({ gradients: [g], outputs: [y], attrs, createGraph }) =>
      createGraph ? [composedGradient(y!, g!, attrs)] : backwardOp([y, g], attrs),
  });
  const normalize = (x: Tensor, axis: number): Tensor => {
    if (x.rank === 0) {
      const details = { operation: name, argument: 'x', expected: 'one axis or more', given: 'a scalar' };
      throw new ShapeError('a scalar has no axis', details);
    }
    return apply([x], { axis: normalizeAxis(name, axis, x.rank), log })[0]!;
  };
  return defineFunction(name, normalize, { x: float, axis });
}

/** e^x / sum(e^x) along `axis`. */
export const softmax = defineSoftmax('softmax', false);

/** x - logSumExp(x) along `axis`. */
export const logSoftmax = defineSoftmax('logSoftmax', true);

/** e^x / sum(e^x) over several axes, which are brought together first. */
function softmaxOver(x: Tensor, axes: Shape): Tensor {
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const order = [...kept, ...axes];
  const lines = [sizeOf(kept.map((axis) => x.shape[axis]!)), sizeOf(axes.map((axis) => x.shape[axis]!))];
  const apart = permute(x, order);
  const together = reshape(softmax(reshape(apart, lines), 1), apart.shape);
  return permute(
    together,
    order.map((_, axis) => order.indexOf(axis)),
  );
}

const isEndless = (x: Tensor): Tensor => noGrad(() => eq(abs(x), Infinity));

/** The logarithm of the sum of e^x, in which the terms of the largest x, each 1 after the shift, are counted. */
function logOfSum(x: Tensor, axes: Shape): Tensor {
  if (x.size === 0) return log(sum(x, axes, { keepdim: true }));
  const top = amax(x, axes, { keepdim: true });
  const shift = where(isEndless(top), 0, top);
  const isTop = eq(x, top);
  const ties = sum(cast(isTop, 'float32'), axes, { keepdim: true });
  const others = sum(where(isTop, 0, exp(sub(x, shift))), axes, { keepdim: true });
  return where(isEndless(top), top, add(shift, log1p(add(others, affine(ties, 1, -1)))));
}

const logSumExpOp = defineOperation<Shape>({
  name: 'logSumExp',
  family,
  infer: ([x], axes) => [{ shape: x!.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)), dtype: 'float32' }],
  forward([x], [y], axes) {
    const n = y!.size;
    if (n === 0) return;
    tidy(() => {
      const value = noGrad(() => logOfSum(x!, axes));
      y!.device.launch(unary, [value.storage], [y!.storage], { n, op: Unary.affine, a: 1, b: 0 });
    });
  },
  saves: { inputs: [0], outputs: [0] },
  vjp: ({ gradients: [g], inputs: [x], outputs: [y], attrs: axes }) => {
    const single = axes.length === 1 ? softmax(x!, axes[0]!) : softmaxOver(x!, axes);
    return [mul(g!, where(isEndless(y!), exp(sub(x!, y!)), single))];
  },
});

/** log(sum(e^x)) over `axes`, safe from overflow. */
export const logSumExp = defineFunction(
  'logSumExp',
  (x: Tensor, axes?: number | Shape, { keepdim = false }: ReduceOptions = {}): Tensor => {
    const list = normalizeAxes('logSumExp', axes, x.rank);
    const y = logSumExpOp([x], list)[0]!;
    if (keepdim) return y;
    return reshape(
      y,
      y.shape.filter((_, axis) => !list.includes(axis)),
    );
  },
  overAxes,
);
