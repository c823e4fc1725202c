// Arithmetic on the host, for shapes: elementwise functions with broadcasting.
import { broadcastShapes, broadcastStrides, rowMajorStrides, type Shape, sizeOf } from '../../../shape.ts';
import type { Host } from '../tensor-data.ts';

type Kind = Host['kind'];

export const hostOf = (values: readonly number[], shape: Shape = [values.length], kind: Kind = 'int'): Host => ({
  kind,
  shape,
  values: Float64Array.from(values),
});

/** f of the elements of all operands, which broadcast. */
export function zipped(operation: string, operands: readonly Host[], f: (...values: number[]) => number, kind?: Kind) {
  const shape = broadcastShapes(operation, ...operands.map((each) => each.shape));
  const strides = operands.map((each) => broadcastStrides(each.shape, shape));
  const steps = rowMajorStrides(shape);
  const values = Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
    const places = strides.map((own) =>
      own.reduce((at, stride, axis) => at + (Math.floor(i / steps[axis]!) % shape[axis]!) * stride, 0),
    );
    return f(...operands.map((each, k) => each.values[places[k]!]!));
  });
  return { kind: kind ?? operands[0]!.kind, shape, values };
}

/** Entries of an axis, in the order of `places`. */
export function picked({ kind, shape, values }: Host, axis: number, places: readonly number[]): Host {
  const inner = sizeOf(shape.slice(axis + 1));
  const n = shape[axis]!;
  const outer = sizeOf(shape.slice(0, axis));
  const found: number[] = [];
  for (let o = 0; o < outer; o++) {
    for (const place of places) for (let i = 0; i < inner; i++) found.push(values[(o * n + place) * inner + i]!);
  }
  return { kind, shape: shape.with(axis, places.length), values: Float64Array.from(found) };
}
