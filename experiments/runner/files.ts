// Writing results so that a reader never sees half a file: by the engine's way of writing checkpoints.
import { writeWhole } from '../../engine/io/files.ts';

export { makeFolder, readWhole, removeLeftovers, writeWhole } from '../../engine/io/files.ts';

export const writeJson = (file: string, value: unknown): Promise<void> =>
  writeWhole(file, `${JSON.stringify(value, null, 2)}\n`);
