// Broadcasting made explicit, and its adjoint: expand repeats, sumTo adds up.
import { ShapeError, showShape } from '../errors.ts';
import { defineComposite, defineFunction, defineOperation } from '../operation.ts';
import { broadcasts, broadcastStrides, checkShape, sameShape, type Shape } from '../shape.ts';
import { anyType, float, shape } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { launchGatherCopy } from './gather-copy.ts';
import { reshape } from './reshape.ts';
import { sum } from './reduction.ts';

const expandOp = defineOperation<Shape>({
  name: 'expand',
  family: 'expand',
  dtypes: [['float32', 'int32', 'bool']],
  infer: ([x], shape) => [{ shape, dtype: x!.dtype }],
  forward: ([x], [y]) => launchGatherCopy(x!, y!, broadcastStrides(x!.shape, y!.shape)),
  vjp: ({ gradients, inputShapes }) => [sumTo(gradients[0]!, inputShapes[0]!)],
});

/** Repeats `x` to `shape`: its axes of size 1, and new leading axes. A size of -1 keeps the axis. */
export const expand = defineFunction('expand', expandTensor, { x: anyType, shape });

function expandTensor(x: Tensor, shape: Shape): Tensor {
  const offset = shape.length - x.rank;
  const target = shape.map((n, i) => (n === -1 && i >= offset ? x.shape[i - offset]! : n));
  checkShape('expand', target);
  if (offset < 0 || !broadcasts(x.shape, target)) {
    throw new ShapeError('does not broadcast to the shape', {
      operation: 'expand',
      argument: 'shape',
      expected: 'sizes that equal those of the tensor, or any where it has 1',
      given: `${showShape(x.shape)} to ${showShape(shape)}`,
    });
  }
  return sameShape(x.shape, target) ? x : expandOp([x], target)[0]!;
}

/** Adds up the axes that broadcasting repeated, so that the result has `shape`. The adjoint of expand. */
export const sumTo = defineComposite('sumTo', sumToShape, { family: 'expand', signature: { x: float, shape } });

function sumToShape(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  checkShape('sumTo', shape);
  if (x.rank < shape.length || !broadcasts(shape, x.shape)) {
    throw new ShapeError('does not broadcast to the tensor', {
      operation: 'sumTo',
      argument: 'shape',
      expected: `a shape that broadcasts to ${showShape(x.shape)}`,
      given: showShape(shape),
    });
  }
  const offset = x.rank - shape.length;
  const axes = x.shape.flatMap((n, axis) => (axis < offset || (shape[axis - offset] === 1 && n !== 1) ? [axis] : []));
  return reshape(axes.length ? sum(x, axes) : x, shape);
}
