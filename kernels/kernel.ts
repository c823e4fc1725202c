// The description of a kernel: what it reads and writes, its packed parameter block, and what it costs.
// A description is pure data and pure functions of the parameters. How a device runs it is in the plans beside it:
// reference.ts (float64 loops), plans.wasm.ts and plans.webgpu.ts.

import type { OwnPlans } from './plan.ts';

/** Element types. Every device stores an element in one 32-bit word (float64 on `reference`); `bool` is 0 or 1. */
export type DType = 'float32' | 'int32' | 'bool';

/** Parameter values by name: numbers, or arrays of numbers for the fields that have a length. */
export type ParamValues = { readonly [name: string]: number | readonly number[] };

/** Type of one field: a scalar word, or `MAX_RANK` words. Array fields must come first (uniform buffers align them to 16). */
export type FieldType = 'u32' | 'i32' | 'f32' | 'u32x8' | 'i32x8';

/** The longest shape that a kernel takes after adjacent axes have been merged. */
export const MAX_RANK = 8;

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

/** A kernel with plans of its own. */
export type KernelDeclaration<P extends ParamValues> = Omit<Kernel<P>, 'plans'> & { readonly plans?: OwnPlans<P> };

/** Declares a kernel and checks that its array fields come first. */
export function defineKernel<P extends ParamValues>(kernel: KernelDeclaration<P>): Kernel<P> {
  let scalarSeen = false;
  for (const [name, type] of Object.entries(kernel.fields)) {
    if (!type.endsWith('x8')) scalarSeen = true;
    else if (scalarSeen) throw new Error(`kernel ${kernel.name}: array field '${name}' must come before the scalars`);
  }
  return kernel;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Floor of a launch: its arithmetic, and each operand's bytes moved once. */
export function costOf<P extends ParamValues>(kernel: Kernel<P>, params: P): Cost {
  let words = 0;
  for (const operand of kernel.inputs(params)) words += sizeOf(operand.shape);
  for (const operand of kernel.outputs(params)) words += sizeOf(operand.shape) * (operand.inPlace ? 2 : 1);
  return { flops: kernel.flops(params), bytes: 4 * words };
}

/** Words of the packed block. Rounded up to a multiple of four, as uniform buffers want. */
export function paramWords(kernel: Kernel<never>): number {
  let words = 0;
  for (const type of Object.values<FieldType>(kernel.fields)) words += type.endsWith('x8') ? MAX_RANK : 1;
  return Math.ceil(words / 4) * 4;
}

const scratch = new ArrayBuffer(4);
const scratchFloat = new Float32Array(scratch);
const scratchInt = new Int32Array(scratch);

/**
 * Packs the parameters as little-endian 32-bit words: the bytes of the uniform buffer and of the WASM call.
 * Short arrays are padded with zeros.
 */
export function packParams<P extends ParamValues>(kernel: Kernel<P>, params: P, into?: Int32Array): Int32Array {
  const words = into ?? new Int32Array(paramWords(kernel as unknown as Kernel<never>));
  let at = 0;
  for (const name in kernel.fields) {
    const value = params[name] as number | readonly number[] | undefined;
    const type = kernel.fields[name];
    if (value === undefined) throw new Error(`kernel ${kernel.name}: parameter '${name}' is missing`);
    if (type === 'f32') {
      scratchFloat[0] = value as number;
      words[at++] = scratchInt[0]!;
    } else if (type.endsWith('x8')) {
      const list = value as readonly number[];
      for (let i = 0; i < MAX_RANK; i++) words[at++] = list[i] ?? 0;
    } else {
      words[at++] = value as number;
    }
  }
  while (at < words.length) words[at++] = 0;
  return words;
}

export const float = (name: string, ...shape: number[]): Operand => ({ name, dtype: 'float32', shape });
export const int = (name: string, ...shape: number[]): Operand => ({ name, dtype: 'int32', shape });
export const bool = (name: string, ...shape: number[]): Operand => ({ name, dtype: 'bool', shape });
export const word = (name: string, ...shape: number[]): Operand => ({ name, dtype: 'word', shape });
