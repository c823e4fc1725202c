// Several tensors to one and back: cat, stack, split. Strided copies; the gradient of each is the other way round.
import { copy } from '../../kernels/index.ts';
import { ConfigError, DTypeError, ShapeError, showShape } from '../errors.ts';
import { defineComposite, defineFunction, defineOperation } from '../operation.ts';
import { checkShape, normalizeAxis, sameShape, sizeOf } from '../shape.ts';
import { anyType, axis, listOf, optional, wholeNumbers } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { narrow } from './layout.ts';
import { unsqueeze } from './reshape.ts';

const family = 'joining';
const anyTypes = [anyType.dtypes];

const catOp = defineOperation<number>({
  name: 'cat',
  family,
  dtypes: anyTypes,
  infer(inputs, axis) {
    const first = inputs[0]!;
    for (const other of inputs) {
      if (other.rank !== first.rank || other.shape.some((n, i) => i !== axis && n !== first.shape[i])) {
        throw new ShapeError('shapes differ in an axis other than the one joined', {
          operation: 'cat',
          argument: `tensors[${inputs.indexOf(other)}]`,
          expected: `${showShape(first.shape)} except in axis ${axis}`,
          given: showShape(other.shape),
        });
      }
      if (other.dtype !== first.dtype) {
        throw new DTypeError('element types differ', {
          operation: 'cat',
          argument: `tensors[${inputs.indexOf(other)}]`,
          expected: first.dtype,
          given: other.dtype,
          hint: 'Convert it with cast(x, dtype)',
        });
      }
    }
    return [
      {
        shape: first.shape.with(
          axis,
          inputs.reduce((n, x) => n + x.shape[axis]!, 0),
        ),
        dtype: first.dtype,
      },
    ];
  },
  forward(inputs, [y], axis) {
    const outer = sizeOf(y!.shape.slice(0, axis));
    const row = sizeOf(y!.shape.slice(axis));
    let outOffset = 0;
    for (const x of inputs) {
      const width = sizeOf(x.shape.slice(axis));
      if (x.size > 0) {
        y!.device.launch(copy, [x.storage], [y!.storage], {
          shape: [outer, width],
          inStrides: [width, 1],
          outStrides: [row, 1],
          rank: 2,
          n: x.size,
          inOffset: 0,
          outOffset,
          inSize: x.size,
          outSize: y!.size,
        });
      }
      outOffset += width;
    }
  },
  vjp({ gradients, attrs: axis, inputShapes, needs }) {
    let start = 0;
    return inputShapes.map((shape, i) => {
      const at = start;
      start += shape![axis]!;
      return needs[i] ? narrow(gradients[0]!, axis, at, shape![axis]!) : undefined;
    });
  },
});

function checkSome(operation: string, tensors: readonly Tensor[]): void {
  if (tensors.length) return;
  const details = { operation, argument: 'tensors', expected: 'one tensor or more', given: 'none' };
  throw new ConfigError('nothing to join', details);
}

/** Joins along an existing axis. */
export const cat = defineFunction(
  'cat',
  (tensors: readonly Tensor[], axis = 0): Tensor => {
    checkSome('cat', tensors);
    return catOp(tensors, normalizeAxis('cat', axis, tensors[0]!.rank))[0]!;
  },
  { tensors: listOf(anyType), axis: optional(axis) },
);

/** Another name of `cat`, as in PyTorch. */
export const concat = cat;

/** Joins along a new axis. */
export const stack = defineComposite(
  'stack',
  (tensors: readonly Tensor[], axis = 0): Tensor => {
    checkSome('stack', tensors);
    const first = tensors[0]!;
    const at = normalizeAxis('stack', axis, first.rank + 1);
    tensors.forEach((other, i) => {
      if (sameShape(other.shape, first.shape)) return;
      throw new ShapeError('shapes differ', {
        operation: 'stack',
        argument: `tensors[${i}]`,
        expected: showShape(first.shape),
        given: showShape(other.shape),
      });
    });
    return cat(
      tensors.map((x) => unsqueeze(x, at)),
      at,
    );
  },
  { family, signature: { tensors: listOf(anyType), axis: optional(axis) } },
);

/** Cuts into pieces of the given sizes along `axis`. */
export const split = defineComposite(
  'split',
  (x: Tensor, sizes: readonly number[], axis = 0): Tensor[] => {
    const at = normalizeAxis('split', axis, x.rank);
    checkShape('split', sizes, 'sizes');
    if (sizes.reduce((a, b) => a + b, 0) !== x.shape[at]) {
      throw new ShapeError('the pieces do not add up to the axis', {
        operation: 'split',
        argument: 'sizes',
        expected: `a sum of ${x.shape[at]}`,
        given: showShape(sizes),
      });
    }
    let start = 0;
    return sizes.map((size) => narrow(x, at, (start += size) - size, size));
  },
  { family, signature: { x: anyType, sizes: wholeNumbers, axis: optional(axis) } },
);
