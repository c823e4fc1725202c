// What is in a file of weights, and how two of them differ: for `wgrad weights inspect` and `diff`.
import { type SafetensorsDType, type SafetensorsEntry, toStateDict } from '../../engine/index.ts';
import { readWeights, type WeightsFile, type WeightsFormat } from '../../engine/io/weights/index.ts';
import { ownerOf } from './import.ts';

/** One entry of a file. */
export interface InspectedEntry {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
}

/** What `wgrad weights inspect` says of a file. */
export interface Inspection {
  readonly file: string;
  readonly format: WeightsFormat;
  readonly sha256: string;
  /** The published file of that SHA-256, or null where it is none that is known. */
  readonly published: string | null;
  /** The backbone of `wgrad weights import --for` whose weights these are, or null. */
  readonly backbone: string | null;
  /** Values of all entries together, and their bytes. */
  readonly values: number;
  readonly bytes: number;
  /** Values that are NaN or infinite. */
  readonly nonFinite: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly shards: readonly { readonly name: string; readonly sha256: string | undefined }[];
  readonly entries: readonly InspectedEntry[];
}

const isFloat = ({ dtype }: SafetensorsEntry): boolean => /^B?F\d+$/.test(dtype);

/** The values of one entry as float32, float64 or int32. */
const valuesOf = (name: string, file: string, entry: SafetensorsEntry): ArrayLike<number> =>
  toStateDict(new Map([[name, entry]]), file).get(name)!.values;

function nonFiniteOf({ name, tensors }: WeightsFile): number {
  let count = 0;
  for (const [key, entry] of tensors) {
    if (!isFloat(entry)) continue;
    const values = valuesOf(key, name, entry);
    for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) count++;
  }
  return count;
}

/** Reads a file of weights and says what is in it. Throws DataError as `readWeights` does. */
export async function inspectWeights(file: string): Promise<Inspection> {
  const read = await readWeights(file);
  const tensors = [...read.tensors];
  return {
    file,
    format: read.format,
    sha256: read.sha256!,
    published: read.published ?? null,
    backbone: (await ownerOf(read)) ?? null,
    values: tensors.reduce((sum, [, { data }]) => sum + data.length, 0),
    bytes: tensors.reduce((sum, [, { data }]) => sum + data.byteLength, 0),
    nonFinite: nonFiniteOf(read),
    metadata: read.metadata,
    shards: read.shards ?? [],
    entries: tensors.map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
  };
}

/** An entry that two files have otherwise. */
export interface WeightsDifference {
  readonly name: string;
  /** Element type and shape in each file. */
  readonly a: string;
  readonly b: string;
  /** The largest difference of two values, and that over the largest value of both; null where shapes differ. */
  readonly largest: number | null;
  readonly relative: number | null;
}

/** What `wgrad weights diff` says of two files. */
export interface WeightsComparison {
  readonly onlyInA: readonly string[];
  readonly onlyInB: readonly string[];
  readonly different: readonly WeightsDifference[];
  /** Entries that are the same. */
  readonly same: number;
}

const kindOf = ({ dtype, shape }: SafetensorsEntry): string => `${dtype} [${shape.join(', ')}]`;

/** The largest difference, and the largest absolute value. A NaN is the same as a NaN and infinitely far from a number. */
function distanceOf(a: ArrayLike<number>, b: ArrayLike<number>): { largest: number; scale: number } {
  let [largest, scale] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (Object.is(x, y) || x === y) {
      if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
      continue;
    }
    const difference = Math.abs(x - y);
    largest = Number.isNaN(difference) ? Infinity : Math.max(largest, difference);
    scale = Math.max(scale, Math.abs(x) || 0, Math.abs(y) || 0);
  }
  return { largest, scale };
}

/**
 * Compares two files of weights entry by entry, by the names that they have. Values are the same where they differ by at most
 * `tolerance` times the largest absolute value of the entry; element types are compared by what their values are.
 */
export async function diffWeights(fileA: string, fileB: string, tolerance = 0): Promise<WeightsComparison> {
  const [a, b] = [await readWeights(fileA), await readWeights(fileB)];
  const different: WeightsDifference[] = [];
  let same = 0;
  for (const [name, entry] of a.tensors) {
    const other = b.tensors.get(name);
    if (!other) continue;
    if (entry.shape.join() !== other.shape.join() || isFloat(entry) !== isFloat(other)) {
      different.push({ name, a: kindOf(entry), b: kindOf(other), largest: null, relative: null });
      continue;
    }
    const { largest, scale } = distanceOf(valuesOf(name, fileA, entry), valuesOf(name, fileB, other));
    if (largest <= tolerance * scale) same++;
    else different.push({ name, a: kindOf(entry), b: kindOf(other), largest, relative: largest / scale });
  }
  return {
    onlyInA: [...a.tensors.keys()].filter((name) => !b.tensors.has(name)),
    onlyInB: [...b.tensors.keys()].filter((name) => !a.tensors.has(name)),
    different,
    same,
  };
}
