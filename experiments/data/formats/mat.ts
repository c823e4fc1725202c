// MAT files of MATLAB 5 to 7, of which only numeric arrays are read: a header of 128 bytes, then elements with a tag of type and
// length, most of them packed with zlib. Files of MATLAB 7.3 are HDF5.
import { inflateSync } from 'node:zlib';
import { DataError, WgradError } from '../../../engine/index.ts';
import { foreignFile } from '../../../engine/io/content.ts';
import { readDataFile } from '../files.ts';

const HEADER_BYTES = 128;
const SIGNATURE = 'MATLAB 5.0 MAT-file';
/** Types of elements that are no numbers. */
const [MATRIX, COMPRESSED] = [14, 15];
/** The element's length stands in the upper half of its type where the value fits into the tag. */
const SMALL = 16;

/** Numbers by the type of their element. */
const numbers: Readonly<Record<number, readonly [bytes: number, read: (bytes: Buffer, at: number) => number]>> = {
  1: [1, (bytes, at) => bytes.readInt8(at)],
  2: [1, (bytes, at) => bytes.readUInt8(at)],
  3: [2, (bytes, at) => bytes.readInt16LE(at)],
  4: [2, (bytes, at) => bytes.readUInt16LE(at)],
  5: [4, (bytes, at) => bytes.readInt32LE(at)],
  6: [4, (bytes, at) => bytes.readUInt32LE(at)],
  7: [4, (bytes, at) => bytes.readFloatLE(at)],
  9: [8, (bytes, at) => bytes.readDoubleLE(at)],
};

interface Element {
  readonly type: number;
  readonly content: Buffer;
}

/** The elements one behind the other; inside of arrays they begin at multiples of 8. */
function* elementsOf(bytes: Buffer): Iterable<Element> {
  for (let at = 0; at + 8 <= bytes.length;) {
    const type = bytes.readUInt32LE(at);
    const small = type >>> SMALL;
    const length = small > 0 ? small : bytes.readUInt32LE(at + 4);
    const start = at + (small > 0 ? 4 : 8);
    if (start + length > bytes.length) throw new RangeError(`an element of ${length} bytes at byte ${at}`);
    yield { type: type & 0xffff, content: bytes.subarray(start, start + length) };
    const padded = type === COMPRESSED ? length : Math.ceil(length / 8) * 8;
    at = small > 0 ? at + 8 : start + padded;
  }
}

function numbersOf({ type, content }: Element): number[] | undefined {
  const known = numbers[type];
  if (!known) return undefined;
  const [bytes, read] = known;
  return Array.from({ length: content.length / bytes }, (_, i) => read(content, i * bytes));
}

/** The numeric arrays of a MAT file by name, each as a list in MATLAB's order. Rejects with DataError, naming the file. */
export async function readMat(file: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const bytes = await readDataFile(file);
  if (bytes.toString('latin1', 0, SIGNATURE.length) !== SIGNATURE) {
    throw foreignFile(file, bytes, 'a MATLAB 5 file');
  }
  try {
    const arrays = new Map<string, readonly number[]>();
    for (const outer of elementsOf(bytes.subarray(HEADER_BYTES))) {
      const elements = outer.type === COMPRESSED ? elementsOf(inflateSync(outer.content)) : [outer];
      for (const { type, content } of elements) {
        if (type !== MATRIX) continue;
        // Flags, sizes, name, and the real part.
        const [, , name, values] = [...elementsOf(content)];
        const list = values && numbersOf(values);
        if (name && list) arrays.set(name.content.toString('latin1'), list);
      }
    }
    return arrays;
  } catch (cause) {
    if (cause instanceof WgradError) throw cause;
    throw new DataError(`${file}: the MATLAB file is damaged or ends too early`, {
      given: (cause as Error).message,
      hint: 'Get the file again',
      cause,
    });
  }
}
