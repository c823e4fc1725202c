// What stands in the queue: a job for each run, with all that a worker on another machine has to know of it.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Job } from 'bullmq';
import { z } from 'zod';
import { deviceChoices } from '../../engine/index.ts';
import { wgradVersion } from '../runner/manifest.ts';
import { type DataFacts, presetNames } from '../runner/paper.ts';
import { RESULT_VERSION, type RunRequest } from '../runner/store.ts';
import { PREFIX } from './connection.ts';

/** The name of the queue. */
export const QUEUE = 'runs';

/** Runs are made by the version that asked for them. */
export const VERSION = `${wgradVersion}, results ${RESULT_VERSION}`;

const factsSchema = z.looseObject({
  name: z.string(),
  real: z.boolean(),
  checksums: z.record(z.string(), z.string()),
});
const requestSchema = z.looseObject({
  paper: z.string(),
  run: z.string(),
  seed: z.number(),
  preset: z.enum(presetNames),
  device: z.enum(deviceChoices),
  data: z.string().optional(),
});

export const runJobSchema = z.object({
  version: z.string(),
  /** The run folder that the run is for. */
  grid: z.string(),
  key: z.string(),
  request: requestSchema.transform((value) => value as unknown as RunRequest),
  facts: factsSchema.transform((value) => value as unknown as DataFacts),
  /** Weights of other runs: of a job, or of a file in the run folder that was there before. */
  needs: z.array(
    z.object({ run: z.string(), weights: z.string(), job: z.string().optional(), file: z.string().optional() }),
  ),
  /** Jobs that look whether they can go on when this one is done. */
  then: z.array(z.string()),
});
/** A run as it stands in the queue. */
export type RunJobData = z.infer<typeof runJobSchema>;
export type RunJob = Job<RunJobData, Made>;

/** What an attempt has made: the value that its job is completed with. One attempt completes a job, whatever becomes of the others. */
export const madeSchema = z.object({
  /** Name of the attempt's folder, and of its files in the queue. */
  attempt: z.string(),
  /** Whether its files are in the run folder's `attempts`; in the queue itself otherwise. */
  isShared: z.boolean(),
  /** Relative to the run folder. */
  files: z.array(z.string()),
  worker: z.string(),
});
export type Made = z.infer<typeof madeSchema>;

/** The file of weights of that name among those that a run has made. */
export const weightsAmong = (files: readonly string[], weights: string): string | undefined =>
  files.find((file) => file.endsWith(`.${weights}.safetensors`));

/** The job of a run: the same for the same command, so that a run is in the queue once. */
export function jobId({ version, grid, key, request, facts, needs }: Omit<RunJobData, 'then'>): string {
  const { data: _, tuning, ...rest } = request;
  const { name, real, checksums } = facts;
  const decisive = [version, key, rest, tuning?.checksum, { name, real, checksums }, needs];
  return `${grid}-${createHash('sha256').update(JSON.stringify(decisive)).digest('hex').slice(0, 20)}`;
}

/** The hash of the files that an attempt has put into the queue. */
export const filesKey = (job: string, attempt: string): string => `${PREFIX}:files:${job}:${attempt}`;
/** The hash of files of a run folder that were there before, and that runs of the queue need. */
export const earlierKey = (grid: string): string => `${PREFIX}:files:${grid}:earlier`;
/** The set of jobs that somebody has taken out: what is in neither is lost. */
export const removedKey = `${PREFIX}:removed`;
/** Seconds after which files that nobody fetched leave the queue. */
export const FILES_KEPT_S = 7 * 24 * 3600;

/** The file of a run folder that tells workers which grid it is of. */
export const gridFile = (out: string): string => path.join(out, 'queue.json');
const gridSchema = z.looseObject({ grid: z.string() });

/** The grid that a run folder is of; undefined for one that no command has put into a queue. */
export async function readGrid(out: string): Promise<string | undefined> {
  try {
    return gridSchema.parse(JSON.parse(await readFile(gridFile(out), 'utf8'))).grid;
  } catch {
    return undefined;
  }
}
