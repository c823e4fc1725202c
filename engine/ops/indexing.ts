// Indexing along one axis: gather and its adjoint scatterAdd, indexSelect, and scatter (which overwrites).
//
// Negative indices count from the end. Indices live on the device, so that one outside of [-n, n) is seen only there: what it
// names is NaN (int32: -2^31, bool: false) - the element that it should have given, or in the scatters every element that
// it could have gone to. Such an index has no gradient.
import {
  gather as gatherKernel,
  invalidWord,
  type Kernel,
  NOTHING_OUTSIDE,
  scatter as scatterKernel,
  scatterAdd as scatterAddKernel,
} from '../../kernels/index.ts';
import type { GatherParams } from '../../kernels/index.ts';
import { wholeNumber } from '../checks.ts';
import { ShapeError, showShape } from '../errors.ts';
import { type Apply, defineComposite, defineFunction, defineOperation } from '../operation.ts';
import { aroundAxis, normalizeAxis, sameShape, type Shape } from '../shape.ts';
import { anyType, axis, float, int, size } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { expand } from './expand.ts';
import { slice } from './layout.ts';
import { reshape } from './reshape.ts';

const family = 'indexing';
const dtypes = [['float32', 'int32', 'bool'], ['int32']] as const;

interface IndexAttrs {
  axis: number;
  /** Length of the axis that the indices count in. */
  size: number;
  /** For gradients: indices outside give 0 to a gather and nothing to a scatter. */
  quiet?: true;
}

/** [outer, size | count, inner] of a tensor and an index that agree but for one axis. */
function launch(
  kernel: Kernel<GatherParams>,
  [x, index]: readonly Tensor[],
  y: Tensor,
  { axis, size, quiet }: IndexAttrs,
): void {
  if (y.size === 0) return;
  const { outer, size: count, inner } = aroundAxis(index!.shape, axis);
  const outside = quiet ? NOTHING_OUTSIDE : invalidWord(y.dtype);
  x!.device.launch(kernel, [x!.storage, index!.storage], [y.storage], { outer, size, count, inner, outside });
}

const gatherOp: Apply<IndexAttrs> = defineOperation<IndexAttrs>({
  name: 'gather',
  family,
  dtypes,
  infer: ([x, index]) => [{ shape: index!.shape, dtype: x!.dtype }],
  forward: (inputs, [y], attrs) => launch(gatherKernel, inputs, y!, attrs),
  saves: { inputs: [1] },
  vjp: ({ gradients, inputs, attrs }) => scatterAddOp([gradients[0]!, inputs[1]!], { ...attrs, quiet: true }),
});

/** y[i][j] = x[index[i][j]][j] for axis 0, and so on, with int32 indices; see above for those outside of the axis. */
export const gather = defineFunction('gather', gatherAxis, { x: anyType, axis, index: int });

function gatherAxis(x: Tensor, axis: number, index: Tensor): Tensor {
  const at = normalizeAxis('gather', axis, x.rank);
  if (index.rank !== x.rank || index.shape.some((n, i) => i !== at && n > x.shape[i]!)) {
    throw new ShapeError('the index does not fit', {
      operation: 'gather',
      argument: 'index',
      expected: `at most ${showShape(x.shape)} except in axis ${at}`,
      given: showShape(index.shape),
    });
  }
  const base = slice(
    x,
    index.shape.map((n, i) => (i === at ? null : [0, n])),
  );
  return gatherOp([base, index], { axis: at, size: x.shape[at]! })[0]!;
}

/** Where the entries go: each has an index, and the axis is given a size. */
function target(operation: string, g: Tensor, axis: number, index: Tensor, size: number): IndexAttrs {
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

const grown = (shape: Shape, { axis, size }: IndexAttrs): Shape => shape.with(axis, size);

const scatterAddOp: Apply<IndexAttrs> = defineOperation<IndexAttrs>({
  name: 'scatterAdd',
  family,
  dtypes: [['float32'], ['int32']],
  infer: ([g], attrs) => [{ shape: grown(g!.shape, attrs), dtype: 'float32' }],
  forward: (inputs, [y], attrs) => launch(scatterAddKernel, inputs, y!, attrs),
  saves: { inputs: [1] },
  vjp: ({ gradients, inputs, attrs }) => gatherOp([gradients[0]!, inputs[1]!], { ...attrs, quiet: true }),
});

/** y[index[i][j]][j] += g[i][j] for axis 0, in the order of i; `size` is the length of the result's axis. */
export const scatterAdd = defineFunction(
  'scatterAdd',
  (g: Tensor, axis: number, index: Tensor, size: number): Tensor =>
    scatterAddOp([g, index], target('scatterAdd', g, axis, index, size))[0]!,
  { g: float, axis, index: int, size },
);

const scatterOp = defineOperation<IndexAttrs>({
  name: 'scatter',
  family,
  dtypes,
  infer: ([g], attrs) => [{ shape: grown(g!.shape, attrs), dtype: g!.dtype }],
  forward: (inputs, [y], attrs) => launch(scatterKernel, inputs, y!, attrs),
  saves: { inputs: [1] },
  vjp: ({ gradients, inputs, attrs }) => gatherOp([gradients[0]!, inputs[1]!], { ...attrs, quiet: true }),
});

/** As scatterAdd into zeros, but the last of several equal indices overwrites. */
export const scatter = defineFunction(
  'scatter',
  (g: Tensor, axis: number, index: Tensor, size: number): Tensor =>
    scatterOp([g, index], target('scatter', g, axis, index, size))[0]!,
  { g: anyType, axis, index: int, size },
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
    const each = expand(aligned, x.shape.with(at, count));
    return gatherOp([x, each], { axis: at, size: x.shape[at]! })[0]!;
  },
  { family, signature: { x: anyType, axis, index: int } },
);
