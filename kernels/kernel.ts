// The description of a kernel: what it reads and writes, its packed parameter block, and what it costs.
// A description is pure data and pure functions of the parameters. How a device runs it is in the plans beside it:
// reference.ts (float64 loops), plans.wasm.ts and plans.webgpu.ts.

import { type FieldType, type Fields, isArrayField, type ParamsOf, type ParamValues } from './params.ts';
import type { OwnPlans } from './plan.ts';

export * from './params.ts';

/** Element types. Every device stores an element in one 32-bit word (float64 on `reference`); `bool` is 0 or 1. */
export type DType = 'float32' | 'int32' | 'bool';

/** One buffer of a kernel in the kernel's own row-major shape, which may group the axes of the tensor. */
export interface Operand {
  readonly name: string;
  readonly dtype: DType | 'word';
  readonly shape: readonly number[];
}

/** Arithmetic operations and bytes that a launch needs at least: every operand moved once. */
export interface Cost {
  readonly flops: number;
  readonly bytes: number;
}

export interface Kernel<P extends ParamValues = ParamValues> {
  readonly name: string;
  /** Field names and types in the order of the packed block. */
  readonly fields: { readonly [name in keyof P]: FieldType };
  inputs(params: P): Operand[];
  /** Buffers written. One whose `inPlace` is set is also read. */
  outputs(params: P): (Operand & { inPlace?: boolean })[];
  /** Floating-point operations of one launch. */
  flops(params: P): number;
  /** How it runs, for a kernel that is not in the tables of kernels/{reference,wasm,webgpu}.ts. */
  readonly plans?: OwnPlans<never>;
}

/** A kernel as it is declared: the type of its parameters follows from its fields. */
export type KernelDeclaration<F extends Fields> = Omit<Kernel<ParamsOf<F>>, 'fields' | 'plans'> & {
  readonly fields: F;
  readonly plans?: OwnPlans<ParamsOf<F>>;
};

/** Declares a kernel and checks that its array fields come first. */
export function defineKernel<const F extends Fields>(kernel: KernelDeclaration<F>): Kernel<ParamsOf<F>> {
  let scalarSeen = false;
  for (const [name, type] of Object.entries(kernel.fields)) {
    if (!isArrayField(type)) scalarSeen = true;
    else if (scalarSeen) throw new Error(`kernel ${kernel.name}: array field '${name}' must come before the scalars`);
  }
  return kernel as unknown as Kernel<ParamsOf<F>>;
}

/** Elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
};

/** Floor of a launch: its arithmetic, and each operand's bytes moved once. */
export function costOf<P extends ParamValues>(kernel: Kernel<P>, params: P): Cost {
  let words = 0;
  for (const operand of kernel.inputs(params)) words += sizeOf(operand.shape);
  for (const operand of kernel.outputs(params)) words += sizeOf(operand.shape) * (operand.inPlace ? 2 : 1);
  return { flops: kernel.flops(params), bytes: 4 * words };
}

export const float = (name: string, ...shape: number[]): Operand => ({ name, dtype: 'float32', shape });
export const int = (name: string, ...shape: number[]): Operand => ({ name, dtype: 'int32', shape });
export const bool = (name: string, ...shape: number[]): Operand => ({ name, dtype: 'bool', shape });
export const word = (name: string, ...shape: number[]): Operand => ({ name, dtype: 'word', shape });
