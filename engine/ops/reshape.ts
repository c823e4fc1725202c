// Reshape: the same storage under another shape. Free, and exact in both directions.
import { ShapeError, showShape } from '../errors.ts';
import { defineComposite, defineFunction, defineOperation } from '../operation.ts';
import { checkShape, normalizeAxis, sameShape, type Shape, sizeOf } from '../shape.ts';
import { anyType, axis, optional, shape } from '../signature.ts';
import type { Tensor } from '../tensor.ts';

const reshapeOp = defineOperation<Shape>({
  name: 'reshape',
  family: 'reshape',
  dtypes: [['float32', 'int32', 'bool']],
  infer: ([x], shape) => [{ shape, dtype: x!.dtype }],
  vjp: ({ gradients, inputShapes }) => [reshape(gradients[0]!, inputShapes[0]!)],
});

/** Row-major reshape; one size may be -1. */
export const reshape = defineFunction('reshape', reshapeTensor, { x: anyType, shape });

function reshapeTensor(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const unknown = shape.indexOf(-1);
  const known = sizeOf(shape.filter((_, i) => i !== unknown));
  const resolved = unknown < 0 ? [...shape] : shape.with(unknown, known === 0 ? 0 : x.size / known);
  if (unknown < 0) checkShape('reshape', resolved);
  if (sizeOf(resolved) !== x.size || resolved.some((n) => !Number.isInteger(n) || n < 0)) {
    throw new ShapeError('the number of elements changes', {
      operation: 'reshape',
      argument: 'shape',
      expected: `${x.size} elements, as in ${showShape(x.shape)}`,
      given: showShape(shape),
    });
  }
  return reshapeOp([x], resolved)[0]!;
}

/** Merges the axes from `start` to the end. */
export const flatten = defineComposite(
  'flatten',
  (x: Tensor, start = 0): Tensor => {
    const axis = normalizeAxis('flatten', start, x.rank, 'start');
    return reshape(x, [...x.shape.slice(0, axis), sizeOf(x.shape.slice(axis))]);
  },
  { family: 'reshape', signature: { x: anyType, start: optional(axis) } },
);

/** Inserts an axis of size 1. */
export const unsqueeze = defineComposite(
  'unsqueeze',
  (x: Tensor, axis: number): Tensor => {
    const at = normalizeAxis('unsqueeze', axis, x.rank + 1);
    return reshape(x, x.shape.toSpliced(at, 0, 1));
  },
  { family: 'reshape', signature: { x: anyType, axis } },
);

/** Removes one axis of size 1. */
export const squeeze = defineComposite(
  'squeeze',
  (x: Tensor, axis: number): Tensor => {
    const at = normalizeAxis('squeeze', axis, x.rank);
    if (x.shape[at] !== 1) {
      throw new ShapeError('only an axis of size 1 can be removed', {
        operation: 'squeeze',
        argument: 'axis',
        expected: 'an axis of size 1',
        given: `axis ${axis} of ${showShape(x.shape)}`,
      });
    }
    return reshape(x, x.shape.toSpliced(at, 1));
  },
  { family: 'reshape', signature: { x: anyType, axis } },
);
