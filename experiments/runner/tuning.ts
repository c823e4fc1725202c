// The file that `wgrad bench tune` writes and `--tuning FILE` reads: tables of plans, one per device that was measured.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { DataError, type Tuning } from '../../engine/index.ts';

export const TUNING_FORMAT = 'wgrad-tuning-1';

const entry = z.strictObject({
  kernel: z.string(),
  /** Sizes of a launch in the order of the kernel's fields, those above eight rounded to powers of two. */
  shapes: z.string().regex(/^-?\d+(\.\d+)?( -?\d+(\.\d+)?)*$/),
  plan: z.string(),
  /** What the rule of thumb takes, and how many times as fast `plan` was. */
  usual: z.string(),
  speedup: z.number().positive(),
  /** The parameters that were measured. */
  measured: z.record(z.string(), z.union([z.number(), z.array(z.number())])),
});

const table = z.strictObject({
  device: z.enum(['webgpu', 'wasm']),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  description: z.string(),
  wgrad: z.string(),
  finished: z.string(),
  method: z.string(),
  entries: z.array(entry),
});

const tuningFile = z.strictObject({ format: z.literal(TUNING_FORMAT), tables: z.array(table) });

export type MeasuredEntry = z.infer<typeof entry>;
export type MeasuredTable = z.infer<typeof table>;
export type TuningFile = z.infer<typeof tuningFile>;

/** Throws DataError for a file that is not there or holds something else. */
export async function readTuningFile(file: string): Promise<TuningFile & { text: string }> {
  let text: string;
  let content: unknown;
  try {
    text = await readFile(file, 'utf8');
    content = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${file} cannot be read as JSON`, { given: (cause as Error).message, cause });
  }
  const parsed = tuningFile.safeParse(content);
  if (parsed.success) return { ...parsed.data, text };
  const { path, message } = parsed.error.issues[0]!;
  throw new DataError(`${file} is not a table of plans: ${path.join('.') || 'the whole'}: ${message}`, {
    hint: 'Make one with `wgrad bench tune --out FILE`',
  });
}

/** What a device is made with. The checksum is the file's SHA-256. */
export async function readTuning(file: string): Promise<Tuning> {
  const { tables, text } = await readTuningFile(file);
  return { checksum: `sha256:${createHash('sha256').update(text).digest('hex')}`, tables };
}
