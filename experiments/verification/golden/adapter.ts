// How an operation of the fixtures is called: what an adapter is, and the short forms in which they are written. Names and
// attributes are those of the fixture schema.
import type * as w from '../../../engine/index.ts';
import type { Tensor } from '../../../engine/index.ts';

export type Inputs = Readonly<Record<string, Tensor>>;
/** Attributes as the fixtures store them: JSON. */
export type Attributes = Readonly<Record<string, unknown>>;
export type Outputs = Record<string, Tensor>;
/** One tensor is the output `y`. */
export type Adapter = (inputs: Inputs, attributes: Attributes) => Outputs | Tensor;

export type Pair = [number, number];

/** A function of the fixture's input `x`. */
export const ofX =
  (f: (x: Tensor) => Tensor): Adapter =>
  (t) =>
    f(t.x!);
/** A function of its inputs `a` and `b`. */
export const ofAB =
  (f: (a: Tensor, b: Tensor) => Tensor): Adapter =>
  (t) =>
    f(t.a!, t.b!);

export const number = (a: Attributes, name: string) => a[name] as number;
export const numbers = (a: Attributes, name: string) => a[name] as number[];
export const keepdim = (a: Attributes) => ({ keepdim: a.keepdim as boolean });
export const axesOf = (a: Attributes) => (a.axes as number[] | null) ?? undefined;
export const lossReduction = (a: Attributes) => ({ reduction: a.reduction as w.LossReduction });

/** A reduction of `x` over the attribute `axes`. */
export const ofXOverAxes =
  (f: (x: Tensor, axes: number[] | undefined, options: w.ReduceOptions) => Tensor): Adapter =>
  (t, a) =>
    f(t.x!, axesOf(a), keepdim(a));
