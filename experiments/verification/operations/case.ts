// What the operations of a family are checked with, and the short forms in which gradient cases are written: small shapes that divide
// nothing, values away from kinks.
import type * as w from '../../../engine/index.ts';
import type { Differentiable } from '../../../engine/gradcheck.ts';
import type { Adapter } from '../golden/adapter.ts';

/** Values of one input: normal, positive, or given. */
export interface InputSpec {
  shape: readonly number[];
  values?: 'normal' | 'positive' | 'distinct' | readonly number[];
  dtype?: w.DType;
  /** Not differentiated. */
  constant?: true;
}

export interface GradientCase {
  /** Registered operations that this case is there to check. */
  operations: readonly string[];
  inputs: readonly InputSpec[];
  f: Differentiable;
  /** False where the second derivative is not defined or is zero by convention only. */
  second?: boolean;
}

/** The cases of a file of engine/ops. */
export interface FamilyCases {
  /** One or more of every operation, with a gradient or without. */
  readonly gradients: readonly GradientCase[];
  /** How its operations are called in golden fixtures, by their names there. */
  readonly golden?: Readonly<Record<string, Adapter>>;
}

export const input = (...shape: number[]): InputSpec => ({ shape });
export const positive = (...shape: number[]): InputSpec => ({ shape, values: 'positive' });
/** All different and far apart, so that no maximum changes hands. */
export const distinct = (...shape: number[]): InputSpec => ({ shape, values: 'distinct' });
export const indices = (shape: readonly number[], values: readonly number[]): InputSpec => ({
  shape,
  values,
  dtype: 'int32',
});
export const flags = (shape: readonly number[], values: readonly number[]): InputSpec => ({
  shape,
  values,
  dtype: 'bool',
});

export const constant = (values: readonly number[]): InputSpec => ({ shape: [values.length], values, constant: true });

export const one = (name: string, f: (x: w.Tensor) => w.Tensor, spec: InputSpec = input(2, 3)): GradientCase => ({
  operations: [name],
  inputs: [spec],
  f: f as Differentiable,
});
export const two = (
  name: string,
  f: (a: w.Tensor, b: w.Tensor) => w.Tensor,
  a = input(2, 3),
  b = input(3),
): GradientCase => ({
  operations: [name],
  inputs: [a, b],
  f: f as Differentiable,
});
