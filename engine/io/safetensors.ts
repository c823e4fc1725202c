// The safetensors format: an 8-byte little-endian header length, a JSON header padded with spaces, then the tensors'
// bytes without gaps. Specification: https://github.com/huggingface/safetensors. Works on bytes in memory; touches no file.
import { takes } from '../call-check.ts';
import { DataError } from '../errors.ts';
import { bytes as bytesParameter, mapping, requiredOptions, text, texts } from '../parameters.ts';
import { contentOf, foreignFile } from './content.ts';
import { type ParsedJson, parseJson } from './json.ts';

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

/** Element types of the format that have no array here: named when they are refused. */
const unreadable = ['F4', 'F6_E2M3', 'F6_E3M2', 'F8_E4M3', 'F8_E5M2', 'F8_E8M0', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ', 'C64'];

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
const BRACE = 0x7b;
const METADATA = '__metadata__';

const isDType = (value: unknown): value is SafetensorsDType =>
  typeof value === 'string' && Object.hasOwn(arrays, value);
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is Record<string, string> =>
  isRecord(value) && Object.values(value).every((text) => typeof text === 'string');

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
  readonly values: Record<string, unknown>;
  /** The names of `values` in the order of the file. */
  readonly names: Iterable<string>;
  /** First byte of the tensors. */
  readonly end: number;
  /** The byte of the file where the entry of a name stands. Takes time: for messages. */
  byteOf(name: string): number;
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
  let text: string;
  let parsed: ParsedJson;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(LENGTH_BYTES, end));
    parsed = parseJson(text);
  } catch (cause) {
    throw damage(file, LENGTH_BYTES, 'the header is not JSON', undefined, (cause as Error).message);
  }
  const byteAt = (index: number): number => LENGTH_BYTES + new TextEncoder().encode(text.slice(0, index)).length;
  const { value, positions, repeated } = parsed;
  if (repeated) {
    throw damage(file, byteAt(repeated.position), `the header has the key '${repeated.key}' twice`);
  }
  if (!isRecord(value)) throw damage(file, LENGTH_BYTES, 'the header is not a JSON object');
  return { values: value, names: positions.keys(), end, byteOf: (name) => byteAt(positions.get(name)!) };
}

interface Extent {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

function readExtent(file: string, header: Header, name: string): Extent {
  const entry = header.values[name];
  const bad = (message: string, expected?: string, given?: unknown): DataError =>
    damage(file, header.byteOf(name), message, expected, given);
  if (!isRecord(entry)) throw bad(`the entry of '${name}' is not an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDType(dtype)) {
    const known = Object.keys(arrays).join(', ');
    if (!unreadable.includes(String(dtype))) throw bad(`unknown element type of '${name}'`, known, dtype ?? 'none');
    const at = `${file}, byte ${header.byteOf(name)}`;
    throw new DataError(`${at}: '${name}' is of the element type ${String(dtype)}, which wgrad does not read`, {
      operation: 'safetensors',
      expected: known,
      hint: 'Convert the tensor to F32, F16 or BF16 with the library that wrote the file',
    });
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw bad(`bad shape of '${name}'`, 'a list of sizes', shape ?? 'none');
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw bad(`bad data_offsets of '${name}'`, 'two byte positions', offsets ?? 'none');
  }
  const [begin, end] = offsets;
  const size = shape.reduce((product, n) => product * n, arrays[dtype].BYTES_PER_ELEMENT);
  if (end - begin !== size) {
    throw bad(`data_offsets of '${name}' do not fit its shape`, `${size} bytes`, String(end - begin));
  }
  return { name, dtype, shape, begin, end };
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
  // Every header begins with a brace; a pointer, a page or an archive given in its place is called what it is.
  if (bytes.length > LENGTH_BYTES && bytes[LENGTH_BYTES] !== BRACE && contentOf(bytes)) {
    throw foreignFile(file, bytes, 'a safetensors file');
  }
  const header = readHeader(bytes, file);
  const extents: Extent[] = [];
  for (const name of header.names) if (name !== METADATA) extents.push(readExtent(file, header, name));
  const metadata = Object.hasOwn(header.values, METADATA) ? header.values[METADATA] : {};
  if (!isTexts(metadata)) {
    throw damage(file, header.byteOf(METADATA), `${METADATA} must hold strings`, undefined, metadata);
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
