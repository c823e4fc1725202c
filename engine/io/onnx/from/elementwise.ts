// Elementwise operators: the operation for tensors, and where shapes are computed the same on the host.
import * as w from '../../../index.ts';
import type { Tensor } from '../../../index.ts';
import { kindOf, type Host } from '../tensor-data.ts';
import { zipped } from './host.ts';
import type { FileNode, Inputs, Operator, Operators, Value } from './node.ts';

type OnNumbers = (...values: number[]) => number;

const all = (inputs: Inputs): number[] => Array.from({ length: inputs.count }, (_, i) => i);
const tensors = (inputs: Inputs): Tensor[] => all(inputs).map((i) => inputs.tensor(i));
const hosts = (inputs: Inputs): Host[] => all(inputs).map((i) => inputs.host(i, 'an operand'));

/** An operator of so many inputs without attributes. */
function ofCount(
  count: number,
  onTensors: (x: Tensor, y: Tensor) => Tensor,
  onNumbers?: OnNumbers,
  kind?: Host['kind'],
) {
  const read = (node: FileNode) => (inputs: Inputs) => {
    if (inputs.count !== count) node.refuse(`expected ${count} inputs`, String(inputs.count));
    if (onNumbers && inputs.areHost()) return zipped(node.op, hosts(inputs), onNumbers, kind);
    const [x, y] = tensors(inputs);
    return onTensors(x!, y!);
  };
  return { read };
}

const unary = (f: (x: Tensor) => Tensor, onNumbers?: OnNumbers, kind?: Host['kind']): Operator =>
  ofCount(1, (x) => f(x), onNumbers, kind);
const binary = (f: (x: Tensor, y: Tensor) => Tensor, onNumbers?: OnNumbers, kind?: Host['kind']): Operator =>
  ofCount(2, f, onNumbers, kind);

/** An operator of one tensor with attributes. */
const curve = (read: (node: FileNode) => (x: Tensor) => Tensor): Operator => ({
  read: (node) => {
    const f = read(node);
    return (inputs) => f(inputs.tensor(0));
  },
});

/** An operator of any number of operands, taken two at a time. */
const folded = (onTensors: (a: Tensor, b: Tensor) => Tensor, onNumbers: OnNumbers): Operator => ({
  read: (node) => (inputs) =>
    inputs.areHost()
      ? zipped(node.op, hosts(inputs), (...values) => values.reduce((a, b) => onNumbers(a, b)))
      : tensors(inputs).reduce((a, b) => onTensors(a, b)),
});

/** Whole numbers are divided towards 0. */
const divide: Operator = {
  read: (node) => (inputs) => {
    if (!inputs.areHost()) return w.div(inputs.tensor(0), inputs.tensor(1));
    const [a, b] = hosts(inputs) as [Host, Host];
    return zipped(node.op, [a, b], (x, y) => (a.kind === 'int' ? Math.trunc(x / y) : x / y));
  },
};

/** Tensors of whole numbers are taken through float32, which is exact below this. */
const EXACT_BELOW = 2 ** 24;

const modulo: Operator = {
  read: (node) => {
    const isTruncated = node.flag('fmod');
    const rest = (a: number, b: number): number => (isTruncated ? a % b : a - Math.floor(a / b) * b);
    return (inputs) => {
      if (inputs.areHost()) return zipped(node.op, hosts(inputs), rest);
      if (isTruncated) node.refuse('fmod is supported for shapes only');
      const divisor = inputs.number(1, 'the divisor');
      if (divisor >= EXACT_BELOW) node.refuse('the divisor is too large', String(divisor));
      const given = inputs.tensor(0);
      const x = w.cast(given, 'float32');
      const whole = w.mul(w.floor(w.div(x, divisor)), divisor);
      return w.cast(w.sub(x, whole), given.dtype);
    };
  },
};

const clip: Operator = {
  host: [1, 2],
  read(node) {
    const [from, to] = [node.float('min', -Infinity), node.float('max', Infinity)];
    return (inputs) => {
      const limit = (i: number, otherwise: number) => (inputs.has(i) ? inputs.number(i, 'a limit') : otherwise);
      const [min, max] = [limit(1, from), limit(2, to)];
      if (!inputs.areHost()) return w.clamp(inputs.tensor(0), { min, max });
      return zipped(node.op, [inputs.host(0, 'x')], (x) => Math.min(max, Math.max(min, x)));
    };
  },
};

const castTo: Operator = {
  read(node) {
    node.ignore('saturate', 'round_mode');
    const to = node.int('to', 1);
    const kind = kindOf(to);
    if (!kind) return node.refuse('a cast to an element type that is not read', `type ${to}`);
    const convert: OnNumbers = kind === 'int' ? Math.trunc : kind === 'bool' ? (n) => Number(n !== 0) : (n) => n;
    const dtype = ({ float: 'float32', int: 'int32', bool: 'bool' } as const)[kind];
    return (inputs) => {
      if (inputs.areHost()) return zipped(node.op, hosts(inputs), convert, kind);
      return w.cast(inputs.tensor(0), dtype);
    };
  },
};

function whereOf(inputs: Inputs): Value {
  if (inputs.areHost()) return zipped('Where', hosts(inputs), (c, a, b) => (c ? a : b), inputs.host(1, 'x').kind);
  return w.where(inputs.tensor(0, 'bool'), inputs.tensor(1), inputs.tensor(2));
}

const floats = (x: Tensor): Tensor => w.cast(x, 'float32');
const truth = (x: Tensor): Tensor => w.cast(x, 'bool');

export const elementwise: Operators = {
  Add: binary(w.add, (a, b) => a + b),
  Sub: binary(w.sub, (a, b) => a - b),
  Mul: binary(w.mul, (a, b) => a * b),
  Div: divide,
  Mod: modulo,
  Pow: {
    read: (node) => (inputs) => {
      if (inputs.areHost()) return zipped(node.op, hosts(inputs), Math.pow);
      const exponent = inputs.value(1);
      // A number keeps the sign of a negative base.
      return 'values' in exponent && exponent.values.length === 1
        ? w.pow(inputs.tensor(0), exponent.values[0]!)
        : w.pow(inputs.tensor(0), inputs.tensor(1));
    },
    host: [1],
  },
  Max: folded(w.maximum, Math.max),
  Min: folded(w.minimum, Math.min),
  Sum: folded(w.add, (a, b) => a + b),
  Mean: {
    read: () => (inputs) =>
      w.div(
        tensors(inputs).reduce((a, b) => w.add(a, b)),
        inputs.count,
      ),
  },
  Neg: unary(w.neg, (x) => -x),
  Abs: unary(w.abs, Math.abs),
  Sign: unary(w.sign),
  Sqrt: unary(w.sqrt, Math.sqrt),
  Exp: unary(w.exp),
  Log: unary(w.log),
  Sin: unary(w.sin),
  Cos: unary(w.cos),
  Erf: unary(w.erf),
  Floor: unary(w.floor, Math.floor),
  Ceil: unary(w.ceil, Math.ceil),
  Round: unary(w.round),
  Reciprocal: unary(w.reciprocal),
  Relu: unary(w.relu),
  Sigmoid: unary(w.sigmoid),
  Tanh: unary(w.tanh),
  Softplus: unary((x) => w.softplus(x)),
  HardSwish: unary((x) => w.mul(x, w.clamp(w.affine(x, 1 / 6, 0.5), { min: 0, max: 1 }))),
  Mish: unary((x) => w.mul(x, w.tanh(w.softplus(x)))),
  PRelu: binary((x, slope) => w.where(w.gt(x, 0), x, w.mul(slope, x))),
  Identity: { read: () => (inputs) => inputs.value(0) },
  LeakyRelu: curve((node) => {
    const alpha = node.float('alpha', 0.01);
    return (x) => w.leakyRelu(x, alpha);
  }),
  Elu: curve((node) => {
    const alpha = node.float('alpha', 1);
    return (x) => w.elu(x, alpha);
  }),
  Selu: curve((node) => {
    const [alpha, gamma] = [node.float('alpha', 1.6732632423543772), node.float('gamma', 1.0507009873554805)];
    return (x) => w.mul(w.elu(x, alpha), gamma);
  }),
  HardSigmoid: curve((node) => {
    const [alpha, beta] = [node.float('alpha', 0.2), node.float('beta', 0.5)];
    return (x) => w.clamp(w.affine(x, alpha, beta), { min: 0, max: 1 });
  }),
  Gelu: curve((node) => {
    const approximate = node.text('approximate', 'none');
    if (approximate !== 'none' && approximate !== 'tanh') node.refuse('no such approximation', `'${approximate}'`);
    return (x) => w.gelu(x, approximate as 'none');
  }),
  Clip: clip,
  Cast: castTo,
  Equal: binary(w.eq, (a, b) => Number(a === b), 'bool'),
  Less: binary(w.lt, (a, b) => Number(a < b), 'bool'),
  LessOrEqual: binary(w.le, (a, b) => Number(a <= b), 'bool'),
  Greater: binary(w.gt, (a, b) => Number(a > b), 'bool'),
  GreaterOrEqual: binary(w.ge, (a, b) => Number(a >= b), 'bool'),
  Not: unary(
    (x) => w.eq(floats(x), 0),
    (x) => Number(!x),
    'bool',
  ),
  And: binary(
    (a, b) => truth(w.mul(floats(a), floats(b))),
    (a, b) => Number(a && b),
    'bool',
  ),
  Or: binary(
    (a, b) => truth(w.add(floats(a), floats(b))),
    (a, b) => Number(a || b),
    'bool',
  ),
  Where: { read: () => whereOf },
};
