// Matrix products: matmul with batch broadcasting and vectors, bmm, and linear with a fused bias.
import { fill, matmul as matmulKernel } from '../../kernels/index.ts';
import { ShapeError, showShape } from '../errors.ts';
import { type Apply, defineComposite, defineFunction, defineOperation } from '../operation.ts';
import { eachReadsOther } from '../saved.ts';
import { broadcastShapes, sameShape, type Shape, sizeOf } from '../shape.ts';
import { flag, float, optional, optionsWith } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { expand } from './expand.ts';
import { sum } from './reduction.ts';
import { reshape } from './reshape.ts';

/** Options of `matmul` and `bmm`. */
export interface MatmulOptions {
  /** Transpose the last two axes of the operand first. */
  transposeA?: boolean;
  transposeB?: boolean;
}

const transposes = optionsWith<MatmulOptions>({ transposeA: flag, transposeB: flag });

const matrix = (shape: Shape, transposed: boolean): [number, number] =>
  transposed ? [shape[2]!, shape[1]!] : [shape[1]!, shape[2]!];

/** [B or 1, m, k] x [B or 1, k, n] (+ bias of n) with either operand stored transposed. */
const productOp: Apply<Required<MatmulOptions>> = defineOperation<Required<MatmulOptions>>({
  name: 'matmul',
  family: 'matmul',
  infer([a, b], { transposeA, transposeB }) {
    const [m, k] = matrix(a!.shape, transposeA);
    const [k2, n] = matrix(b!.shape, transposeB);
    if (k !== k2) {
      throw new ShapeError('inner sizes differ', {
        operation: 'matmul',
        argument: 'b',
        expected: `${k} rows in the second operand`,
        given: `${k2} (${showShape(a!.shape)} by ${showShape(b!.shape)})`,
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
  saves: { inputs: eachReadsOther },
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
export const matmul = defineFunction('matmul', multiply, { a: float, b: float, options: transposes });

function multiply(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions = {}): Tensor {
  for (const [argument, { rank }] of Object.entries({ a, b })) {
    if (rank > 0) continue;
    const details = { operation: 'matmul', argument, expected: 'one axis or more', given: 'a scalar' };
    throw new ShapeError('operands need axes', details);
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
}

/** Product of two 3-D tensors of equal batch size. */
export const bmm = defineComposite(
  'bmm',
  (a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor => {
    const refuse = (argument: string, expected: string, given: Shape): never => {
      throw new ShapeError('shapes do not fit', { operation: 'bmm', argument, expected, given: showShape(given) });
    };
    if (a.rank !== 3) refuse('a', 'three axes', a.shape);
    if (b.rank !== 3 || a.shape[0] !== b.shape[0]) refuse('b', `[${a.shape[0]}, ., .]`, b.shape);
    const inner = a.shape[options.transposeA ? 1 : 2]!;
    if (b.shape[options.transposeB ? 2 : 1] !== inner) refuse('b', `an inner size of ${inner}`, b.shape);
    return matmul(a, b, options);
  },
  { family: 'matmul', signature: { a: float, b: float, options: transposes } },
);

/** x weight^T + bias, with x (..., I), weight (O, I), bias (O). */
export const linear = defineComposite(
  'linear',
  (x: Tensor, weight: Tensor, bias?: Tensor): Tensor => {
    const refuse = (argument: string, expected: string, given: Shape): never => {
      throw new ShapeError('shapes do not fit', { operation: 'linear', argument, expected, given: showShape(given) });
    };
    if (x.rank === 0) refuse('x', 'one axis or more', x.shape);
    if (weight.rank !== 2 || x.shape.at(-1) !== weight.shape[1]) {
      refuse('weight', `[outputs, ${x.shape.at(-1)}]`, weight.shape);
    }
    if (bias && !sameShape(bias.shape, [weight.shape[0]!])) refuse('bias', `[${weight.shape[0]}]`, bias.shape);
    const rows = sizeOf(x.shape.slice(0, -1));
    const inputs = [reshape(x, [1, rows, weight.shape[1]!]), reshape(weight, [1, ...weight.shape]), bias];
    const y = productOp(inputs, { transposeA: false, transposeB: true })[0]!;
    return reshape(y, [...x.shape.slice(0, -1), weight.shape[0]!]);
  },
  { family: 'matmul', signature: { x: float, weight: float, bias: optional(float) } },
);
