// One way to list a data set's folders. File managers and people leave things beside the data: hidden files, the `._NAME` companions
// of macOS, thumbnails, notes. They are passed over, counted and told; extensions are compared without regard to case, and links
// are followed. Leaves out going down into folders: a layout names its own.
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from '../../engine/index.ts';

/** Names that systems and file managers put into folders, in small letters. */
const systemNames = new Set([
  'thumbs.db',
  'ehthumbs.db',
  'desktop.ini',
  'icon\r',
  '__macosx',
  '@eadir',
  'lost+found',
  '$recycle.bin',
  'system volume information',
]);

/** Whether a name belongs to no data set: hidden, or put there by a system. */
export const isStray = (name: string): boolean => name.startsWith('.') || systemNames.has(name.toLowerCase());

/** Why something was passed over. */
export const passedOverReasons = {
  stray: 'hidden or of the system',
  extension: 'of another kind',
  folder: 'folder in place of a file',
  file: 'file in place of a folder',
  link: 'link to nothing',
  twice: 'with the name of another',
  empty: 'empty folder',
} as const;
/** Why a listing did not take a file. */
export type PassedOverReason = keyof typeof passedOverReasons;

/** Names shown of each reason. */
const SHOWN = 3;

/** What listings did not take, by reason. */
export class PassedOver {
  readonly #paths = new Map<PassedOverReason, Set<string>>();

  add(reason: PassedOverReason, file: string): void {
    const paths = this.#paths.get(reason) ?? new Set();
    this.#paths.set(reason, paths.add(file));
  }

  /** Everything that `other` has counted too. */
  addAll(other: PassedOver): void {
    for (const [reason, paths] of other.#paths) for (const file of paths) this.add(reason, file);
  }

  /** Takes back what has been used after all. */
  delete(file: string): void {
    for (const paths of this.#paths.values()) paths.delete(file);
  }

  get count(): number {
    return [...this.#paths.values()].reduce((sum, paths) => sum + paths.size, 0);
  }

  /** `passed over: 3 hidden or of the system (.DS_Store, ...), 1 of another kind (notes.txt)`; undefined for nothing. */
  describe(): string | undefined {
    if (this.count === 0) return undefined;
    const parts = [...this.#paths]
      .filter(([, paths]) => paths.size > 0)
      .map(([reason, paths]) => {
        const names = [...paths].slice(0, SHOWN).map((file) => path.basename(file).replace('\r', ''));
        return `${paths.size} ${passedOverReasons[reason]} (${names.join(', ')}${paths.size > SHOWN ? ', ...' : ''})`;
      });
    return `passed over: ${parts.join(', ')}`;
  }
}

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The entries of a folder; none where it is not there. Throws DataError where it cannot be read, or is a file. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new DataError(`${folder} cannot be listed`, {
      given: code,
      hint: code === 'ENOTDIR' ? 'A file stands where the data set has a folder' : undefined,
      cause,
    });
  }
}

type Kind = 'file' | 'folder' | 'other' | 'nothing';

async function kindOf(folder: string, entry: Dirent): Promise<Kind> {
  const facts = entry.isSymbolicLink() ? await stat(path.join(folder, entry.name)).catch(() => undefined) : entry;
  if (!facts) return 'nothing';
  return facts.isFile() ? 'file' : facts.isDirectory() ? 'folder' : 'other';
}

/** A file of a listing. */
export interface ListedFile {
  /** The name without its extension, by which the files of a sample belong together. */
  readonly stem: string;
  readonly path: string;
}

/**
 * The files of a folder with one of these extensions (in small letters, with their dot), sorted by stem; none where there is no
 * folder. What else lies there is added to `passedOver`.
 */
export async function filesIn(
  folder: string,
  extensions: readonly string[],
  passedOver: PassedOver,
): Promise<ListedFile[]> {
  const files = new Map<string, ListedFile>();
  const entries = (await entriesOf(folder)).sort((a, b) => byName(a.name, b.name));
  for (const entry of entries) {
    const { name } = entry;
    const whole = path.join(folder, name);
    const extension = extensions.find((each) => name.toLowerCase().endsWith(each));
    const kind = isStray(name) ? 'stray' : await kindOf(folder, entry);
    const stem = name.slice(0, name.length - (extension?.length ?? 0));
    if (kind === 'stray') passedOver.add('stray', whole);
    else if (kind === 'folder') passedOver.add('folder', whole);
    else if (kind === 'nothing') passedOver.add('link', whole);
    else if (kind === 'other' || extension === undefined) passedOver.add('extension', whole);
    // On a file system that tells capitals apart, a.png and a.PNG may both be there.
    else if (files.has(stem)) passedOver.add('twice', whole);
    else files.set(stem, { stem, path: whole });
  }
  return [...files.values()].sort((a, b) => byName(a.stem, b.stem));
}

/** The names of the folders in a folder, sorted; none where there is no folder. What else lies there is added to `passedOver`. */
export async function foldersIn(folder: string, passedOver: PassedOver): Promise<string[]> {
  const folders: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const whole = path.join(folder, entry.name);
    const kind = isStray(entry.name) ? 'stray' : await kindOf(folder, entry);
    if (kind === 'folder') folders.push(entry.name);
    else passedOver.add(kind === 'stray' ? 'stray' : kind === 'nothing' ? 'link' : 'file', whole);
  }
  return folders.sort(byName);
}

/** Whether there is a folder of this path. */
export const isFolder = (folder: string): Promise<boolean> =>
  stat(folder).then(
    (facts) => facts.isDirectory(),
    () => false,
  );

/** The first of some folders that is there, or undefined. */
export async function firstFolder(folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) if (await isFolder(folder)) return folder;
  return undefined;
}

/** A folder's subfolders of this name in whatever capitals, that of exactly this name first. */
async function subfolders(folder: string, name: string): Promise<string[]> {
  const names = (await isFolder(folder)) ? await foldersIn(folder, new PassedOver()) : [];
  const alike = names.filter((each) => each.toLowerCase() === name.toLowerCase());
  return alike.sort((a, b) => Number(b === name) - Number(a === name)).map((each) => path.join(folder, each));
}

/**
 * The folder of a data set below what was given as `--data`: the subfolder of its name in whatever capitals, the same once more
 * inside (as unpacking makes it), or the given folder itself; the first of them that `holds` it. Undefined where none does.
 */
export async function locate(
  data: string,
  name: string,
  holds: (folder: string) => Promise<boolean>,
): Promise<string | undefined> {
  const named = await subfolders(data, name);
  const inner = await Promise.all(named.map((folder) => subfolders(folder, name)));
  for (const folder of [...named, ...inner.flat(), data]) if (await holds(folder)) return folder;
  return undefined;
}

const ARCHIVES = ['.zip', '.tar', '.gz', '.tgz', '.bz2', '.xz', '.7z', '.rar'] as const;

/** Archives in some folders, which may not have been unpacked. */
export async function archivesIn(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    if (!(await isFolder(folder))) continue;
    found.push(...(await filesIn(folder, ARCHIVES, new PassedOver())).map((file) => file.path));
  }
  return found;
}
