// Operations that move data as nodes.
import type { Shape } from '../../../shape.ts';
import type { Call, Translate } from './call.ts';

interface Region {
  start: readonly number[];
  step: readonly number[];
  size: readonly number[];
}

interface IndexAttrs {
  axis: number;
  size: number;
}

/** The end of an axis, walking down. */
const BELOW_ALL = -(2n ** 63n);

function slice(c: Call): void {
  const { start, step, size } = c.attrs<Region>();
  const shape = c.shape();
  const axes = shape.flatMap((n, axis) => (size[axis] === n ? [] : [axis]));
  const of = (each: (axis: number) => number) => c.longs(axes.map(each));
  const ends = of((axis) => start[axis]! + (size[axis]! - 1) * step[axis]! + 1);
  c.out(c.node('Slice', [c.in(), of((axis) => start[axis]!), ends, c.longs(axes), of((axis) => step[axis]!)]));
}

function embed(c: Call): void {
  const { start, step, size, shape, value } = c.attrs<Region & { shape: Shape; value: number }>();
  if (step.some((n, axis) => n !== 1 && size[axis]! > 1))
    c.refuse('with a step between the elements has no counterpart');
  const after = shape.map((n, axis) => n - start[axis]! - size[axis]!);
  c.out(c.node('Pad', [c.in(), c.longs([...start, ...after]), c.scalar(value, c.base().dtype)], { mode: 'constant' }));
}

function flip(c: Call): void {
  const axes = c.attrs<readonly number[]>();
  const of = (value: number | bigint) => c.longs(axes.map(() => value));
  c.out(c.node('Slice', [c.in(), of(-1), of(BELOW_ALL), c.longs(axes), of(-1)]));
}

/** The axis of an index that indexSelect spread out: along all others it repeats itself. */
function selectedAxis(c: Call): { index: string } | undefined {
  const source = c.source(1);
  const { axis } = c.attrs<IndexAttrs>();
  if (source.kind !== 'result' || source.call.operation !== 'expand') return undefined;
  const [use] = source.call.inputs;
  const isAlongAxis = use!.shape.every((n, i) => i === axis || n === 1) && use!.shape.length === c.shape().length;
  if (!isAlongAxis || c.outShape().some((n, i) => i !== axis && n !== c.shape()[i])) return undefined;
  return { index: c.read(use!, [use!.shape[axis]!]) };
}

function gather(c: Call): void {
  const { axis } = c.attrs<IndexAttrs>();
  const selected = selectedAxis(c);
  if (selected) c.out(c.node('Gather', [c.in(), selected.index], { axis }));
  else c.out(c.node('GatherElements', [c.in(0), c.in(1)], { axis }));
}

const scatter =
  (attributes: Readonly<Record<string, string>>): Translate =>
  (c) => {
    const { axis } = c.attrs<IndexAttrs>();
    const zeros = c.shaped('ConstantOfShape', [], c.outShape(), [], { value: c.zero(c.base().dtype) });
    c.out(c.node('ScatterElements', [zeros, c.in(1), c.in(0)], { axis, ...attributes }));
  };

export const layout: Readonly<Record<string, Translate>> = {
  permute: (c) => c.out(c.node('Transpose', [c.in()], { perm: c.attrs<readonly number[]>() })),
  expand: (c) => c.later(() => c.shaped('Expand', [c.in()], c.outShape(), c.shape())),
  cat: (c) => {
    const parts = Array.from({ length: c.count }, (_, i) => c.in(i));
    c.out(c.node('Concat', parts, { axis: c.attrs<number>() }));
  },
  slice,
  embed,
  flip,
  gather,
  scatter: scatter({}),
  scatterAdd: scatter({ reduction: 'add' }),
};
