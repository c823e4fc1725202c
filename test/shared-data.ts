// Places beside the tests: the checkout, and data that lie beside it in ../shared and are not part of it. Tests that need
// those skip where they are absent.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: the nearest folder above this file, built or not, that holds package.json. */
export function repositoryRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json')) && folder !== path.dirname(folder)) {
    folder = path.dirname(folder);
  }
  return folder;
}

/** The path of a shared file or folder, or undefined if it is not there. */
export function sharedData(name: string): string | undefined {
  const file = path.join(repositoryRoot(), '..', 'shared', name);
  return existsSync(file) ? file : undefined;
}
