// Resize and Upsample. Nearest under any of ONNX's rules is a choice of rows and columns; linear is the engine's interpolate where it
// has the rule.
import * as w from '../../../index.ts';
import type { Tensor } from '../../../index.ts';
import type { FileNode, Inputs, Operator, Operators } from './node.ts';

/** Along one axis: sizes, and output positions per input position. */
interface Axis {
  readonly size: number;
  readonly out: number;
  readonly scale: number;
}

/** Where an output position lies in the input, by the name of the rule. */
const coordinates: Readonly<Record<string, (i: number, axis: Axis) => number>> = {
  asymmetric: (i, { scale }) => i / scale,
  half_pixel: (i, { scale }) => (i + 0.5) / scale - 0.5,
  pytorch_half_pixel: (i, { out, scale }) => (out > 1 ? (i + 0.5) / scale - 0.5 : 0),
  align_corners: (i, { size, out }) => (out > 1 ? (i * (size - 1)) / (out - 1) : 0),
};

const roundings: Readonly<Record<string, (at: number) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  round_prefer_floor: (at) => Math.ceil(at - 0.5),
  round_prefer_ceil: (at) => Math.floor(at + 0.5),
};

function nearest(x: Tensor, axes: readonly (Axis | undefined)[], rule: string, rounding: string): Tensor {
  return axes.reduce((y: Tensor, axis, i) => {
    if (!axis || (axis.size === axis.out && axis.scale === 1)) return y;
    const positions = Int32Array.from({ length: axis.out }, (_, k) => {
      const at = roundings[rounding]!(Math.fround(coordinates[rule]!(k, axis)));
      return Math.min(axis.size - 1, Math.max(0, at));
    });
    return w.indexSelect(y, i, w.tensor(positions, [axis.out], { device: x.device }));
  }, x);
}

function linear(node: FileNode, x: Tensor, axes: readonly (Axis | undefined)[], rule: string, bySize: boolean): Tensor {
  const others = axes.slice(0, -2).some((axis) => axis && axis.size !== axis.out);
  if (x.rank !== 4 || others) node.refuse('linear resizing is supported for the last two of four axes only');
  const [rows, columns] = axes
    .slice(-2)
    .map((axis, i) => axis ?? { size: x.shape[2 + i]!, out: x.shape[2 + i]!, scale: 1 }) as [Axis, Axis];
  const size = [rows.out, columns.out] as const;
  if (rule === 'align_corners') return w.interpolate(x, { mode: 'bilinear', size, alignCorners: true });
  const isHalf = rule === 'half_pixel' || (rule === 'pytorch_half_pixel' && size.every((n) => n > 1));
  if (!isHalf) node.refuse(`linear resizing with the coordinates '${rule}' is not supported`);
  const options = bySize ? { size } : { scaleFactor: [rows.scale, columns.scale] as const };
  return w.interpolate(x, { mode: 'bilinear', ...options, alignCorners: false });
}

function resized(
  node: FileNode,
  inputs: Inputs,
  given: { scales: number | undefined; sizes: number | undefined; axes?: readonly number[] | undefined },
  [mode, rule, rounding]: readonly [string, string, string],
): Tensor {
  const x = inputs.tensor(0);
  const read = (i: number | undefined, what: string) => {
    const values = i !== undefined && inputs.has(i) ? inputs.numbers(i, what) : [];
    return values.length > 0 ? values : undefined;
  };
  const [scales, sizes] = [read(given.scales, 'scales'), read(given.sizes, 'sizes')];
  const named = (given.axes ?? x.shape.map((_, axis) => axis)).map((axis) => (axis < 0 ? axis + x.rank : axis));
  const list = scales ?? sizes ?? node.refuse('neither scales nor sizes are given');
  if (list.length !== named.length) node.refuse(`expected ${named.length} scales or sizes`, String(list.length));
  const axes = x.shape.map((size, axis): Axis | undefined => {
    const at = named.indexOf(axis);
    if (at < 0) return undefined;
    if (!scales) return { size, out: list[at]!, scale: list[at]! / size };
    return { size, out: Math.floor(size * list[at]!), scale: list[at]! };
  });
  if (mode === 'nearest') return nearest(x, axes, rule, rounding);
  return linear(node, x, axes, rule, !scales);
}

function checkMode(node: FileNode, mode: string): void {
  if (mode !== 'nearest' && mode !== 'linear') node.refuse(`resizing with the mode '${mode}' is not supported`);
}

const resize: Operator = {
  host: [1, 2, 3],
  read(node) {
    const mode = node.text('mode', 'nearest');
    checkMode(node, mode);
    const rule = node.text('coordinate_transformation_mode', node.opset < 11 ? 'asymmetric' : 'half_pixel');
    if (!coordinates[rule]) node.refuse(`resizing with the coordinates '${rule}' is not supported`);
    const rounding = node.text('nearest_mode', node.opset < 11 ? 'floor' : 'round_prefer_floor');
    if (!roundings[rounding]) node.refuse("no such value of the attribute 'nearest_mode'", `'${rounding}'`);
    node.only('antialias', 0);
    node.only('keep_aspect_ratio_policy', 'stretch');
    node.ignore('cubic_coeff_a', 'exclude_outside', 'extrapolation_value');
    const axes = node.ints('axes');
    const places = node.opset < 11 ? { scales: 1, sizes: undefined } : { scales: 2, sizes: 3 };
    return (inputs) => resized(node, inputs, { ...places, axes }, [mode, rule, rounding]);
  },
};

const upsample: Operator = {
  host: [1],
  read(node) {
    const mode = node.text('mode', 'nearest');
    checkMode(node, mode);
    const scales = node.floats('scales');
    if (scales)
      node.refuse("the attribute 'scales' is not supported", undefined, { hint: 'Export with an opset from 9 on' });
    return (inputs) => resized(node, inputs, { scales: 1, sizes: undefined }, [mode, 'asymmetric', 'floor']);
  },
};

export const resizing: Operators = { Resize: resize, Upsample: upsample };
