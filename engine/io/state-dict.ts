// State dicts as safetensors, with the keys, shapes and element types of torch's. What comes in of another type:
//
//   F32 F64              as they are; a float32 tensor rounds F64 to nearest
//   F16 BF16             as float32, exactly
//   I32, other integers  as int32; a value outside of its range is an error
//   BOOL                 as int32, 0 or 1
//
// What goes out: floats as F32, of the reference device too; integers as I32, counters as I64.
import { takes } from '../call-check.ts';
import { DataError } from '../errors.ts';
import type { StateDict, StateEntry } from '../nn/module.ts';
import { bytes, mapping, optional, text, texts } from '../parameters.ts';
import { readSafetensors, type SafetensorsEntry, writeSafetensors } from './safetensors.ts';

/** The value of an IEEE half: 1 sign bit, 5 exponent bits, 10 fraction bits. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** bfloat16 is the upper half of a float32. */
const fromBfloat = (bits: Uint16Array): Float32Array => new Float32Array(Uint32Array.from(bits, (b) => b << 16).buffer);

function toInt32(name: string, file: string, data: ArrayLike<number | bigint>): Int32Array {
  const result = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    result[i] = value;
    // Numbers that a float64 cannot hold are far outside too.
    if (result[i] === value) continue;
    throw new DataError(`${file}: '${name}' holds a number that does not fit`, {
      operation: 'readStateDict',
      expected: 'whole numbers from -2^31 to 2^31 - 1',
      given: `${data[i]} at element ${i}`,
    });
  }
  return result;
}

function toValues(name: string, file: string, { dtype, data }: SafetensorsEntry): StateEntry['values'] {
  switch (dtype) {
    case 'F32':
    case 'F64':
      return data as Float32Array | Float64Array;
    case 'F16':
      return Float32Array.from(data as Uint16Array, fromHalf);
    case 'BF16':
      return fromBfloat(data as Uint16Array);
    default:
      return toInt32(name, file, data);
  }
}

const takesRead = takes('readStateDict', { content: bytes, file: text });
const takesTensors = takes('toStateDict', { tensors: mapping, file: text });
const takesWrite = takes('writeStateDict', { state: mapping, metadata: optional(texts) });

/** Tensors in the element types of files as a state dict. Throws DataError, naming `file`, for whole numbers beyond int32. */
export function toStateDict(...args: [tensors: ReadonlyMap<string, SafetensorsEntry>, file: string]): StateDict {
  const [tensors, file] = takesTensors(args);
  const state: StateDict = new Map();
  for (const [name, entry] of tensors) {
    const values = toValues(name, file, entry);
    state.set(name, { shape: [...entry.shape], values, ...(entry.dtype === 'I64' && { fileType: 'I64' }) });
  }
  return state;
}

/** The tensors of a safetensors file's bytes. Throws DataError naming the file, and the byte where it is damaged. */
export function readStateDict(...args: [content: ArrayBuffer | Uint8Array, file: string]): {
  state: StateDict;
  metadata: Record<string, string>;
} {
  const [content, file] = takesRead(args);
  const { tensors, metadata } = readSafetensors(content, file);
  return { state: toStateDict(tensors, file), metadata };
}

/** The bytes of a safetensors file. Readers of torch's ecosystem look for the metadata `format: pt`. */
export function writeStateDict(
  ...args: [state: ReadonlyMap<string, StateEntry>, metadata?: Readonly<Record<string, string>>]
): Uint8Array {
  const [state, metadata = { format: 'pt' }] = takesWrite(args);
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [name, { shape, values, fileType }] of state) {
    if (fileType === 'I64') {
      tensors.set(name, { dtype: 'I64', shape, data: BigInt64Array.from(values, BigInt) });
    } else if (values instanceof Int32Array) {
      tensors.set(name, { dtype: 'I32', shape, data: values });
    } else {
      tensors.set(name, { dtype: 'F32', shape, data: Float32Array.from(values) });
    }
  }
  return writeSafetensors({ tensors, metadata });
}
