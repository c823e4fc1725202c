// Downloads a data set's files from where they are published, checks their SHA-256 and puts them in place by rename, so that
// a file that is there is whole; unpacks archives beside themselves. Leaves out what is there already.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { takes } from '../../engine/call-check.ts';
import { ConfigError, DataError, WgradError } from '../../engine/index.ts';
import { callback, number, optionsWith, record, text } from '../../engine/parameters.ts';
import { mnistFiles } from './mnist.ts';
import { makeFolder, writeWhole } from '../runner/files.ts';
import { oxfordPetArchives } from './oxford-pets.ts';
import { unpackTarGz } from './tar.ts';

export interface DataSet {
  readonly folder: string;
  /** Base addresses, the first that answers is taken. */
  readonly origins: readonly string[];
  /** File names and their published SHA-256. */
  readonly files: Readonly<Record<string, string>>;
  /** The files are tar.gz archives, to be unpacked where they lie. */
  readonly archives?: boolean;
}

/** Data sets that can be fetched, by name. */
export const dataSets: Readonly<Record<string, DataSet>> = {
  mnist: {
    folder: 'mnist',
    origins: ['https://ossci-datasets.s3.amazonaws.com/mnist/', 'http://yann.lecun.com/exdb/mnist/'],
    files: mnistFiles,
  },
  'oxford-iiit-pet': {
    folder: 'oxford-iiit-pet',
    origins: ['https://www.robots.ox.ac.uk/~vgg/data/pets/data/'],
    files: oxfordPetArchives,
    archives: true,
  },
};

export interface FetchOptions {
  /** Base address to use instead of the published ones. */
  origin?: string | undefined;
  /** Told of each file as it is done. */
  report?: (file: string, state: 'present' | 'fetched') => void;
  /** Milliseconds without a byte after which a download is given up. */
  idleLimit?: number;
}

async function sha256OfFile(file: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return hash.digest('hex');
}

/** Downloads one address to `target`. Nothing is left behind when it fails. */
async function download(url: string, target: string, sha256: string, idleLimit: number): Promise<void> {
  const partial = `${target}.${randomBytes(4).toString('hex')}.part`;
  const idle = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const touch = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => idle.abort(new Error(`no data for ${idleLimit / 1000} s`)), idleLimit);
  };
  try {
    touch();
    const response = await fetch(url, { signal: idle.signal });
    if (!response.ok || !response.body) {
      throw new DataError(`${url} cannot be fetched`, { given: `HTTP status ${response.status}` });
    }
    const hash = createHash('sha256');
    const file = await open(partial, 'wx');
    try {
      for await (const chunk of response.body) {
        touch();
        hash.update(chunk as Uint8Array);
        await file.write(chunk as Uint8Array);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    const found = hash.digest('hex');
    if (found !== sha256) {
      throw new DataError(`${url} is not the published file`, { expected: `SHA-256 ${sha256}`, given: found });
    }
    await rename(partial, target);
  } catch (error) {
    if (error instanceof WgradError) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error);
    throw new DataError(`${url} cannot be fetched`, { given: cause.message, cause: error });
  } finally {
    clearTimeout(timer);
    await rm(partial, { force: true });
  }
}

/** Unpacks an archive unless that has been done to its end before: a file beside it tells. */
async function unpackOnce(archive: string, sha256: string): Promise<void> {
  const done = `${archive}.unpacked`;
  if ((await readFile(done, 'utf8').catch(() => '')) === sha256) return;
  await unpackTarGz(archive, path.dirname(archive));
  await writeWhole(done, sha256);
}

const fetching = optionsWith<FetchOptions>({ origin: text, report: callback, idleLimit: number });
const takesName = takes('fetchDataSet', { name: text, to: text, options: fetching });
const takesDataSet = takes('fetchFiles', { dataSet: record, to: text, options: fetching });

/** Fetches a data set by name into `to`/<its folder>. Throws ConfigError for an unknown name, else as `fetchFiles`. */
export async function fetchDataSet(...args: [name: string, to: string, options?: FetchOptions]): Promise<string> {
  const [name, to, options] = takesName(args);
  const dataSet = Object.hasOwn(dataSets, name) ? dataSets[name] : undefined;
  if (!dataSet) {
    throw new ConfigError(`no data set '${name}' to fetch`, { expected: Object.keys(dataSets).join(', ') });
  }
  return fetchFiles(dataSet, to, options);
}

/**
 * Fetches the files of a data set into `to`/<its folder> and returns that folder. Throws DataError, naming the address, when
 * no origin gives the published bytes. Files fetched before the failure stay.
 */
export async function fetchFiles(...args: [dataSet: DataSet, to: string, options?: FetchOptions]): Promise<string> {
  const [dataSet, to, options = {}] = takesDataSet(args);
  const folder = path.join(to, dataSet.folder);
  await makeFolder(folder);
  const origins = options.origin === undefined ? dataSet.origins : [options.origin];
  for (const [file, sha256] of Object.entries(dataSet.files)) {
    const target = path.join(folder, file);
    if ((await sha256OfFile(target)) === sha256) {
      options.report?.(target, 'present');
      if (dataSet.archives) await unpackOnce(target, sha256);
      continue;
    }
    let failure: unknown;
    for (const origin of origins) {
      failure = undefined;
      try {
        const url = new URL(file, origin.endsWith('/') ? origin : `${origin}/`);
        await download(url.href, target, sha256, options.idleLimit ?? 30_000);
        break;
      } catch (error) {
        failure = error;
      }
    }
    if (failure) throw failure as Error;
    options.report?.(target, 'fetched');
    if (dataSet.archives) await unpackOnce(target, sha256);
  }
  return folder;
}
