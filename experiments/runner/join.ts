// Run folders that are parts of one grid (`--shard`): their tables as if one command had made them, and one folder with all of it.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DataError } from '../../engine/index.ts';
import { buildView, provenanceView } from '../report/build.ts';
import type { View } from '../report/view.ts';
import { makeFolder, readWhole, writeWhole } from './files.ts';
import { lockFolder } from './folder-lock.ts';
import { buildManifest } from './manifest.ts';
import { mergeFolders } from './merge.ts';
import type { DataFacts } from './paper.ts';
import { readRunFolder, type RunFolder } from './read-results.ts';
import { placeOf, type TableData } from './results.ts';
import { fromRunFiles, readRunFiles, type RunFiles } from './run-files.ts';
import { cellsOf } from './runs.ts';
import { recordSchema } from './store.ts';
import { writeFolder } from './write-folder.ts';

/** What folders say together. */
export interface Joined {
  readonly folders: readonly RunFolder[];
  readonly tables: readonly TableData[];
  readonly problems: readonly string[];
}

/** Whether a cell lacks the value of a seed: a folder's tables keep values of all seeds only, its run files each. */
const hasHole = ({ table, cells, seeds }: TableData): boolean =>
  cellsOf(table).some((placed) => {
    const found = cells.get(placeOf(placed));
    return found !== undefined && found.bySeed.size < seeds.length;
  });

async function runFilesOf(folders: readonly string[]): Promise<RunFiles> {
  const read = [];
  for (const folder of folders) read.push(await readRunFiles(folder));
  return {
    isThere: read.some(({ isThere }) => isThere),
    records: read.flatMap(({ records }) => records),
    checkpoints: read.reduce((sum, { checkpoints }) => sum + checkpoints, 0),
    refusals: read.flatMap(({ refusals }) => refusals),
  };
}

/** The tables of all folders. Rejects with DataError for a folder that is not one. */
export async function joinFolders(names: readonly string[]): Promise<Joined> {
  const folders: RunFolder[] = [];
  for (const name of names) folders.push(await readRunFolder(name));
  const { tables, problems } = mergeFolders(folders);
  if (names.length === 1 || !tables.some(hasHole)) return { folders, tables, problems };
  const runs = await runFilesOf(names);
  return { folders, tables: tables.map((each) => (hasHole(each) ? fromRunFiles(each, runs).table : each)), problems };
}

/** The result in a record's file; undefined where it holds none. */
async function resultIn(file: string): Promise<unknown> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(file, 'utf8'))).result;
  } catch {
    return undefined;
  }
}

/** Copies the run files of a folder, each whole or not at all. Two results of the same run have to be the same. */
async function copyRuns(from: string, to: string): Promise<void> {
  const below = path.join(from, 'runs');
  if (!existsSync(below)) return;
  const entries = await readdir(below, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || !/\.(json|safetensors)$/.test(entry.name)) continue;
    const file = path.join(entry.parentPath, entry.name);
    const target = path.join(to, 'runs', path.relative(below, file));
    if (!existsSync(target)) {
      await makeFolder(path.dirname(target));
      await writeWhole(target, await readWhole(file));
    } else if (file.endsWith('.json') && !isDeepStrictEqual(await resultIn(file), await resultIn(target))) {
      throw new DataError(`${file} and ${target} are the same run with different results`, {
        hint: 'Find out which is right with `wgrad verify`, and leave the other folder out',
      });
    }
  }
}

/**
 * Writes a folder with the runs and tables of all these, as one command would have written it. Rejects with DataError where two of them
 * have different results of a run, or where a folder is none.
 */
export async function writeJoined(
  names: readonly string[],
  out: string,
  commandLine: readonly string[],
): Promise<View> {
  const { folders, tables, problems } = await joinFolders(names);
  await makeFolder(out);
  const unlock = await lockFolder(out);
  try {
    for (const name of names) await copyRuns(name, out);
    const facts = new Map<string, DataFacts>();
    for (const { manifest } of folders) {
      for (const [paper, { data }] of Object.entries(manifest?.papers ?? {})) facts.set(paper, data);
    }
    const { records } = await readRunFiles(out);
    const current = records.filter(({ isCurrent }) => isCurrent).map(({ record }) => record);
    const manifest = buildManifest(tables, current, facts, commandLine);
    const view = buildView(tables, [provenanceView(out, manifest)], problems);
    await writeFolder(out, tables, manifest, view);
    return view;
  } finally {
    await unlock();
  }
}
