// Writing results so that a reader never sees half a file: by the engine's way of writing checkpoints.
import { ConfigError } from '../../engine/index.ts';
import { writeWhole } from '../../engine/io/files.ts';

export { makeFolder, readWhole, removeLeftovers, writeWhole } from '../../engine/io/files.ts';

export const writeJson = (file: string, value: unknown): Promise<void> =>
  writeWhole(file, `${JSON.stringify(value, null, 2)}\n`);

/** The error of a folder for results that takes none. */
export const notWritable = (folder: string, cause: unknown): ConfigError =>
  new ConfigError(`nothing can be written to '${folder}'`, {
    given: (cause as NodeJS.ErrnoException).code ?? String(cause),
    hint: 'Choose another folder with --out',
    cause,
  });
