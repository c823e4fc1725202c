// Operators that move data or say shapes. Shapes, and what is taken out of them, stay on the host.
import * as w from '../../../index.ts';
import type { Tensor } from '../../../index.ts';
import { broadcastShapes, sameShape, type Shape, sizeOf } from '../../../shape.ts';
import type { Host } from '../tensor-data.ts';
import { hostOf, picked } from './host.ts';
import { type FileNode, type Inputs, isHost, type Operator, type Operators, type Value } from './node.ts';

/** An axis from 0 on; `rank` may be that of the result. */
export function axisOf(node: FileNode, axis: number, rank: number): number {
  if (Number.isInteger(axis) && axis >= -rank && axis < Math.max(1, rank)) return axis < 0 ? axis + rank : axis;
  return node.refuse('no such axis', String(axis), { expected: `${-rank} to ${rank - 1}` });
}

/** Axes of an attribute, or of an input in later opsets; undefined where neither is there. */
export function axesOf(node: FileNode, attribute: readonly number[] | undefined, inputs: Inputs, at = 1) {
  if (attribute) return attribute;
  return inputs.has(at) ? inputs.numbers(at, 'axes') : undefined;
}

/** The same values under another shape. */
const reshaped = (value: Value, shape: Shape): Value => (isHost(value) ? { ...value, shape } : w.reshape(value, shape));

const reshape: Operator = {
  host: [1],
  read(node) {
    const keepsZero = node.flag('allowzero');
    const attribute = node.ints('shape');
    return (inputs) => {
      const value = inputs.value(0);
      const given = attribute ?? inputs.numbers(1, 'the shape');
      const known = given.map((n, i) => (n === 0 && !keepsZero ? (value.shape[i] ?? 0) : n));
      const unknown = known.indexOf(-1);
      const rest = sizeOf(known.filter((_, i) => i !== unknown));
      const shape = unknown < 0 ? known : known.with(unknown, rest > 0 ? sizeOf(value.shape) / rest : 0);
      if (sizeOf(shape) !== sizeOf(value.shape) || !shape.every((n) => Number.isInteger(n) && n >= 0)) {
        node.refuse('the number of elements changes', `[${value.shape.join(', ')}] to [${given.join(', ')}]`);
      }
      return reshaped(value, shape);
    };
  },
};

const flatten: Operator = {
  read(node) {
    const axis = node.int('axis', 1);
    return (inputs) => {
      const { shape } = inputs.value(0);
      const at = axis < 0 ? axis + shape.length : axis;
      return reshaped(inputs.value(0), [sizeOf(shape.slice(0, at)), sizeOf(shape.slice(at))]);
    };
  },
};

const squeeze: Operator = {
  host: [1],
  read(node) {
    const attribute = node.ints('axes');
    return (inputs) => {
      const { shape } = inputs.value(0);
      const axes = axesOf(node, attribute, inputs)?.map((axis) => axisOf(node, axis, shape.length));
      const wrong = axes?.find((axis) => shape[axis] !== 1);
      if (wrong !== undefined) node.refuse(`axis ${wrong} is not of size 1`, `[${shape.join(', ')}]`);
      const kept = shape.filter((n, axis) => (axes ? !axes.includes(axis) : n !== 1));
      return reshaped(inputs.value(0), kept);
    };
  },
};

const unsqueeze: Operator = {
  host: [1],
  read(node) {
    const attribute = node.ints('axes');
    return (inputs) => {
      const { shape } = inputs.value(0);
      const given = axesOf(node, attribute, inputs) ?? node.refuse('axes are missing');
      const rank = shape.length + given.length;
      const axes = given.map((axis) => axisOf(node, axis, rank));
      const left = [...shape];
      return reshaped(
        inputs.value(0),
        Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : left.shift()!)),
      );
    };
  },
};

const transpose: Operator = {
  read(node) {
    const perm = node.ints('perm');
    return (inputs) => {
      const x = inputs.tensor(0);
      return w.permute(x, perm ?? x.shape.map((_, i) => x.rank - 1 - i));
    };
  },
};

const concat: Operator = {
  read(node) {
    const axis = node.int('axis', node.opset < 4 ? 1 : 0);
    return (inputs) => {
      const places = Array.from({ length: inputs.count }, (_, i) => i);
      if (!inputs.areHost()) {
        return w.cat(
          places.map((i) => inputs.tensor(i)),
          axis,
        );
      }
      const parts = places.map((i) => inputs.host(i, 'a part'));
      if (parts.some(({ shape }) => shape.length !== 1)) node.refuse('shapes must be lists to be joined');
      return hostOf(
        parts.flatMap(({ values }) => Array.from(values)),
        undefined,
        parts[0]!.kind,
      );
    };
  },
};

const split: Operator = {
  host: [1],
  read(node) {
    const axis = node.int('axis', 0);
    const attribute = node.ints('split');
    const count = node.int('num_outputs', node.outputs.length);
    return (inputs) => {
      const x = inputs.tensor(0);
      const at = axisOf(node, axis, x.rank);
      const given = axesOf(node, attribute, inputs);
      const each = Math.ceil(x.shape[at]! / count);
      const even = Array.from({ length: count }, (_, i) => Math.min(each, x.shape[at]! - i * each));
      return w.split(x, given ?? even, at);
    };
  },
};

/** Places of an axis that a slice takes, by Python's rules for a step below 0 too. */
function places(size: number, start: number, end: number, step: number): { from: number; count: number } {
  const [lowest, highest] = step > 0 ? [0, size] : [-1, size - 1];
  const bound = (n: number): number => Math.min(highest, Math.max(lowest, n < 0 ? n + size : n));
  const from = Math.max(step > 0 ? 0 : -1, bound(start));
  // The least of int64 means "past the first".
  const to = step < 0 && end < -size ? -1 : bound(end);
  return { from, count: Math.max(0, Math.ceil((to - from) / step)) };
}

const slice: Operator = {
  host: [1, 2, 3, 4],
  read(node) {
    const fixed = { starts: node.ints('starts'), ends: node.ints('ends'), axes: node.ints('axes') };
    return (inputs) => {
      const value = inputs.value(0);
      const { shape } = value;
      const starts = fixed.starts ?? inputs.numbers(1, 'starts');
      const ends = fixed.ends ?? inputs.numbers(2, 'ends');
      const axes = axesOf(node, fixed.axes, inputs, 3) ?? starts.map((_, i) => i);
      const steps = inputs.has(4) ? inputs.numbers(4, 'steps') : starts.map(() => 1);
      return axes.reduce((y: Value, given, i) => {
        const axis = axisOf(node, given, shape.length);
        const step = steps[i]!;
        if (step === 0) node.refuse('a step of 0');
        const { from, count } = places(shape[axis]!, starts[i]!, ends[i]!, step);
        if (isHost(y))
          return picked(
            y,
            axis,
            Array.from({ length: count }, (_, k) => from + k * step),
          );
        if (count === 0) return w.narrow(y, axis, 0, 0);
        const spec = (first: number, last: number) =>
          shape.map((_, k) => (k === axis ? [first, last + 1, Math.abs(step)] : null));
        const last = from + (count - 1) * step;
        return step > 0 ? w.slice(y, spec(from, last)) : w.flip(w.slice(y, spec(last, from)), axis);
      }, value);
    };
  },
};

const gather: Operator = {
  read(node) {
    const axis = node.int('axis', 0);
    return (inputs) => {
      const [value, index] = [inputs.value(0), inputs.value(1)];
      const at = axisOf(node, axis, value.shape.length);
      const shape = [...value.shape.slice(0, at), ...index.shape, ...value.shape.slice(at + 1)];
      if (isHost(value) && isHost(index)) {
        const size = value.shape[at]!;
        const chosen = Array.from(index.values, (n) => (n < 0 ? n + size : n));
        const outside = chosen.find((n) => n < 0 || n >= size);
        if (outside !== undefined) node.refuse('an index outside of the axis', String(outside));
        return { ...picked(value, at, chosen), shape };
      }
      const flat = w.reshape(inputs.tensor(1, 'int32'), [sizeOf(index.shape)]);
      return w.reshape(w.indexSelect(inputs.tensor(0), at, flat), shape);
    };
  },
};

const gatherElements: Operator = {
  read(node) {
    const axis = node.int('axis', 0);
    return (inputs) => w.gather(inputs.tensor(0), axis, inputs.tensor(1, 'int32'));
  },
};

const isZeros = (value: Value): boolean => isHost(value) && value.values.every((n) => n === 0);

const scatterElements: Operator = {
  read(node) {
    const axis = node.int('axis', 0);
    const reduction = node.text('reduction', 'none');
    if (reduction !== 'none' && reduction !== 'add') node.refuse(`the reduction '${reduction}' is not supported`);
    return (inputs) => {
      const [index, updates] = [inputs.tensor(1, 'int32'), inputs.tensor(2)];
      const size = inputs.shape(0).at(axisOf(node, axis, index.rank))!;
      const added = reduction === 'add';
      const written = added ? w.scatterAdd(updates, axis, index, size) : w.scatter(updates, axis, index, size);
      if (!sameShape(written.shape, inputs.shape(0)))
        node.refuse('indices for a part of the other axes are not supported');
      if (isZeros(inputs.value(0))) return written;
      if (added) return w.add(inputs.tensor(0), written);
      const ones = w.ones(updates.shape, { device: inputs.device });
      return w.where(w.gt(w.scatterAdd(ones, axis, index, size), 0), written, inputs.tensor(0));
    };
  },
};

const expand: Operator = {
  host: [1],
  read: (node) => (inputs) => {
    const value = inputs.value(0);
    const shape = broadcastShapes(node.op, value.shape, inputs.numbers(1, 'the shape'));
    if (isHost(value) && value.values.length === 1) {
      return hostOf(new Array<number>(sizeOf(shape)).fill(value.values[0]!), shape, value.kind);
    }
    return w.expand(inputs.tensor(0), shape);
  },
};

const tile: Operator = {
  host: [1],
  read: () => (inputs) =>
    inputs
      .numbers(1, 'repeats')
      .reduce((y: Tensor, n, axis) => (n === 1 ? y : w.cat(new Array<Tensor>(n).fill(y), axis)), inputs.tensor(0)),
};

const modes = { constant: 'constant', reflect: 'reflect', edge: 'replicate' } as const;

const pad: Operator = {
  host: [1, 2, 3],
  read(node) {
    const mode =
      modes[node.text('mode', 'constant') as keyof typeof modes] ??
      node.refuse('such padding is not supported', node.text('mode', ''));
    const [attribute, value] = [node.ints('pads'), node.float('value', 0)];
    return (inputs) => {
      const x = inputs.tensor(0);
      const pads = attribute ?? inputs.numbers(1, 'pads');
      const axes = axesOf(node, undefined, inputs, 3) ?? x.shape.map((_, axis) => axis);
      if (pads.length !== 2 * axes.length) node.refuse(`expected ${2 * axes.length} pads`, String(pads.length));
      const named = axes.map((axis) => axisOf(node, axis, x.rank));
      const amounts = x.shape.flatMap((_, i) => {
        const at = named.indexOf(x.rank - 1 - i);
        return at < 0 ? [0, 0] : [pads[at]!, pads[at + axes.length]!];
      });
      return w.pad(x, amounts, mode, inputs.has(2) ? inputs.number(2, 'the value') : value);
    };
  },
};

const shape: Operator = {
  read(node) {
    const [start, end] = [node.int('start', 0), node.int('end', Infinity)];
    return (inputs) => hostOf(inputs.shape(0).slice(start, end));
  },
};

const constant: Operator = {
  read(node) {
    const [one, whole] = [node.float('value_float', NaN), node.int('value_int', NaN)];
    const [floats, wholes] = [node.floats('value_floats'), node.ints('value_ints')];
    const value =
      node.tensor('value') ??
      (floats && hostOf(floats, undefined, 'float')) ??
      (wholes && hostOf(wholes)) ??
      (Number.isNaN(one) ? undefined : hostOf([one], [], 'float')) ??
      (Number.isNaN(whole) ? undefined : hostOf([whole], []));
    if (!value) return node.refuse('a constant without a value that is read');
    return () => value;
  },
};

const constantOfShape: Operator = {
  host: [0],
  read(node) {
    const value = node.tensor('value') ?? hostOf([0], [1], 'float');
    return (inputs): Host => {
      const shape = inputs.numbers(0, 'the shape');
      return hostOf(new Array<number>(sizeOf(shape)).fill(value.values[0]!), shape, value.kind);
    };
  },
};

const range: Operator = {
  host: [0, 1, 2],
  read: () => (inputs) => {
    const [start, limit, step] = [0, 1, 2].map((i) => inputs.number(i, 'a limit')) as [number, number, number];
    const count = Math.max(0, Math.ceil((limit - start) / step));
    return hostOf(
      Array.from({ length: count }, (_, i) => start + i * step),
      undefined,
      inputs.host(0, 'a limit').kind,
    );
  },
};

export const layout: Operators = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  GatherElements: gatherElements,
  ScatterElements: scatterElements,
  Expand: expand,
  Tile: tile,
  Pad: pad,
  Shape: shape,
  Size: { read: () => (inputs) => hostOf([sizeOf(inputs.shape(0))], []) },
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
};
