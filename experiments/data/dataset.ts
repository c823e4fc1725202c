// A data set as a record: where it comes from, how its files lie, how they are read and checked, and what stands in for them. The
// commands of `wgrad data`, the page docs/data.md and the papers' choice between real data and stand-in are all made from it.
import path from 'node:path';
import { ConfigError, DataError } from '../../engine/index.ts';
import { contentOf } from '../../engine/io/content.ts';
import type { DataFacts, PresetName } from '../runner/paper.ts';
import { beginningOf } from './files.ts';
import { archivesIn, isFolder, locate, type PassedOver } from './listing.ts';

/** What every loaded data set says of itself, real or generated. */
export interface LoadedData {
  /** What reports call the data. */
  readonly name: string;
  /** False for a generated stand-in. */
  readonly real: boolean;
  /** SHA-256 of what is behind it, by name. Empty for generated data. */
  readonly checksums: Readonly<Record<string, string>>;
  /** What the listing of its folders did not take. */
  readonly passedOver?: PassedOver;
}

/** What `wgrad data check` finds in a folder. */
export interface DataCheck {
  readonly folder: string;
  /** Lines of `what: how many`. */
  readonly counts: Readonly<Record<string, string | number>>;
  readonly passedOver: PassedOver;
  /** What is no fault and still should be looked at. */
  readonly doubts: readonly string[];
  /** The first fault; its message names the file and the byte. */
  readonly fault: DataError | undefined;
}

/** Facts of a data set: all that can be said without its files. */
export interface DataSetRecord {
  /** Name on the command line. */
  readonly name: string;
  readonly title: string;
  /** One sentence: what it holds and what it is used for. */
  readonly content: string;
  readonly licence: string;
  /** Of the download, roughly. */
  readonly size: string;
  /** The page where it is described. */
  readonly page: string;
  /** The folder below `--data`. */
  readonly folder: string;
  /** The layouts that are accepted, one line each, below `--data` (DIR). */
  readonly layouts: readonly string[];
  /** Base addresses to fetch the files from, in the order in which they are tried. Empty where no command can. */
  readonly origins: readonly string[];
  /** Names of the files to fetch, with their SHA-256. */
  readonly files: Readonly<Record<string, string>>;
  /** The files are tar.gz archives, to be unpacked where they lie. */
  readonly archives?: boolean;
  /** The steps by which a person gets it, one line each. */
  readonly byHand: readonly string[];
  /** What is generated in its place, in words. */
  readonly standInName: string;
  /** Whether a folder holds any of its files. */
  holds(folder: string): Promise<boolean>;
  /** Reads everything in a folder that holds it, and tells how far it is. */
  check(folder: string, progress: (done: number, total: number) => void): Promise<DataCheck>;
}

/** A data set that a paper can ask for: `Request` says how much of it. */
export interface DataSet<Loaded extends LoadedData, Request> extends DataSetRecord {
  /** Reads a folder that holds it. Throws DataError naming the file, and the byte where it is known. */
  load(folder: string, request: Request): Promise<Loaded>;
  standIn(request: Request): Loaded | Promise<Loaded>;
  /** Looks at a few of the files before a training. Returns doubts; throws DataError for what must not be trained on. */
  inspect?(loaded: Loaded): Promise<readonly string[]>;
}

/** Whether `fetchDataSet` can get a data set: some are behind forms and terms. */
export const canFetch = ({ origins }: DataSetRecord): boolean => origins.length > 0;

/** What a person does to get a data set, as a sentence for a hint. */
export const howToGet = (set: DataSetRecord, to: string): string =>
  canFetch(set)
    ? `Fetch it with \`wgrad data fetch ${set.name} --to ${to}\``
    : `\`wgrad data show ${set.name}\` says where it comes from and how to lay out its files`;

/** What stands in the place of a data set, where that helps: a file, nothing, or archives that have not been unpacked. */
async function whatIsThere({ folder }: DataSetRecord, data: string): Promise<string | undefined> {
  if (!(await isFolder(data))) {
    const beginning = await beginningOf(data);
    const content = beginning && contentOf(beginning);
    return content ? `${content.name} in place of a folder` : `no folder '${data}'`;
  }
  const archives = await archivesIn([data, path.join(data, folder)]);
  return archives.length > 0 ? `${archives.join(', ')}, not unpacked` : undefined;
}

/** The folder below `data` (or `data` itself) that holds a data set. Throws DataError where there is none. */
export async function folderOf(set: DataSetRecord, data: string): Promise<string> {
  const folder = await locate(data, set.folder, (candidate) => set.holds(candidate));
  if (folder !== undefined) return folder;
  const layouts = canFetch(set) ? `; \`wgrad data show ${set.name}\` lists the layouts that are accepted` : '';
  throw new DataError(`there is no ${set.title} in '${data.replace(/[/\\]+$/, '')}/${set.folder}'`, {
    expected: set.layouts[0],
    given: await whatIsThere(set, data),
    hint: `${howToGet(set, data)}${layouts}`,
  });
}

/** What a paper asks for. */
export interface DataWish<Request> {
  readonly paper: string;
  readonly preset: PresetName;
  /** The folder of real data; without one the stand-in is taken, except for the preset `paper`. */
  readonly data: string | undefined;
  readonly request: Request;
}

const loadedSets = new Map<string, Promise<LoadedData>>();

/**
 * The real data below `data`; without a folder the stand-in. Loaded once for each process. Rejects with ConfigError where the
 * preset `paper` has no folder, with DataError where the folder does not hold the data set or a file is damaged.
 */
export function dataFor<Loaded extends LoadedData, Request>(
  set: DataSet<Loaded, Request>,
  { paper, preset, data, request }: DataWish<Request>,
): Promise<Loaded> {
  if (data === undefined && preset === 'paper') {
    const error = new ConfigError(`the preset paper of ${paper} needs the real ${set.title}`, {
      hint: `${howToGet(set, 'DIR')}; pass \`--data DIR\`, or take \`--preset laptop\``,
    });
    return Promise.reject(error);
  }
  const key = JSON.stringify([set.name, data, request]);
  const known = loadedSets.get(key) as Promise<Loaded> | undefined;
  if (known) return known;
  const load = async (): Promise<Loaded> =>
    data === undefined ? set.standIn(request) : set.load(await folderOf(set, data), request);
  const loading = load();
  loadedSets.set(key, loading);
  // What has failed may be mended and asked for again.
  loading.catch(() => loadedSets.delete(key));
  return loading;
}

/** What the data of a wish are, for reports and fingerprints, with what is to be said aloud. Rejects as `dataFor`. */
export async function dataFactsFor<Loaded extends LoadedData, Request>(
  set: DataSet<Loaded, Request>,
  wish: DataWish<Request>,
): Promise<DataFacts> {
  const loaded = await dataFor(set, wish);
  const { name, real, checksums, passedOver } = loaded;
  const doubts = real && set.inspect ? await set.inspect(loaded) : [];
  const remarks = [passedOver?.describe() ?? [], doubts].flat();
  return { name, real, checksums, ...(remarks.length > 0 ? { remarks } : {}) };
}

/** A paper's data set: what it is under a preset, and the part of it that a run asks for. */
export const dataOf = <Loaded extends LoadedData, Request>(
  paper: string,
  set: DataSet<Loaded, Request>,
  requestOf: (preset: PresetName) => Request,
) => ({
  facts: (preset: PresetName, data: string | undefined): Promise<DataFacts> =>
    dataFactsFor(set, { paper, preset, data, request: requestOf(preset) }),
  load: (preset: PresetName, data: string | undefined, request = requestOf(preset)): Promise<Loaded> =>
    dataFor(set, { paper, preset, data, request }),
});

/** Runs the parts of a check to the first DataError, which becomes its fault. */
export async function firstFault(work: () => Promise<void>): Promise<DataError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
}
