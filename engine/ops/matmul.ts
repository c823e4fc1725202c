// Matrix products: matmul with batch broadcasting and vectors, bmm, and linear with a fused bias.
import { fill, matmul as matmulKernel } from '../../kernels/index.ts';
import { ShapeError, showShape } from '../errors.ts';
import { type Apply, defineComposite, defineOperation } from '../operation.ts';
import { broadcastShapes, type Shape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { expand } from './expand.ts';
import { sum } from './reduction.ts';
import { reshape } from './reshape.ts';

export interface MatmulOptions {
  /** Transpose the last two axes of the operand first. */
  transposeA?: boolean;
  transposeB?: boolean;
}

const matrix = (shape: Shape, transposed: boolean): [number, number] =>
  transposed ? [shape[2]!, shape[1]!] : [shape[1]!, shape[2]!];

/** [B or 1, m, k] x [B or 1, k, n] (+ bias of n) with either operand stored transposed. */
const productOp: Apply<Required<MatmulOptions>> = defineOperation<Required<MatmulOptions>>({
  name: 'matmul',
  infer([a, b, bias], { transposeA, transposeB }) {
    const [m, k] = matrix(a!.shape, transposeA);
    const [k2, n] = matrix(b!.shape, transposeB);
    if (k !== k2) {
      throw new ShapeError('inner sizes differ', {
        operation: 'matmul',
        expected: `${k} rows in the second operand`,
        given: `${k2} (${showShape(a!.shape)} by ${showShape(b!.shape)})`,
      });
    }
    if (bias && (bias.rank !== 1 || bias.shape[0] !== n)) {
      throw new ShapeError('the bias does not fit', {
        operation: 'linear',
        argument: 'bias',
        expected: `[${n}]`,
        given: showShape(bias.shape),
      });
    }
    const batch = a!.shape[0] === 1 ? b!.shape[0]! : a!.shape[0]!;
    return [{ shape: [batch, m, n], dtype: 'float32' }];
  },
  forward([a, b, bias], [y], { transposeA, transposeB }) {
    const [batch, m, n] = y!.shape as [number, number, number];
    const k = matrix(a!.shape, transposeA)[1];
    if (y!.size === 0) return;
    if (k === 0 && !bias) return y!.device.launch(fill, [], [y!.storage], { n: y!.size, value: 0 });
    const inputs = bias ? [a!.storage, b!.storage, bias.storage] : [a!.storage, b!.storage];
    y!.device.launch(matmulKernel, inputs, [y!.storage], {
      batch,
      m,
      n,
      k,
      transposeA: Number(transposeA),
      transposeB: Number(transposeB),
      batchedA: Number(batch > 1 && a!.shape[0] === batch),
      batchedB: Number(batch > 1 && b!.shape[0] === batch),
      bias: Number(bias !== undefined),
    });
  },
  saves: { inputs: [0, 1] },
  vjp({ gradients, inputs, inputShapes, needs, attrs: { transposeA, transposeB } }) {
    const [g, a, b] = [gradients[0]!, inputs[0]!, inputs[1]!];
    const product = (left: Tensor, right: Tensor, ta: boolean, tb: boolean) =>
      productOp([left, right], { transposeA: ta, transposeB: tb })[0]!;
    const unbatch = (gradient: Tensor, shape: Shape): Tensor =>
      gradient.shape[0] === shape[0] ? gradient : sum(gradient, 0, { keepdim: true });
    const gradA = () => (transposeA ? product(b, g, transposeB, true) : product(g, b, false, !transposeB));
    const gradB = () => (transposeB ? product(g, a, true, transposeA) : product(a, g, !transposeA, false));
    return [
      needs[0] ? unbatch(gradA(), inputShapes[0]!) : undefined,
      needs[1] ? unbatch(gradB(), inputShapes[1]!) : undefined,
      needs[2] ? sum(g, [0, 1]) : undefined,
    ];
  },
});

/**
 * Matrix product over the last two axes, transposed first where asked; the axes before them broadcast. 1-D operands are
 * vectors as in torch.matmul: a row on the left, a column on the right, and their axis is dropped from the result.
 */
export const matmul = (
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): Tensor => {
  if (a.rank === 0 || b.rank === 0) {
    throw new ShapeError('operands need at least one axis', {
      operation: 'matmul',
      given: `${showShape(a.shape)} and ${showShape(b.shape)}`,
    });
  }
  const left = a.rank === 1 ? reshape(a, [1, a.shape[0]!]) : a;
  const right = b.rank === 1 ? reshape(b, [b.shape[0]!, 1]) : b;
  const flags = { transposeA: transposeA && a.rank > 1, transposeB: transposeB && b.rank > 1 };
  const batch = broadcastShapes('matmul', left.shape.slice(0, -2), right.shape.slice(0, -2));
  const count = sizeOf(batch);
  const batched = (x: Tensor): Tensor => {
    const own = sizeOf(x.shape.slice(0, -2));
    const full = own === count || own === 1 ? x : expand(x, [...batch, ...x.shape.slice(-2)]);
    return reshape(full, [own === 1 ? 1 : count, ...full.shape.slice(-2)]);
  };
  const y = productOp([batched(left), batched(right)], flags)[0]!;
  const rows = a.rank === 1 ? [] : [y.shape[1]!];
  const columns = b.rank === 1 ? [] : [y.shape[2]!];
  return reshape(count === y.shape[0] ? y : expand(y, [count, y.shape[1]!, y.shape[2]!]), [
    ...batch,
    ...rows,
    ...columns,
  ]);
};

/** Product of two 3-D tensors of equal batch size. */
export const bmm = defineComposite('bmm', (a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor => {
  if (a.rank !== 3 || b.rank !== 3 || a.shape[0] !== b.shape[0]) {
    throw new ShapeError('needs two 3-D tensors of equal batch size', {
      operation: 'bmm',
      given: `${showShape(a.shape)} and ${showShape(b.shape)}`,
    });
  }
  return matmul(a, b, options);
});

/** x weight^T + bias, with x (..., I), weight (O, I), bias (O). */
export const linear = defineComposite('linear', (x: Tensor, weight: Tensor, bias?: Tensor): Tensor => {
  if (weight.rank !== 2 || x.rank === 0 || x.shape.at(-1) !== weight.shape[1]) {
    throw new ShapeError('the weight does not fit the input', {
      operation: 'linear',
      argument: 'weight',
      expected: `[outputs, ${x.shape.at(-1)}]`,
      given: showShape(weight.shape),
    });
  }
  const rows = sizeOf(x.shape.slice(0, -1));
  const inputs = [reshape(x, [1, rows, weight.shape[1]!]), reshape(weight, [1, ...weight.shape]), bias];
  const y = productOp(inputs, { transposeA: false, transposeB: true })[0]!;
  return reshape(y, [...x.shape.slice(0, -1), weight.shape[0]!]);
});
