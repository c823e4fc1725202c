// Pretrained weights that a command names (`--weights`), as settings of a run: which backbone they are for, and what the file held.
import { z } from 'zod';
import { ConfigError, DataError, readCheckpoint, type StateDict } from '../../engine/index.ts';
import { sha256OfFile } from '../data/files.ts';
import { listOf } from './schema.ts';

/** Files of pretrained weights, as `wgrad weights import` writes them, by the backbone that they are for. */
export const weightsSchema = listOf(z.strictObject({ backbone: z.string(), file: z.string(), sha256: z.string() }));
/** One of these files. */
export type GivenWeights = z.infer<typeof weightsSchema>[number];

/** The file for a backbone; undefined where none was named at all. Throws ConfigError where those that were named are for others. */
export function weightsFor(given: readonly GivenWeights[], backbone: string, run: string): GivenWeights | undefined {
  const found = given.find((each) => each.backbone === backbone);
  if (found || given.length === 0) return found;
  throw new ConfigError(`there are no weights for the backbone of '${run}'`, {
    expected: backbone,
    given: given.map((each) => each.backbone).join(', '),
  });
}

/** The weights of a file that the command named. Rejects with DataError where it has changed since. */
export async function readGivenWeights({ file, sha256 }: GivenWeights): Promise<StateDict> {
  const found = (await sha256OfFile(file)) ?? 'no file';
  if (found !== sha256)
    throw new DataError(`${file} is not what it was`, { expected: `SHA-256 ${sha256}`, given: found });
  return (await readCheckpoint(file)).state;
}
