// NPY, the file of one NumPy array: a magic word, a version, a header in Python's notation, then the values. Reads float32 and float64
// in the order of C; leaves out other types, and arrays that were saved column by column.
import { DataError } from '../../../engine/index.ts';
import { contentOf, foreignFile } from '../../../engine/io/content.ts';
import { readDataFile } from '../files.ts';

/** An array of floats. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const MAGIC = '\x93NUMPY';
/** The magic word and the version, behind which the length of the header stands. */
const LENGTH_AT = 8;
/** The header ends so that the values stand at a multiple of this. */
const ALIGNMENT = 64;

const readers = {
  '<f4': { bytes: 4, at: (view: DataView, byte: number) => view.getFloat32(byte, true) },
  '<f8': { bytes: 8, at: (view: DataView, byte: number) => view.getFloat64(byte, true) },
} as const;

/** Reads an array of floats. Rejects with DataError, naming the file, for anything else and where values are missing. */
export async function readNpy(file: string): Promise<NpyArray> {
  const bytes = await readDataFile(file);
  if (contentOf(bytes)?.name !== 'a NumPy array') throw foreignFile(file, bytes, 'a NumPy array');
  const cutOff = (expected: string): DataError =>
    new DataError(`${file}, byte ${bytes.length}: the NumPy array ends too early`, {
      expected,
      given: `${bytes.length} bytes`,
      hint: 'Get the file again',
    });
  const isShort = bytes[MAGIC.length] === 1;
  const start = LENGTH_AT + (isShort ? 2 : 4);
  if (bytes.length < start) throw cutOff('a header');
  const end = start + (isShort ? bytes.readUInt16LE(LENGTH_AT) : bytes.readUInt32LE(LENGTH_AT));
  const header = bytes.toString('latin1', start, end);
  const [, type] = /'descr':\s*'([^']*)'/.exec(header) ?? [];
  const [, sizes] = /'shape':\s*\(([\d\s,]*)\)/.exec(header) ?? [];
  const reader = Object.hasOwn(readers, type ?? '') ? readers[type as keyof typeof readers] : undefined;
  if (!reader || sizes === undefined || !/'fortran_order':\s*False/.test(header)) {
    if (bytes.length < end) throw cutOff('a header');
    throw new DataError(`${file}, byte ${start}: another kind of NumPy array`, {
      expected: "float32 or float64 in the order of C: '<f4' or '<f8', fortran_order False",
      given: header.trim(),
      hint: "Save it with numpy.save(file, numpy.ascontiguousarray(depth, dtype='float32'))",
    });
  }
  const shape = sizes.split(',').filter((size) => size.trim() !== '').map(Number); // prettier-ignore
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes.length < end + count * reader.bytes) throw cutOff(`${end + count * reader.bytes} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { shape, values: Float32Array.from({ length: count }, (_, i) => reader.at(view, end + i * reader.bytes)) };
}

/** The bytes of an array of float32. */
export function encodeNpy({ shape, values }: NpyArray): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sizes}), }`;
  const start = LENGTH_AT + 2;
  const length = Math.ceil((start + text.length + 1) / ALIGNMENT) * ALIGNMENT - start;
  const bytes = Buffer.alloc(start + length + 4 * values.length);
  bytes.write(`${MAGIC}\x01\x00`, 'latin1');
  bytes.writeUInt16LE(length, LENGTH_AT);
  bytes.write(`${text.padEnd(length - 1)}\n`, start, 'latin1');
  values.forEach((value, i) => bytes.writeFloatLE(value, start + length + 4 * i));
  return bytes;
}
