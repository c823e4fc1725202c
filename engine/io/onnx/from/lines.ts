// Matrix products, reductions, softmax, sorting, and layer norm.
import * as w from '../../../index.ts';
import type { Tensor } from '../../../index.ts';
import { type Shape, sizeOf } from '../../../shape.ts';
import { axesOf, axisOf } from './layout.ts';
import { hostOf } from './host.ts';
import { type FileNode, isHost, type Operator, type Operators } from './node.ts';

const gemm: Operator = {
  read(node) {
    const [alpha, beta] = [node.float('alpha', 1), node.float('beta', 1)];
    const [transposeA, transposeB] = [node.flag('transA'), node.flag('transB')];
    const scaled = (x: Tensor, factor: number): Tensor => (factor === 1 ? x : w.mul(x, factor));
    return (inputs) => {
      const [a, b, bias] = [inputs.tensor(0), inputs.tensor(1), inputs.optional(2)];
      if (a.rank !== 2 || b.rank !== 2) node.refuse('expected two matrices', `${a.rank} and ${b.rank} axes`);
      // The form in which linear layers are exported, which adds the bias in the same kernel.
      const isLinear = !transposeA && transposeB && alpha === 1 && beta === 1 && bias?.rank === 1;
      if (isLinear && bias.size === b.shape[0]) return w.linear(a, b, bias);
      const product = scaled(w.matmul(a, b, { transposeA, transposeB }), alpha);
      return bias ? w.add(product, scaled(bias, beta)) : product;
    };
  },
};

/** Axes from an attribute or an input, sizes kept unless told otherwise. */
function reduction(reduce: (x: Tensor, axes: number[], options: w.ReduceOptions) => Tensor): Operator {
  return {
    host: [1],
    read(node) {
      const attribute = node.ints('axes');
      const options = { keepdim: node.flag('keepdims', true) };
      const isIdentity = node.flag('noop_with_empty_axes');
      return (inputs) => {
        const x = inputs.tensor(0);
        const given = axesOf(node, attribute, inputs) ?? [];
        if (!given.length && isIdentity) return x;
        const axes = given.length ? given.map((axis) => axisOf(node, axis, x.rank)) : x.shape.map((_, axis) => axis);
        return reduce(x, axes, options);
      };
    },
  };
}

/** ReduceProd of shapes is how their sizes are computed. */
const product: Operator = {
  host: [1],
  read(node) {
    const onTensors = reduction(w.prod).read(node);
    const keepdims = node.flag('keepdims', true);
    return (inputs) => {
      const value = inputs.value(0);
      if (!isHost(value) || value.shape.length !== 1) return onTensors(inputs);
      return hostOf([sizeOf(Array.from(value.values))], keepdims ? [1] : [], value.kind);
    };
  },
};

const extreme = (find: (x: Tensor, axis: number, options: w.ReduceOptions) => Tensor): Operator => ({
  read(node) {
    const axis = node.int('axis', 0);
    const options = { keepdim: node.flag('keepdims', true) };
    node.only('select_last_index', 0);
    return (inputs) => find(inputs.tensor(0), axis, options);
  },
});

/** Before opset 13 over all axes from one on. */
const softmax = (normalize: (x: Tensor, axis: number) => Tensor): Operator => ({
  read(node) {
    const axis = node.int('axis', node.opset < 13 ? 1 : -1);
    return (inputs) => {
      const x = inputs.tensor(0);
      const at = axisOf(node, axis, x.rank);
      if (node.opset >= 13 || at === x.rank - 1) return normalize(x, at);
      const lines = [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))];
      return w.reshape(normalize(w.reshape(x, lines), 1), x.shape);
    };
  },
});

const layerNorm: Operator = {
  read(node) {
    const [axis, eps] = [node.int('axis', -1), node.float('epsilon', 1e-5)];
    node.ignore('stash_type');
    if (node.wanted > 1) node.refuse('more than one output is for training, which is not supported');
    return (inputs) => {
      const x = inputs.tensor(0);
      const shape: Shape = x.shape.slice(axisOf(node, axis, x.rank));
      const y = w.mul(w.layerNorm(x, shape, { eps }), inputs.tensor(1));
      return inputs.has(2) ? w.add(y, inputs.tensor(2)) : y;
    };
  },
};

const cumulative: Operator = {
  host: [1],
  read(node) {
    const isReversed = node.flag('reverse');
    node.only('exclusive', 0);
    return (inputs) => {
      const x = inputs.tensor(0);
      const axis = axisOf(node, inputs.number(1, 'the axis'), x.rank);
      return isReversed ? w.flip(w.cumsum(w.flip(x, axis), axis), axis) : w.cumsum(x, axis);
    };
  },
};

const topK: Operator = {
  host: [1],
  read(node) {
    const axis = node.int('axis', -1);
    const largest = node.flag('largest', true);
    node.ignore('sorted');
    const fixed = node.int('k', NaN);
    return (inputs) => {
      const k = Number.isNaN(fixed) ? inputs.number(1, 'k') : fixed;
      const { values, indices } = w.topk(inputs.tensor(0), k, axis, { largest });
      return [values, indices];
    };
  },
};

function einsumOf(node: FileNode) {
  const equation = node.text('equation', '');
  return (inputs: { count: number; tensor(i: number): Tensor }): Tensor =>
    w.einsum(
      equation,
      Array.from({ length: inputs.count }, (_, i) => inputs.tensor(i)),
    );
}

export const lines: Operators = {
  Gemm: gemm,
  MatMul: { read: () => (inputs) => w.matmul(inputs.tensor(0), inputs.tensor(1)) },
  Einsum: { read: einsumOf },
  ReduceSum: reduction(w.sum),
  ReduceMean: reduction(w.mean),
  ReduceMax: reduction(w.amax),
  ReduceMin: reduction(w.amin),
  ReduceProd: product,
  ReduceL1: reduction((x, axes, options) => w.sum(w.abs(x), axes, options)),
  ReduceL2: reduction((x, axes, options) => w.norm(x, axes, options)),
  ReduceSumSquare: reduction((x, axes, options) => w.sum(w.square(x), axes, options)),
  ReduceLogSumExp: reduction((x, axes, options) => w.logSumExp(x, axes, options)),
  ArgMax: extreme(w.argmax),
  ArgMin: extreme(w.argmin),
  Softmax: softmax(w.softmax),
  LogSoftmax: softmax(w.logSoftmax),
  LayerNormalization: layerNorm,
  CumSum: cumulative,
  TopK: topK,
  // In inference mode it hands its input on.
  Dropout: {
    host: [1, 2],
    read(node) {
      node.ignore('ratio', 'seed');
      if (node.wanted > 1) node.refuse('the mask of a dropout is for training, which is not supported');
      return (inputs) => inputs.value(0);
    },
  },
};
