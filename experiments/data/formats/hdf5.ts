// HDF5 through h5wasm: files of named arrays of which a part is read at a time, so that a file may be larger than the memory.
import type * as H5wasm from 'h5wasm/node';
import type { Dataset, File } from 'h5wasm/node';
import { DataError } from '../../../engine/index.ts';
import { contentOf, foreignFile } from '../../../engine/io/content.ts';
import { throwingHdf5 } from '../../../engine/io/weights/hdf5.ts';
import { beginningOf } from '../files.ts';

type Library = typeof H5wasm;

async function load(): Promise<Library> {
  const library = await import('h5wasm/node');
  await library.ready;
  return library;
}

/** Runs `body` with the library. What HDF5 finds wrong becomes a DataError that begins with `file`. */
export const withHdf5 = async <T>(file: string, body: (library: Library) => T): Promise<T> =>
  throwingHdf5(await load(), file, body);

/** MATLAB 7.3 writes HDF5 behind a header of its own. */
const isMatlab73 = (beginning: Buffer): boolean => beginning.toString('latin1', 0, 10) === 'MATLAB 7.3';

/** Where MATLAB 7.3 puts what the cells of its arrays refer to. */
const CELLS = '#refs#';

/** Elements of these types, by the first characters that h5wasm has for them. */
const elementTypes = {
  'uint8': /^[|<>]?B$/,
  'whole numbers': /^[|<>=]?[bBhHiIlLqQ]$/,
  'float32': /^[<>=]?f$/,
} as const; // prettier-ignore

/** Which elements an array may have. */
export type ElementType = keyof typeof elementTypes;

/** What h5wasm takes for one axis: all of it, or a first index and the one behind the last. */
type Range = [] | [number, number];

/** An open file of arrays. */
export class Hdf5Arrays<Key extends string = string> {
  readonly file: string;
  readonly #library: Library;
  readonly #opened: File;
  readonly #datasets: Readonly<Record<Key, Dataset>>;
  #places: ReadonlyMap<string, string> | undefined;

  private constructor(file: string, library: Library, opened: File, datasets: Readonly<Record<Key, Dataset>>) {
    this.file = file;
    this.#library = library;
    this.#opened = opened;
    this.#datasets = datasets;
  }

  /** Opens a file that has the arrays `keys`. Rejects with DataError where it is another file, damaged, or lacks one. */
  static async open<Key extends string>(file: string, keys: readonly Key[]): Promise<Hdf5Arrays<Key>> {
    const beginning = (await beginningOf(file)) ?? Buffer.alloc(0);
    if (contentOf(beginning)?.name !== 'an HDF5 file' && !isMatlab73(beginning)) {
      throw foreignFile(file, beginning, 'an HDF5 file');
    }
    return withHdf5(file, (library) => {
      const opened = new library.File(file, 'r');
      try {
        const found = opened.keys();
        const isDataset = (key: Key): boolean => found.includes(key) && opened.get(key) instanceof library.Dataset;
        const missing = keys.filter((key) => !isDataset(key));
        if (missing.length > 0) {
          throw new DataError(`${file} has no array ${missing.map((key) => `'${key}'`).join(', ')}`, {
            expected: keys.join(', '),
            given: found.join(', ') || 'no arrays',
          });
        }
        const datasets = Object.fromEntries(keys.map((key) => [key, opened.get(key) as Dataset]));
        return new Hdf5Arrays(file, library, opened, datasets as Record<Key, Dataset>);
      } catch (error) {
        opened.close();
        throw error;
      }
    });
  }

  shape(key: Key): readonly number[] {
    return throwingHdf5(this.#library, this.file, () => this.#datasets[key].shape ?? []);
  }

  /** The values in a range of each axis. Throws DataError where they are not of `type`, or cannot be read. */
  read(key: Key, ranges: readonly Range[], type: ElementType): ArrayLike<number | bigint> {
    return throwingHdf5(this.#library, this.file, () => {
      const dataset = this.#datasets[key];
      const dtype = String(dataset.dtype);
      if (!elementTypes[type].test(dtype)) {
        throw new DataError(`${this.file}: ${key} has elements of another type`, { expected: type, given: dtype });
      }
      return dataset.slice([...ranges]) as ArrayLike<number | bigint>;
    });
  }

  /** Where what a reference points to lies, by its bytes: to ask for the name behind each one would search the whole file each time. */
  #placesOf(cells: { keys(): string[] }, { Module }: Library): ReadonlyMap<string, string> {
    const places = cells.keys().map((name) => `${CELLS}/${name}`);
    const bytesOf = (place: string): string => Module.create_object_reference(this.#opened.file_id, place).join();
    return new Map(places.map((place) => [bytesOf(place), place]));
  }

  /** The texts that a cell array of MATLAB refers to, in its order; undefined where there is none of that name. */
  texts(key: string): string[] | undefined {
    return throwingHdf5(this.#library, this.file, (library) => {
      const { Dataset, Group, Reference } = library;
      const opened = this.#opened;
      const find = (name: string): unknown => (opened.keys().includes(name) ? opened.get(name) : undefined);
      const [array, cells] = [find(key), find(CELLS)];
      if (!(array instanceof Dataset) || !(cells instanceof Group)) return undefined;
      const placeOf = (this.#places ??= this.#placesOf(cells, library));
      return [array.value].flat().map((cell: unknown) => {
        const place = cell instanceof Reference ? placeOf.get(cell.ref_data.join()) : undefined;
        const text: unknown = place === undefined ? undefined : opened.get(place);
        const value = text instanceof Dataset ? text.value : undefined;
        return value instanceof Uint16Array ? String.fromCharCode(...value) : '';
      });
    });
  }

  close(): void {
    this.#opened.close();
  }
}
