// The package's type declarations: what tsc says of the public entry points and everything that they mention, in dist/types.
// `npm pack` makes them (prepack); nothing at run time reads them.
//
// tsc leaves `./tensor.ts` in a declaration file as it stands in the source. Node's own resolution wants the name of a file
// that exists beside it, so such names become `./tensor.js`; their length stays, and with it the maps to the sources.
import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { root } from './sources.mjs';

const folder = path.join(root, 'dist/types');
const entryPoints = [
  'engine',
  'engine/io/weights',
  'engine/io/onnx',
  'engine/data',
  'engine/devices/interpreter',
  'models',
  'experiments',
].map((part) => path.join(folder, part, 'index.d.ts'));

/** What the browser's one file holds. */
const browser = `export * from './engine/index.js';\nexport * from './models/index.js';\n`;
const browserWeights = `export * from './engine/io/weights/index.js';\n`;

const specifier = /(?<=(?:\bfrom|\bimport|\bmodule|\bimport\()\s*['"])(\.{1,2}\/[^'"]+)\.ts(?=['"])/g;

/** The declaration files that a consumer reaches, with their text. */
async function reached() {
  const found = new Map();
  const waiting = [...entryPoints];
  for (const file of waiting) {
    if (found.has(file)) continue;
    const text = await readFile(file, 'utf8');
    found.set(file, text);
    for (const [, name] of text.matchAll(specifier)) waiting.push(path.resolve(path.dirname(file), `${name}.d.ts`));
  }
  return found;
}

/** Writes dist/types anew. Throws an error whose message is what tsc says. */
export async function declare() {
  await rm(folder, { recursive: true, force: true });
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  try {
    await promisify(execFile)(process.execPath, [tsc, '-p', path.join(root, '.config/tsconfig.declarations.json')]);
  } catch (error) {
    throw new Error(error.stdout || error.message, { cause: error });
  }
  const files = await reached();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && !files.has(file.replace(/\.map$/, ''))) await rm(file);
  }
  for (const [file, text] of files) await writeFile(file, text.replace(specifier, '$1.js'));
  await writeFile(path.join(folder, 'browser.d.ts'), browser);
  await writeFile(path.join(folder, 'browser-weights.d.ts'), browserWeights);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await declare();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
