// How rows of the tables of refusals are written: example tensors, and calls with the argument they must name.
import * as w from '../../engine/index.ts';
import { ConfigError, DTypeError, ShapeError } from '../../engine/index.ts';

export type ErrorClass = typeof w.WgradError;
export type Arguments = readonly unknown[];

/** Calls with these arguments throw this error and name this argument. */
export interface Refusal {
  readonly argument: string;
  readonly error: ErrorClass;
  readonly args: () => Arguments;
}

export interface Refusals {
  readonly good: () => Arguments;
  readonly rows: readonly Refusal[];
}

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const positive = (shape: readonly number[]) => Float32Array.from({ length: count(shape) }, (_, i) => 0.5 + i / 8);

export const f = (...shape: number[]): w.Tensor => w.tensor(positive(shape), shape);
export const i = (...shape: number[]): w.Tensor => w.zeros(shape, { dtype: 'int32' });
export const b = (...shape: number[]): w.Tensor => w.ones(shape, { dtype: 'bool' });

export const shape = (argument: string, ...args: (() => Arguments)[]): Refusal[] =>
  args.map((make) => ({ argument, error: ShapeError, args: make }));
export const config = (argument: string, ...args: (() => Arguments)[]): Refusal[] =>
  args.map((make) => ({ argument, error: ConfigError, args: make }));
export const dtype = (argument: string, ...args: (() => Arguments)[]): Refusal[] =>
  args.map((make) => ({ argument, error: DTypeError, args: make }));

/** Axes out of range, fractional or named twice. */
export const overAxes = (): Refusals => ({
  good: () => [f(2, 3), [1]],
  rows: shape(
    'axes',
    () => [f(2, 3), 2],
    () => [f(2, 3), [-3]],
    () => [f(2, 3), [0.5]],
    () => [f(2, 3), [1, -1]],
  ),
});
export const badAxes = (make: (axis: number) => Arguments): Refusal[] =>
  [2, -3, 0.5, NaN].flatMap((axis) => shape('axis', () => make(axis)));
export const alongAxis = (): Refusals => ({
  good: () => [f(2, 3), 1],
  rows: [...badAxes((axis) => [f(2, 3), axis]), ...shape('x', () => [f(2, 0), 1])],
});

/** Sizes of windows: `call` makes the arguments of a call with one option changed. */
export const badSizes = (argument: string, least: number, call: (size: unknown) => Arguments): Refusal[] =>
  [least - 1, 1.5, NaN, [1, least - 1], [1, 2, 3], 'x'].flatMap((size) => shape(argument, () => call(size)));

/** An image (N, C, H, W). */
export const image = (): w.Tensor => f(1, 4, 5, 6);
