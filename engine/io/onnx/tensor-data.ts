// The values of a tensor in a file: from the bytes beside its shape, from lists of numbers, or from another file.
import type { HostArray } from '../../devices/device.ts';
import { DataError } from '../../errors.ts';
import { type Shape, sizeOf } from '../../shape.ts';
import type { SafetensorsArray, SafetensorsDType } from '../safetensors.ts';
import { toStateDict } from '../state-dict.ts';
import { DataType, type TensorProto } from './messages.ts';

/** Values on the host with their shape. Whole numbers are doubles, exact to 2^53. */
export interface Host {
  readonly kind: 'float' | 'int' | 'bool';
  readonly shape: Shape;
  readonly values: HostArray;
}

interface Format {
  readonly kind: Host['kind'];
  readonly dtype: SafetensorsDType;
  readonly array: { new (buffer: ArrayBuffer): SafetensorsArray; readonly BYTES_PER_ELEMENT: number };
  /** The list that may stand in the place of bytes; for halves it holds their bits. */
  readonly list: 'floats' | 'ints' | 'longs' | 'doubles' | 'unsigned';
}

const formats: Readonly<Record<number, Format>> = {
  [DataType.float]: { kind: 'float', dtype: 'F32', array: Float32Array, list: 'floats' },
  [DataType.float16]: { kind: 'float', dtype: 'F16', array: Uint16Array, list: 'ints' },
  [DataType.bfloat16]: { kind: 'float', dtype: 'BF16', array: Uint16Array, list: 'ints' },
  [DataType.double]: { kind: 'float', dtype: 'F64', array: Float64Array, list: 'doubles' },
  [DataType.int64]: { kind: 'int', dtype: 'I64', array: BigInt64Array, list: 'longs' },
  [DataType.int32]: { kind: 'int', dtype: 'I32', array: Int32Array, list: 'ints' },
  [DataType.int16]: { kind: 'int', dtype: 'I16', array: Int16Array, list: 'ints' },
  [DataType.int8]: { kind: 'int', dtype: 'I8', array: Int8Array, list: 'ints' },
  [DataType.uint64]: { kind: 'int', dtype: 'U64', array: BigUint64Array, list: 'unsigned' },
  [DataType.uint32]: { kind: 'int', dtype: 'U32', array: Uint32Array, list: 'unsigned' },
  [DataType.uint16]: { kind: 'int', dtype: 'U16', array: Uint16Array, list: 'ints' },
  [DataType.uint8]: { kind: 'int', dtype: 'U8', array: Uint8Array, list: 'ints' },
  [DataType.bool]: { kind: 'bool', dtype: 'BOOL', array: Uint8Array, list: 'ints' },
};

/** What an element type of a file is here, or undefined for one that is not read. */
export const kindOf = (dataType: number | undefined): Host['kind'] | undefined => formats[dataType ?? 0]?.kind;

/** Gives the content of another file that belongs to the model. */
export type ReadBeside = (name: string) => Promise<Uint8Array>;

async function bytesBeside(proto: TensorProto, where: string, beside: ReadBeside, count: number): Promise<Uint8Array> {
  const entries = new Map(proto.external?.map(({ key, value }) => [key, value]));
  const location = entries.get('location');
  if (location === undefined) throw new DataError(`${where}: its values are in another file, which is not named`);
  const [offset, length] = [Number(entries.get('offset') ?? 0), Number(entries.get('length') ?? count)];
  const file = await beside(location).catch((cause: unknown) => {
    throw new DataError(`${where}: its values are in '${location}', which cannot be read`, {
      given: cause instanceof Error ? cause.message : String(cause),
      hint: 'Put the file beside the model, or give it with the option `external`',
      cause,
    });
  });
  if (offset + length <= file.length) return file.subarray(offset, offset + length);
  throw new DataError(`${where}: '${location}' ends before its values`, {
    expected: `${offset + length} bytes`,
    given: String(file.length),
  });
}

function elements({ array, list }: Format, proto: TensorProto, raw: Uint8Array | undefined): SafetensorsArray {
  // A copy, since the bytes may begin anywhere.
  if (raw) return new array(raw.slice().buffer);
  const values = proto[list] ?? [];
  if ((array as unknown) === BigInt64Array) return BigInt64Array.from(values, BigInt);
  if ((array as unknown) === BigUint64Array) return BigUint64Array.from(values, BigInt);
  return (array as unknown as typeof Float32Array).from(values);
}

/**
 * The values of a tensor. `where` names it in errors. Throws DataError for an element type that is not read, for values that do
 * not fill the shape, and for a file beside the model that is not there or too short.
 */
export async function readTensor(proto: TensorProto, where: string, beside: ReadBeside): Promise<Host> {
  const { dims = [], dataType = 0 } = proto;
  const format = formats[dataType];
  if (!format) throw new DataError(`${where}: an element type that is not read`, { given: `type ${dataType}` });
  if (!dims.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw new DataError(`${where}: not a shape`, { given: `[${dims.join(', ')}]` });
  }
  const count = sizeOf(dims);
  const bytes = count * format.array.BYTES_PER_ELEMENT;
  const raw = proto.location === 1 ? await bytesBeside(proto, where, beside, bytes) : proto.raw;
  const given = raw ? raw.length / format.array.BYTES_PER_ELEMENT : (proto[format.list] ?? []).length;
  if (given !== count) {
    throw new DataError(`${where}: the values do not fill the shape`, {
      expected: `${count} for [${dims.join(', ')}]`,
      given: String(given),
    });
  }
  const data = elements(format, proto, raw);
  if (format.kind !== 'float') return { kind: format.kind, shape: dims, values: Float64Array.from(data, Number) };
  const { values } = toStateDict(new Map([['', { dtype: format.dtype, shape: dims, data }]]), where).get('')!;
  return { kind: 'float', shape: dims, values };
}
