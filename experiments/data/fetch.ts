// Fetches a data set's files from where they are published or from a mirror, each checked by its SHA-256, so that a file that is there
// is whole; unpacks archives beside themselves. Leaves out what is there already.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { takes } from '../../engine/call-check.ts';
import { ConfigError, DataError } from '../../engine/index.ts';
import { callback, number, optionsWith, record, text } from '../../engine/parameters.ts';
import { makeFolder, writeWhole } from '../runner/files.ts';
import type { DataSetRecord } from './dataset.ts';
import { download } from './download.ts';
import { sha256OfFile } from './files.ts';
import { unpackTarGz } from './formats/tar.ts';
import { dataSets } from './sets/index.ts';

/** What fetching must know of a data set. */
export type FetchedSet = Pick<DataSetRecord, 'folder' | 'origins' | 'files' | 'archives'> &
  Partial<Pick<DataSetRecord, 'byHand'>>;

/** Options of `fetchDataSet`. */
export interface FetchOptions {
  /** Base address to use instead of the published ones. */
  origin?: string | undefined;
  /** Told of each file as it is done. */
  report?: (file: string, state: 'present' | 'fetched') => void;
  /** Told of an origin that failed before the next one is tried. */
  refused?: (error: DataError) => void;
  /** Milliseconds without a byte after which a download is given up. */
  idleLimit?: number;
}

/** Milliseconds. */
const IDLE_LIMIT = 30_000;

/** Unpacks an archive unless that has been done to its end before: a file beside it tells. */
async function unpackOnce(archive: string, sha256: string): Promise<void> {
  const done = `${archive}.unpacked`;
  if ((await readFile(done, 'utf8').catch(() => '')) === sha256) return;
  await unpackTarGz(archive, path.dirname(archive));
  await writeWhole(done, sha256);
}

const fetching = optionsWith<FetchOptions>({ origin: text, report: callback, refused: callback, idleLimit: number });
const takesName = takes('fetchDataSet', { name: text, to: text, options: fetching });
const takesDataSet = takes('fetchFiles', { dataSet: record, to: text, options: fetching });

/** Fetches a data set by name into `to`/<its folder>. Throws ConfigError for an unknown name, else as `fetchFiles`. */
export async function fetchDataSet(...args: [name: string, to: string, options?: FetchOptions]): Promise<string> {
  const [name, to, options] = takesName(args);
  const dataSet = Object.hasOwn(dataSets, name) ? dataSets[name] : undefined;
  const fetched = Object.values(dataSets).filter(({ origins }) => origins.length > 0);
  if (!dataSet || !fetched.includes(dataSet)) {
    throw new ConfigError(`no data set '${name}' to fetch`, { expected: fetched.map((each) => each.name).join(', ') });
  }
  return fetchFiles(dataSet, to, options);
}

const addressOf = (origin: string, file: string): string =>
  new URL(file, origin.endsWith('/') ? origin : `${origin}/`).href;

/** A failure in one clause. */
function clause({ reason, details: { expected, given } }: DataError): string {
  const facts = [expected && `expected ${expected}`, given && `got ${given}`].filter(Boolean).join(', ');
  return facts ? `${reason} (${facts})` : reason;
}

/** The error when no origin gives a file: what each said, and what a person can do. */
function allRefused({ byHand }: FetchedSet, target: string, failures: readonly DataError[]): DataError {
  const steps = byHand?.join(' ') ?? `Download it in a browser into ${path.dirname(target)}.`;
  return new DataError(`${target} cannot be fetched`, {
    given: failures.map(clause).join('; ') || 'no origin to ask',
    hint: `By hand: ${steps} Then the same command checks what is there`,
    cause: failures[0],
  });
}

/**
 * Fetches the files of a data set into `to`/<its folder> and returns that folder. Throws DataError, naming the addresses, when
 * no origin gives the published bytes. Files fetched before the failure stay, as do parts, from which the next call goes on.
 */
export async function fetchFiles(...args: [dataSet: FetchedSet, to: string, options?: FetchOptions]): Promise<string> {
  const [dataSet, to, options = {}] = takesDataSet(args);
  const folder = path.join(to, dataSet.folder);
  await makeFolder(folder);
  // An origin that has failed is asked last for the next file.
  let origins = options.origin === undefined ? [...dataSet.origins] : [options.origin];
  for (const [file, sha256] of Object.entries(dataSet.files)) {
    const target = path.join(folder, file);
    let state: 'present' | 'fetched' = 'present';
    if ((await sha256OfFile(target)) !== sha256) {
      state = 'fetched';
      const failures: DataError[] = [];
      for (const origin of origins) {
        try {
          await download(addressOf(origin, file), target, sha256, options.idleLimit ?? IDLE_LIMIT);
          break;
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
          failures.push(error);
          if (failures.length < origins.length) options.refused?.(error);
        }
      }
      if (failures.length === origins.length) throw allRefused(dataSet, target, failures);
      origins = [...origins.slice(failures.length), ...origins.slice(0, failures.length)];
    }
    options.report?.(target, state);
    if (dataSet.archives) await unpackOnce(target, sha256);
  }
  return folder;
}
