// Where the four files of MNIST lie and what they are called: `train-images-idx3-ubyte` as published or `train-images.idx3-ubyte` as
// some programs unpack it, gzipped or not, in the folder itself, in torchvision's MNIST/raw, or each in a folder of its own name.
import path from 'node:path';
import { DataError } from '../../../engine/index.ts';
import { filesIn, foldersIn, isFolder, type ListedFile, PassedOver } from '../listing.ts';

/** The four files, in the order of the official page. */
export const mnistRoles = ['train-images', 'train-labels', 't10k-images', 't10k-labels'] as const;
export type MnistRole = (typeof mnistRoles)[number];

export interface MnistFiles {
  readonly paths: Readonly<Record<MnistRole, string>>;
  readonly passedOver: PassedOver;
}

/** Folders below the data set's own where the files may lie. */
const places = ['.', 'raw', path.join('MNIST', 'raw')] as const;
const EXTENSIONS = ['.gz', 'ubyte'] as const;
const pattern = /^(train|t10k)-(images|labels)[-.]idx[13]-ubyte(\.gz)?$/i;

const roleOf = (file: string): MnistRole | undefined => {
  const [, part, kind] = pattern.exec(path.basename(file)) ?? [];
  return part && kind ? (`${part}-${kind}`.toLowerCase() as MnistRole) : undefined;
};

/** The published name first, then other gzip files. */
const rank = (file: string): number => (/-idx[13]-ubyte\.gz$/.test(file) ? 0 : /\.gz$/i.test(file) ? 1 : 2);

/** The files of a folder that have a role, and those in folders of such a name. */
async function candidatesIn(folder: string, passedOver: PassedOver): Promise<ListedFile[]> {
  const found = await filesIn(folder, EXTENSIONS, passedOver);
  for (const name of await foldersIn(folder, new PassedOver())) {
    if (roleOf(name) === undefined) continue;
    passedOver.delete(path.join(folder, name));
    found.push(...(await filesIn(path.join(folder, name), EXTENSIONS, passedOver)));
  }
  return found;
}

/** Whether a folder, or one of the places below it, holds any of the files. */
export async function holdsMnist(folder: string): Promise<boolean> {
  for (const place of places) {
    const whole = path.join(folder, place);
    if (!(await isFolder(whole))) continue;
    const files = await candidatesIn(whole, new PassedOver());
    if (files.some((file) => roleOf(file.path) !== undefined)) return true;
  }
  return false;
}

/** The four files of a folder. Throws DataError with the names of those that are not there. */
export async function findMnist(folder: string): Promise<MnistFiles> {
  const passedOver = new PassedOver();
  const paths: Partial<Record<MnistRole, string>> = {};
  for (const place of places) {
    const whole = path.join(folder, place);
    if (!(await isFolder(whole))) continue;
    const candidates = (await candidatesIn(whole, passedOver)).sort((a, b) => rank(a.path) - rank(b.path));
    for (const { path: file } of candidates) {
      const role = roleOf(file);
      if (role === undefined) passedOver.add('extension', file);
      else if (paths[role] === undefined) paths[role] = file;
      else passedOver.add('twice', file);
    }
    // A folder that was looked into is not one that was passed over.
    for (const inner of ['raw', 'MNIST']) passedOver.delete(path.join(whole, inner));
  }
  const missing = mnistRoles.filter((role) => paths[role] === undefined);
  if (missing.length > 0) {
    const names = missing.map((role) => `${role}-idx${role.endsWith('images') ? 3 : 1}-ubyte`);
    throw new DataError(`${folder} lacks ${missing.length} of the four files of MNIST`, {
      expected: `${names.join(', ')}, gzipped or not`,
      given: passedOver.describe(),
      hint: 'Fetch the data with `wgrad data fetch mnist --to DIR` and pass `--data DIR`',
    });
  }
  return { paths: paths as Record<MnistRole, string>, passedOver };
}
