// The safetensors format: an 8-byte little-endian header length, a JSON header padded with spaces, then the tensors'
// bytes without gaps. Specification: https://github.com/huggingface/safetensors. Works on bytes in memory; touches no file.
import { takes } from '../call-check.ts';
import { DataError } from '../errors.ts';
import { bytes as bytesParameter, mapping, requiredOptions, text, texts } from '../parameters.ts';

/** Arrays of each element type. Half-precision floats are raw bits; BOOL is one byte, 0 or 1. */
const arrays = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

/** Element types of a safetensors file. */
export type SafetensorsDType = keyof typeof arrays;
/** Values of one tensor of a file, in the array of its type. */
export type SafetensorsArray =
  | Float64Array
  | Float32Array
  | Uint16Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint8Array;

/** One tensor of a safetensors file. */
export interface SafetensorsEntry {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** Row-major values. After reading they share the file's memory where its alignment allows. */
  readonly data: SafetensorsArray;
}

/** What a safetensors file holds. */
export interface Safetensors {
  readonly tensors: Map<string, SafetensorsEntry>;
  /** The texts under `__metadata__`. */
  readonly metadata: Record<string, string>;
}

/** The reference implementation refuses longer headers too. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;
const METADATA = '__metadata__';

const isDType = (value: unknown): value is SafetensorsDType =>
  typeof value === 'string' && Object.hasOwn(arrays, value);
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A message that names the file and the byte where it went wrong. */
function damage(file: string, byte: number, message: string, expected?: string, given?: unknown): DataError {
  return new DataError(`${file}, byte ${byte}: ${message}`, {
    operation: 'safetensors',
    expected,
    given: given === undefined ? undefined : typeof given === 'string' ? given : JSON.stringify(given),
    hint: 'The file is damaged or not a safetensors file',
  });
}

interface Header {
  readonly text: string;
  readonly values: Record<string, unknown>;
  /** First byte of the tensors. */
  readonly end: number;
}

function readHeader(bytes: Uint8Array, file: string): Header {
  if (bytes.length < LENGTH_BYTES) {
    throw damage(file, bytes.length, 'the file ends inside the header length', '8 bytes', bytes.length);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > MAX_HEADER_BYTES) throw damage(file, 0, 'bad header length', `at most ${MAX_HEADER_BYTES}`, length);
  const end = LENGTH_BYTES + length;
  if (end > bytes.length) throw damage(file, bytes.length, 'the file ends inside the header', `${end} bytes or more`);
  let values: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, end));
    values = JSON.parse(text);
  } catch (cause) {
    throw damage(file, LENGTH_BYTES, 'the header is not JSON', undefined, (cause as Error).message);
  }
  if (!isRecord(values)) throw damage(file, LENGTH_BYTES, 'the header is not a JSON object');
  return { text, values, end };
}

interface Extent {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
  /** Where the entry stands in the file's header. */
  readonly byte: number;
}

function readExtent(file: string, header: Header, name: string): Extent {
  const before = header.text.slice(0, Math.max(0, header.text.indexOf(JSON.stringify(name))));
  const byte = LENGTH_BYTES + new TextEncoder().encode(before).length;
  const entry = header.values[name];
  if (!isRecord(entry)) throw damage(file, byte, `the entry of '${name}' is not an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDType(dtype)) {
    throw damage(file, byte, `unknown element type of '${name}'`, Object.keys(arrays).join(', '), dtype ?? 'none');
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw damage(file, byte, `bad shape of '${name}'`, 'a list of sizes', shape ?? 'none');
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw damage(file, byte, `bad data_offsets of '${name}'`, 'two byte positions', offsets ?? 'none');
  }
  const [begin, end] = offsets;
  const size = shape.reduce((product, n) => product * n, arrays[dtype].BYTES_PER_ELEMENT);
  if (end - begin !== size) {
    throw damage(file, byte, `data_offsets of '${name}' do not fit its shape`, `${size} bytes`, String(end - begin));
  }
  return { name, dtype, shape, begin, end, byte };
}

const takesRead = takes('readSafetensors', { content: bytesParameter, file: text });
const takesWrite = takes('writeSafetensors', {
  content: requiredOptions<Safetensors>({ tensors: mapping, metadata: texts }, 'tensors'),
});

/**
 * Reads the bytes of a safetensors file. `file` is its name, for messages.
 * Throws DataError with the byte if the header is damaged, or if tensors overlap, leave gaps or run past the end.
 */
export function readSafetensors(...args: [content: ArrayBuffer | Uint8Array, file: string]): Safetensors {
  const [content, file] = takesRead(args);
  // A plain view: the slice of Node's Buffer, which extends Uint8Array, does not copy.
  const bytes = (
    content instanceof Uint8Array
      ? new Uint8Array(content.buffer, content.byteOffset, content.byteLength)
      : new Uint8Array(content)
  ) as Uint8Array<ArrayBuffer>;
  const header = readHeader(bytes, file);
  const metadata: Record<string, string> = {};
  const extents: Extent[] = [];
  for (const [name, value] of Object.entries(header.values)) {
    if (name !== METADATA) {
      extents.push(readExtent(file, header, name));
      continue;
    }
    const texts = isRecord(value) ? Object.entries(value) : undefined;
    for (const [key, text] of texts ?? [[METADATA, value]]) {
      if (typeof text !== 'string') throw damage(file, LENGTH_BYTES, `${METADATA} must hold texts`, undefined, text);
      metadata[key] = text;
    }
  }

  let reached = 0;
  for (const extent of [...extents].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const { name, begin, end } = extent;
    if (begin !== reached) {
      const fault = begin < reached ? 'overlaps the tensor before it' : 'leaves a gap before it';
      throw damage(file, header.end + begin, `'${name}' ${fault}`, `begin ${reached}`, String(begin));
    }
    if (header.end + end > bytes.length) {
      throw damage(file, bytes.length, `the file ends inside '${name}'`, `${header.end + end} bytes`, bytes.length);
    }
    reached = end;
  }
  if (header.end + reached !== bytes.length) {
    throw damage(
      file,
      header.end + reached,
      'bytes after the last tensor',
      'the end of the file',
      `${bytes.length} bytes`,
    );
  }

  const tensors = new Map<string, SafetensorsEntry>();
  for (const { name, dtype, shape, begin, end } of extents) {
    const ArrayType = arrays[dtype];
    const start = bytes.byteOffset + header.end + begin;
    const aligned = start % ArrayType.BYTES_PER_ELEMENT === 0;
    const buffer = aligned ? bytes.buffer : bytes.slice(header.end + begin, header.end + end).buffer;
    const data = new ArrayType(buffer, aligned ? start : 0, (end - begin) / ArrayType.BYTES_PER_ELEMENT);
    tensors.set(name, { dtype, shape, data });
  }
  return { tensors, metadata };
}

/**
 * The bytes of a safetensors file. Wide elements come first and the data begin at a multiple of 8, so that every tensor is
 * aligned. The same content gives the same bytes. Throws DataError if an entry's data do not fit its shape.
 */
export function writeSafetensors(...args: [content: Partial<Safetensors> & Pick<Safetensors, 'tensors'>]): Uint8Array {
  const [{ tensors, metadata = {} }] = takesWrite(args);
  const width = ({ dtype }: SafetensorsEntry): number => arrays[dtype].BYTES_PER_ELEMENT;
  const order = [...tensors].sort(
    ([nameA, a], [nameB, b]) => width(b) - width(a) || (nameA < nameB ? -1 : nameA > nameB ? 1 : 0),
  );
  const header: Record<string, unknown> = Object.keys(metadata).length ? { [METADATA]: metadata } : {};
  let bytes = 0;
  for (const [name, entry] of order) {
    const length = entry.shape.reduce((product, n) => product * n, 1);
    if (name === METADATA || !(entry.data instanceof arrays[entry.dtype]) || entry.data.length !== length) {
      throw new DataError(`'${name}' cannot be written`, {
        operation: 'safetensors',
        expected: `${length} values of ${entry.dtype} in a ${arrays[entry.dtype].name}`,
        given: `${entry.data.length} in a ${entry.data.constructor.name}`,
      });
    }
    const end = bytes + entry.data.byteLength;
    header[name] = { dtype: entry.dtype, shape: entry.shape, data_offsets: [bytes, end] };
    bytes = end;
  }

  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(text.length / 8) * 8;
  const content = new Uint8Array(LENGTH_BYTES + headerLength + bytes);
  new DataView(content.buffer).setUint32(0, headerLength, true);
  content.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + headerLength);
  content.set(text, LENGTH_BYTES);
  let at = LENGTH_BYTES + headerLength;
  for (const [, { data }] of order) {
    content.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return content;
}
