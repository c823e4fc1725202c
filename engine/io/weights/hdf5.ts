// HDF5 through h5wasm, a package that is loaded when the first such file comes. Its errors are thrown in one line, where the
// library would print its whole stack.
import type * as H5wasm from 'h5wasm';
import { DataError, DeviceError } from '../../index.ts';

/** What h5wasm exports. */
export type Hdf5Library = typeof H5wasm;

/** The innermost reason in the stack that HDF5 gives, in one line. */
const reasonOf = (error: Error): string =>
  [...error.message.matchAll(/\(\): (.*)/g)].at(-1)?.[1] ?? error.message.split('\n')[0]!;

/** Runs `body` with HDF5 throwing its errors: what it finds wrong becomes a DataError that begins with `file`. */
export function throwingHdf5<T>(library: Hdf5Library, file: string, body: (library: Hdf5Library) => T): T {
  const module = library.Module;
  module.activate_throwing_error_handler();
  try {
    return body(library);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`${file}: the HDF5 file is damaged`, {
      given: reasonOf(cause as Error),
      hint: 'Get the file again: a download may have been cut off',
      cause,
    });
  } finally {
    module.deactivate_throwing_error_handler();
  }
}

/** The library that keeps its files in memory, which Node and browsers have alike. */
async function load(): Promise<Hdf5Library> {
  try {
    const library = await import('h5wasm');
    await library.ready;
    return library;
  } catch (cause) {
    throw new DeviceError('HDF5 files need the package h5wasm, which cannot be loaded', {
      hint: 'A bundler finds it among the dependencies of wgrad; a page without one needs an import map with "h5wasm"',
      cause,
    });
  }
}

let opened = 0;

/** Runs `body` on an open file of these bytes. `file` is its name, for messages. */
export async function withHdf5Bytes<T>(
  bytes: Uint8Array,
  file: string,
  body: (opened: H5wasm.File, library: Hdf5Library) => T,
): Promise<T> {
  const library = await load();
  const { FS } = await library.ready;
  const place = `/weights-${++opened}.h5`;
  FS.writeFile(place, bytes);
  try {
    return throwingHdf5(library, file, () => {
      const content = new library.File(place, 'r');
      try {
        return body(content, library);
      } finally {
        content.close();
      }
    });
  } finally {
    FS.unlink(place);
  }
}
