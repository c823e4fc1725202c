// `wgrad check`: every cell, claim and verdict of a run folder computed anew, from the run files or, where a folder has none, from
// the values by seed; and what is missing, damaged, edited, or stale: no longer what this version would make of it.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { tableView } from '../report/table-view.ts';
import { asJson, type Difference, differences, placeText, valueText } from './difference.ts';
import { readRunFolder, type RunFolder } from './read-results.ts';
import { tableFiles, writeTableFiles } from './result-files.ts';
import type { TableData } from './results.ts';
import { fromRunFiles, readRunFiles, type RunFiles } from './run-files.ts';
import { agrees, runsOf, settingsOf } from './runs.ts';
import { readSealed, type SealState, withoutSeal, writeSealed } from './seal.ts';
import { RESULT_VERSION } from './store.ts';

export interface Fault {
  readonly kind: 'missing' | 'damaged' | 'stale' | 'edited';
  readonly file: string;
  readonly what: string;
}

export interface Checked {
  readonly faults: readonly Fault[];
  readonly tables: number;
  /** Finished runs whose files were read; 0 where the numbers were checked from the tables' own values. */
  readonly runs: number;
  readonly checkpoints: number;
}

const tableFileNames = ['results.json', 'controls.json', 'claims.json', 'curves.json', 'panels.json', 'runs.json'];
const NOT_AS_WRITTEN = 'its content is not what was written: its checksum does not match';
const NO_CHECKSUM = 'it has no checksum: it was written by an earlier version';

const shouldBe = (difference: Difference): string =>
  `${placeText(difference)} is ${valueText(difference.a)}, should be ${valueText(difference.b)}`;

/** The first of several differences, and how many there are besides. */
const firstOf = ([first, ...more]: readonly Difference[]): string =>
  `${shouldBe(first!)}${more.length > 0 ? `, and ${more.length} more` : ''}`;

class Checker {
  readonly faults: Fault[] = [];
  readonly #folder: RunFolder;
  readonly #runs: RunFiles;

  constructor(folder: RunFolder, runs: RunFiles) {
    this.#folder = folder;
    this.#runs = runs;
    for (const { file, kind, what } of [...folder.refusals, ...runs.refusals]) this.fault(kind, file, what);
  }

  fault(kind: Fault['kind'], file: string, what: string): void {
    this.faults.push({ kind, file, what });
  }

  isRefused(file: string): boolean {
    return this.faults.some((fault) => fault.file === file && fault.kind === 'damaged');
  }

  /** The content of a file; undefined if it is not there, or damaged, which is named once. */
  async content(file: string): Promise<{ value: object; seal: SealState } | undefined> {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const { value, seal } = readSealed(text);
      if (typeof value === 'object' && value !== null) return { value, seal };
      throw new SyntaxError('it does not hold an object');
    } catch (error) {
      if (!this.isRefused(file)) this.fault('damaged', file, (error as Error).message);
      return undefined;
    }
  }

  async manifest(): Promise<void> {
    const file = path.join(this.#folder.folder, 'manifest.json');
    const read = await this.content(file);
    if (!read) {
      if (!this.isRefused(file)) this.fault('missing', file, 'nothing says where the numbers came from');
      return;
    }
    this.seal(file, read.seal);
    const { resultVersion = RESULT_VERSION } = this.#folder.manifest ?? {};
    if (resultVersion !== RESULT_VERSION) {
      this.fault('stale', file, `made by version ${resultVersion} of the trainer, not ${RESULT_VERSION}`);
    }
  }

  /** Names a file that is not as it was written. */
  seal(file: string, seal: SealState): void {
    if (seal === 'broken') this.fault('edited', file, NOT_AS_WRITTEN);
    if (seal === 'absent') this.fault('stale', file, NO_CHECKSUM);
  }

  runFiles(): void {
    for (const { file, seal } of this.#runs.records) this.seal(file, seal);
  }

  settings({ table, preset, set, settings }: TableData, place: string): void {
    for (const run of runsOf(table)) {
      const recorded = asJson(settings.get(run.key));
      const now = asJson(settingsOf(run, preset, set));
      if (!settings.has(run.key)) {
        this.fault('missing', place, `the settings of run '${run.key}' are not recorded`);
      } else if (!agrees(recorded, now)) {
        const other = firstOf(differences(recorded, now).filter(({ a }) => a !== undefined));
        this.fault('stale', place, `run '${run.key}' was made with other settings than it has now: ${other}`);
      }
    }
  }

  async table(known: TableData, place: string): Promise<void> {
    this.settings(known, place);
    const { table, absent } = this.#runs.isThere ? fromRunFiles(known, this.#runs) : { table: known, absent: [] };
    for (const run of absent)
      this.fault('missing', place, `there is no complete file of ${run}, made as the table says`);
    const expected = await tableFiles(table, tableView(table));
    for (const name of tableFileNames) {
      const file = path.join(place, name);
      const written = await this.content(file);
      const wanted = expected.get(name);
      if (!written) {
        if (wanted && !this.isRefused(file)) this.fault('missing', file, 'the table has such a file');
        continue;
      }
      if (!wanted) {
        this.fault('stale', file, 'the table has nothing to say there');
        continue;
      }
      const found = this.compare(written.value, wanted);
      const kind = written.seal === 'broken' ? 'edited' : 'stale';
      for (const what of found) this.fault(kind, file, what);
      if (found.length === 0 || kind === 'stale') this.seal(file, written.seal);
    }
  }

  /** One line for each entry (cell, claim, line, run) that is not as it should be. */
  compare(written: object, wanted: object): string[] {
    const found = differences(withoutSeal(written), asJson(wanted)).filter(({ at }) => at.at(-1) !== 'reason');
    const byEntry = new Map<string, Difference[]>();
    for (const each of found) {
      const entry = JSON.stringify(each.at.slice(0, 2));
      byEntry.set(entry, [...(byEntry.get(entry) ?? []), each]);
    }
    return [...byEntry.values()].map(firstOf);
  }

  /** The list of all tables, where the folder has one, repeats what stands in their own files. */
  async list(): Promise<void> {
    const file = path.join(this.#folder.folder, 'results.json');
    const { value: list, seal = 'absent' } = (await this.content(file)) ?? {};
    if (!list || !('tables' in list) || !Array.isArray(list.tables)) return;
    this.seal(file, seal);
    for (const entry of list.tables as readonly { paper?: unknown; table?: unknown }[]) {
      const name = `${String(entry.paper)}/${String(entry.table)}`;
      const known = this.#folder.tables.find(({ paper, table }) => `${paper.name}/${table.name}` === name);
      const place = path.join(this.#folder.places.get(known!) ?? path.join(this.#folder.folder, name), 'results.json');
      const written = await this.content(place);
      if (written) {
        const kind = seal === 'broken' ? 'edited' : 'stale';
        for (const what of this.compare(entry, withoutSeal(written.value))) this.fault(kind, file, `${name}: ${what}`);
      } else if (!this.isRefused(place)) this.fault('missing', place, 'the list of all tables has it');
    }
  }
}

/** Checks a run folder. Throws DataError where there is none. */
export async function checkFolder(folder: string): Promise<Checked> {
  const read = await readRunFolder(folder);
  const runs = await readRunFiles(folder);
  const checker = new Checker(read, runs);
  await checker.manifest();
  checker.runFiles();
  for (const [known, place] of read.places) await checker.table(known, place);
  await checker.list();
  const { faults } = checker;
  return { faults, tables: read.tables.length, runs: runs.records.length, checkpoints: runs.checkpoints };
}

/**
 * Writes the tables of a folder anew from their values, judged by this version, where no fault is worse than stale; the values
 * stay as they are. Returns the faults that stand against it.
 */
export async function rewriteFolder(folder: string): Promise<readonly Fault[]> {
  const worse = (await checkFolder(folder)).faults.filter(({ kind }) => kind !== 'stale');
  if (worse.length > 0) return worse;
  const { places } = await readRunFolder(folder);
  for (const [known, place] of places) await writeTableFiles(place, await tableFiles(known, tableView(known)));
  const file = path.join(folder, 'manifest.json');
  const manifest = readSealed(await readFile(file, 'utf8'));
  if (manifest.seal === 'absent') await writeSealed(file, manifest.value as object);
  return [];
}
