// Indexing along one axis: gather and its adjoint scatterAdd, indexSelect, and scatter (which overwrites).
import {
  gather as gatherKernel,
  type Kernel,
  scatter as scatterKernel,
  scatterAdd as scatterAddKernel,
} from '../../kernels/index.ts';
import type { GatherParams } from '../../kernels/index.ts';
import { wholeNumber } from '../checks.ts';
import { ShapeError, showShape } from '../errors.ts';
import { defineComposite, defineFunction, defineOperation } from '../operation.ts';
import { aroundAxis, normalizeAxis, sameShape, type Shape } from '../shape.ts';
import { anyType, float, int, value } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { expand } from './expand.ts';
import { slice } from './layout.ts';
import { reshape } from './reshape.ts';

const family = 'indexing';
const dtypes = [['float32', 'int32', 'bool'], ['int32']] as const;

/** [outer, size | count, inner] of a tensor and an index that agree but for one axis. */
function launch(kernel: Kernel<GatherParams>, x: Tensor, index: Tensor, y: Tensor, axis: number, size: number): void {
  if (y.size === 0) return;
  const { outer, size: count, inner } = aroundAxis(index.shape, axis);
  x.device.launch(kernel, [x.storage, index.storage], [y.storage], { outer, size, count, inner });
}

const gatherOp = defineOperation<number>({
  name: 'gather',
  family,
  dtypes,
  infer: ([x, index]) => [{ shape: index!.shape, dtype: x!.dtype }],
  forward: ([x, index], [y], axis) => launch(gatherKernel, x!, index!, y!, axis, x!.shape[axis]!),
  saves: { inputs: [1] },
  vjp: ({ gradients, inputs, inputShapes, attrs: axis }) => [
    scatterAdd(gradients[0]!, axis, inputs[1]!, inputShapes[0]![axis]!),
  ],
});

/** y[i][j] = x[index[i][j]][j] for axis 0, and so on. Indices (int32) outside of the axis give 0. */
export const gather = defineFunction('gather', gatherAxis, { x: anyType, axis: value, index: int });

function gatherAxis(x: Tensor, axis: number, index: Tensor): Tensor {
  const at = normalizeAxis('gather', axis, x.rank);
  if (index.rank !== x.rank || index.shape.some((n, i) => i !== at && n > x.shape[i]!)) {
    throw new ShapeError('the index does not fit', {
      operation: 'gather',
      argument: 'index',
      expected: `at most ${showShape(x.shape)} but for axis ${at}`,
      given: showShape(index.shape),
    });
  }
  const base = slice(
    x,
    index.shape.map((n, i) => (i === at ? null : [0, n])),
  );
  return gatherOp([base, index], at)[0]!;
}

interface ScatterAttrs {
  axis: number;
  size: number;
}

/** Where the entries go: each has an index, and the axis is given a size. */
function target(operation: string, g: Tensor, axis: number, index: Tensor, size: number): ScatterAttrs {
  const at = normalizeAxis(operation, axis, g.rank);
  if (!sameShape(index.shape, g.shape)) {
    throw new ShapeError('needs one index per entry', {
      operation,
      argument: 'index',
      expected: showShape(g.shape),
      given: showShape(index.shape),
    });
  }
  return { axis: at, size: wholeNumber(operation, 'size', size, 0) };
}

const grown = (shape: Shape, { axis, size }: ScatterAttrs): Shape => shape.with(axis, size);

const scatterAddOp = defineOperation<ScatterAttrs>({
  name: 'scatterAdd',
  family,
  dtypes: [['float32'], ['int32']],
  infer: ([g], attrs) => [{ shape: grown(g!.shape, attrs), dtype: 'float32' }],
  forward: ([g, index], [y], { axis, size }) => launch(scatterAddKernel, g!, index!, y!, axis, size),
  saves: { inputs: [1] },
  vjp: ({ gradients, inputs, attrs }) => [gatherOp([gradients[0]!, inputs[1]!], attrs.axis)[0]!],
});

/** y[index[i][j]][j] += g[i][j] for axis 0, in the order of i; `size` is the length of the result's axis. */
export const scatterAdd = defineFunction(
  'scatterAdd',
  (g: Tensor, axis: number, index: Tensor, size: number): Tensor =>
    scatterAddOp([g, index], target('scatterAdd', g, axis, index, size))[0]!,
  { g: float, axis: value, index: int, size: value },
);

const scatterOp = defineOperation<ScatterAttrs>({
  name: 'scatter',
  family,
  dtypes,
  infer: ([g], attrs) => [{ shape: grown(g!.shape, attrs), dtype: g!.dtype }],
  forward: ([g, index], [y], { axis, size }) => launch(scatterKernel, g!, index!, y!, axis, size),
  saves: { inputs: [1] },
  vjp: ({ gradients, inputs, attrs }) => [gatherOp([gradients[0]!, inputs[1]!], attrs.axis)[0]!],
});

/** As scatterAdd into zeros, but the last of several equal indices overwrites. */
export const scatter = defineFunction(
  'scatter',
  (g: Tensor, axis: number, index: Tensor, size: number): Tensor =>
    scatterOp([g, index], target('scatter', g, axis, index, size))[0]!,
  { g: anyType, axis: value, index: int, size: value },
);

/** Whole slices of `x` along `axis`, by a 1-D int32 index. */
export const indexSelect = defineComposite(
  'indexSelect',
  (x: Tensor, axis: number, index: Tensor): Tensor => {
    const at = normalizeAxis('indexSelect', axis, x.rank);
    if (index.rank !== 1) {
      throw new ShapeError('the index must be 1-D', {
        operation: 'indexSelect',
        argument: 'index',
        expected: 'one axis',
        given: showShape(index.shape),
      });
    }
    const count = index.shape[0]!;
    const aligned = reshape(
      index,
      x.shape.map((_, i) => (i === at ? count : 1)),
    );
    return gatherOp([x, expand(aligned, x.shape.with(at, count))], at)[0]!;
  },
  { family, signature: { x: anyType, axis: value, index: int } },
);
