// The files of a run folder that a watcher reads: records of finished runs whole, of checkpoints the header alone, where the curves
// so far stand. A file is read again only when its time, size or number has changed. Links are not followed, so that nothing outside
// of the folder is read.
import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { z } from 'zod';
import { decodePosition } from '../runner/position.ts';
import { recordSchema } from '../runner/store.ts';
import type { Picture } from '../runner/paper.ts';

/** Numbers by name; null where one is not finite. */
type Values = Readonly<Record<string, readonly (number | null)[]>>;

/** What a watcher keeps of a finished run. */
export interface FinishedRun {
  readonly paper: string;
  readonly run: string;
  readonly seed: number;
  readonly seconds: number;
  readonly peakBytes: number | undefined;
  readonly curves: Values;
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Rows of sample pictures. */
  readonly pictures: number;
}

const values = z.record(z.string(), z.array(z.number().nullable()));
const picture = z.object({
  label: z.string(),
  images: z.array(z.object({ caption: z.string(), png: z.base64() })),
});
const finishedSchema = recordSchema.extend({
  peakBytes: z.number().optional(),
  result: z.object({
    metrics: z.record(z.string(), z.number().nullable()),
    curves: values.optional(),
    pictures: z.array(picture).optional(),
  }),
});

/** Reads the text of a record. Throws SyntaxError or ZodError. */
export function finishedRun(text: string): FinishedRun {
  const { paper, run, seed, seconds, peakBytes, result } = finishedSchema.parse(JSON.parse(text));
  const { metrics, curves = {}, pictures = [] } = result;
  return { paper, run, seed, seconds, peakBytes, curves, metrics, pictures: pictures.length };
}

/** The sample pictures in the text of a record. Throws SyntaxError or ZodError. */
export const picturesOf = (text: string): readonly Picture[] =>
  finishedSchema.parse(JSON.parse(text)).result.pictures ?? [];

/** The header of a file of safetensors is no longer than this. */
const MOST_HEADER_BYTES = 100_000_000;

const headerSchema = z.object({ __metadata__: z.looseObject({ position: z.string().optional() }) });
const curvesSchema = z.object({ curves: z.record(z.string(), z.array(z.number())) });

/** The curves of a position; of several trainings in one run those of the present one. */
function curvesIn(position: unknown): Values {
  const found = curvesSchema.safeParse(position);
  const lines = found.success
    ? found.data.curves
    : (z.object({ inner: curvesSchema }).safeParse(position).data?.inner.curves ?? {});
  const finite = (each: number): number | null => (Number.isFinite(each) ? each : null);
  return Object.fromEntries(Object.entries(lines).map(([name, line]) => [name, line.map(finite)]));
}

async function readBytes(handle: FileHandle, length: number, at: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) throw new SyntaxError(`it ends at byte ${at + done} of ${at + length}`);
    done += bytesRead;
  }
  return bytes;
}

/** The curves in the header of a checkpoint, without its weights. Throws SyntaxError or ZodError. */
export async function checkpointCurves(handle: FileHandle): Promise<Values> {
  const length = Number((await readBytes(handle, 8, 0)).readBigUInt64LE());
  if (length > MOST_HEADER_BYTES) throw new SyntaxError(`its header cannot have ${length} bytes`);
  const header = headerSchema.parse(JSON.parse((await readBytes(handle, length, 8)).toString()));
  const { position } = header.__metadata__;
  return position === undefined ? {} : curvesIn(decodePosition(JSON.parse(position)));
}

/** The whole text of an open file. */
export const textOf = (handle: FileHandle): Promise<string> => handle.readFile('utf8');

/** Reads one plain file; undefined where there is none. Throws what `read` throws, and the system's errors. */
export async function readPlain<T>(file: string, read: (handle: FileHandle) => Promise<T>): Promise<T | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  try {
    return await read(handle);
  } finally {
    await handle.close();
  }
}

/** What is wrong with a file, in one line. */
export function fault(error: unknown): string {
  if (!(error instanceof z.ZodError)) return (error as Error).message.split('\n')[0]!;
  const [issue] = error.issues;
  return `${issue?.path.join('.') || 'the whole file'}: ${issue?.message}`;
}

/** What a file held, or what is wrong with it. */
export interface Known<T> {
  readonly value?: T | undefined;
  readonly problem?: string | undefined;
  /** Changes whenever the file does. */
  readonly stamp: string;
}

/** Files with what was read of them. */
export class KnownFiles<T> {
  readonly #read: (handle: FileHandle) => Promise<T>;
  readonly #known = new Map<string, Known<T>>();

  constructor(read: (handle: FileHandle) => Promise<T>) {
    this.#read = read;
  }

  /** What the file holds; undefined where there is none. Never rejects. */
  async get(file: string): Promise<Known<T> | undefined> {
    try {
      const { mtimeMs, size, ino } = await lstat(file);
      const stamp = `${mtimeMs} ${size} ${ino}`;
      const before = this.#known.get(file);
      if (before?.stamp === stamp) return before;
      const known = await this.#make(file, stamp);
      if (known) this.#known.set(file, known);
      else this.#known.delete(file);
      return known;
    } catch (error) {
      this.#known.delete(file);
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      return { problem: fault(error), stamp: '' };
    }
  }

  /** What was last read of the file. */
  last(file: string): Known<T> | undefined {
    return this.#known.get(file);
  }

  async #make(file: string, stamp: string): Promise<Known<T> | undefined> {
    try {
      const value = await readPlain(file, this.#read);
      return value === undefined ? undefined : { value, stamp };
    } catch (error) {
      const isLink = (error as NodeJS.ErrnoException).code === 'ELOOP';
      return { problem: isLink ? 'it is a link, which is not followed' : fault(error), stamp };
    }
  }
}
