// The records and checkpoints below a run folder's `runs`, read back without knowing which command made them.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DataError } from '../../engine/index.ts';
import { checkpointChecksum } from './checkpoint.ts';
import { asJson } from './difference.ts';
import type { Refusal } from './read-results.ts';
import { type CellData, gatherTable, placeOf, type TableData } from './results.ts';
import { cellsOf } from './runs.ts';
import { readSealed, type SealState } from './seal.ts';
import { recordSchema, RESULT_VERSION, type RunRecord } from './store.ts';

export interface RunFile {
  readonly file: string;
  readonly record: RunRecord;
  /** Whether the weights of other runs that it was made with are those of the folder: a run of the same settings may stand beside it. */
  readonly isCurrent: boolean;
  /** `broken`: it is not what was written. */
  readonly seal: SealState;
}

export interface RunFiles {
  /** Where there is none, numbers can only be checked from the tables' own values. */
  readonly isThere: boolean;
  readonly records: readonly RunFile[];
  readonly checkpoints: number;
  readonly refusals: readonly Refusal[];
}

/** `weights`: checksums of all weights in the folder. */
async function readRecord(file: string, weights: ReadonlySet<string>): Promise<RunFile | Refusal> {
  let read: ReturnType<typeof readSealed>;
  try {
    read = readSealed(await readFile(file, 'utf8'));
  } catch (error) {
    return { file, kind: 'damaged', what: (error as Error).message };
  }
  const { success, data, error } = recordSchema.safeParse(read.value);
  if (!success) {
    const [issue] = error.issues;
    return { file, kind: 'damaged', what: `${issue?.path.join('.') || 'the whole file'}: ${issue?.message}` };
  }
  const { version = RESULT_VERSION } = data;
  if (version !== RESULT_VERSION) {
    return { file, kind: 'stale', what: `made by version ${version} of the trainer, not ${RESULT_VERSION}` };
  }
  const isCurrent = Object.values(data.needs ?? {}).every((checksum) => weights.has(checksum));
  return { file, record: data as unknown as RunRecord, isCurrent, seal: read.seal };
}

export async function readRunFiles(folder: string): Promise<RunFiles> {
  const runs = path.join(folder, 'runs');
  let entries;
  try {
    entries = await readdir(runs, { recursive: true, withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { isThere: false, records: [], checkpoints: 0, refusals: [] };
  }
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
  const records: RunFile[] = [];
  const refusals: Refusal[] = [];
  const weights = new Set<string>();
  const checkpoints = files.filter((file) => file.endsWith('.safetensors')).sort();
  for (const file of checkpoints) {
    try {
      weights.add(await checkpointChecksum(file));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      refusals.push({ file, kind: 'damaged', what: error.reason });
    }
  }
  for (const file of files.filter((each) => each.endsWith('.json')).sort()) {
    const read = await readRecord(file, weights);
    if ('record' in read) records.push(read);
    else refusals.push(read);
  }
  return { isThere: true, records, checkpoints: checkpoints.length, refusals };
}

/** The file that a table read a run of a seed from: made on its device, with its data and settings. */
export function runFileOf(
  { records }: RunFiles,
  { paper, device, data, settings }: TableData,
  run: string,
  seed: number,
): RunFile | undefined {
  const wanted = asJson(settings.get(run));
  const made = records.filter(
    ({ record }) =>
      record.paper === paper.name &&
      record.run === run &&
      record.seed === seed &&
      record.device.name === device &&
      record.data.name === data.name &&
      record.data.real === data.real &&
      isDeepStrictEqual(record.configuration, wanted),
  );
  return made.find(({ isCurrent }) => isCurrent) ?? made[0];
}

/**
 * A table as its run files have it, and the runs that it has values of but no file. Of those, and of files that were edited, the
 * values stay as the table itself has them.
 */
export function fromRunFiles(known: TableData, runs: RunFiles): { table: TableData; absent: readonly string[] } {
  const { paper, table, preset, device, data, seeds, set } = known;
  const whole = (run: string, seed: number): RunRecord | undefined => {
    const found = runFileOf(runs, known, run, seed);
    return found && found.seal !== 'broken' ? found.record : undefined;
  };
  const setting = { preset, device, data: { ...data, checksums: {} }, seeds, set };
  const outcomes = {
    record: (_paper: string, run: string, seed: number) => whole(run, seed),
    failure: () => undefined,
  };
  const made = gatherTable(paper, table, setting, outcomes);
  const absent = new Set<string>();
  let isWhole = true;
  const cells = new Map<string, CellData>(made.cells);
  for (const placed of cellsOf(table)) {
    const { run } = placed.cell;
    if (!run) continue;
    const written = known.cells.get(placeOf(placed));
    const bySeed = new Map(made.cells.get(placeOf(placed))?.bySeed);
    for (const [seed, value] of written?.bySeed ?? []) {
      if (whole(run.key, seed)) continue;
      isWhole = false;
      bySeed.set(seed, value);
      if (!runFileOf(runs, known, run.key, seed)) absent.add(`run '${run.key}', seed ${seed}`);
    }
    cells.set(placeOf(placed), { bySeed, reason: written?.reason });
  }
  const rest = isWhole ? {} : { curves: known.curves, panels: known.panels, costs: known.costs };
  return { table: { ...made, settings: known.settings, cells, ...rest }, absent: [...absent] };
}
