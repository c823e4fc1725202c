// A block of parameters: 32-bit words that the host packs and a kernel reads by name. Its fields are declared once. From them
// come the type of the values, the bytes of the uniform buffer and of the WASM call, and the AssemblyScript class of the
// declaration's name, which the build writes to params.as.ts beside it. A test compares the struct of every WGSL module with them.

/** The longest shape that a kernel takes after adjacent axes have been merged. */
export const MAX_RANK = 8;

/** The longest list of buffers that one launch works through. */
export const MAX_LIST = 32;

/** Words of the fields that are arrays. */
const arrayWords = { u32x8: MAX_RANK, i32x8: MAX_RANK, u32x32: MAX_LIST } as const;

/** Type of one field: a scalar word, or an array of them. Arrays must come first (uniform buffers align them to 16). */
export type FieldType = 'u32' | 'i32' | 'f32' | keyof typeof arrayWords;

/** Field names and types in the order of the packed block. */
export type Fields = { readonly [name: string]: FieldType };

/** Parameter values by name: numbers, or arrays of numbers for the fields that have a length. */
export type ParamValues = { readonly [name: string]: number | readonly number[] };

/** The word of an enum. Types alone know of `codes`. */
export type CodeField<Code extends number> = 'u32' & { readonly codes: Code };

type ValueOf<Type> =
  Type extends CodeField<infer Code extends number>
    ? Code
    : Type extends keyof typeof arrayWords
      ? readonly number[]
      : number;

/** The values of declared fields: `type ReduceParams = ParamsOf<typeof ReduceParams>`. */
export type ParamsOf<F> = { readonly [name in keyof F]: ValueOf<F[name]> };

/** A `u32` field that takes the values of an enum: `op: code<Reduction>()`. */
export const code = <Code extends number>(): CodeField<Code> => 'u32' as CodeField<Code>;

export const isArrayField = (type: FieldType): boolean => type in arrayWords;

/** Words of a field. */
export const fieldWords = (type: FieldType): number => (arrayWords as Partial<Record<FieldType, number>>)[type] ?? 1;

/** What is packed: the part of a kernel's description that says how. */
interface Packed<Name extends PropertyKey> {
  readonly name: string;
  readonly fields: { readonly [name in Name]: FieldType };
}

/** Words of the packed block. Rounded up to a multiple of four, as uniform buffers want. */
export function paramWords({ fields }: Packed<never>): number {
  let words = 0;
  for (const type of Object.values<FieldType>(fields)) words += fieldWords(type);
  return Math.ceil(words / 4) * 4;
}

const scratch = new ArrayBuffer(4);
const scratchFloat = new Float32Array(scratch);
const scratchInt = new Int32Array(scratch);

/**
 * Packs the parameters as little-endian 32-bit words: the bytes of the uniform buffer and of the WASM call.
 * Short arrays are padded with zeros.
 */
export function packParams<P extends ParamValues>(kernel: Packed<keyof P>, params: P, into?: Int32Array): Int32Array {
  const words = into ?? new Int32Array(paramWords(kernel));
  let at = 0;
  for (const name in kernel.fields) {
    const value = params[name] as number | readonly number[] | undefined;
    const type = kernel.fields[name];
    if (value === undefined) throw new Error(`kernel ${kernel.name}: parameter '${name}' is missing`);
    if (type === 'f32') {
      scratchFloat[0] = value as number;
      words[at++] = scratchInt[0]!;
    } else if (typeof value === 'number') {
      words[at++] = value;
    } else {
      const end = at + fieldWords(type);
      if (value.length > end - at) throw new Error(`kernel ${kernel.name}: '${name}' is longer than ${end - at}`);
      for (let i = 0; at < end; i++) words[at++] = value[i] ?? 0;
    }
  }
  while (at < words.length) words[at++] = 0;
  return words;
}

/** Fields of a block that stands behind the parameters: what a planner has worked out for its kernel. */
export type PlanFields = { readonly [name: string]: 'i32' };

/** The words of such a block, in the order of its fields. */
export const planWords = <const F extends PlanFields>(
  fields: F,
  values: { readonly [name in keyof F]: number },
): number[] => Object.keys(fields).map((name) => values[name]!);
