// Programs in the pages for people. A block that is marked `ts` or `js` is a whole program; a block marked `text` right behind it is
// what it prints. `<!-- given ... -->` right before it holds lines that it needs and a reader does not.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { transform } from 'esbuild';

/** A program of a page. */
export interface Block {
  /** The line of the page where it begins, from 1. */
  readonly line: number;
  readonly code: string;
  /** Lines that come before it. */
  readonly given: string;
  /** What it is said to print; undefined where nothing is said. */
  readonly prints: string | undefined;
}

const pattern = /(?:<!-- given\n([\s\S]*?)-->\n\n?)?```(?:ts|js)\n([\s\S]*?)```(?:\n\n```text\n([\s\S]*?)```)?/g;

export function blocksOf(page: string): Block[] {
  return [...page.matchAll(pattern)].map(({ index, 1: given = '', 2: code, 3: prints }) => ({
    line: page.slice(0, page.indexOf('```', index)).split('\n').length,
    code: code!,
    given,
    prints,
  }));
}

/** Where a call stood is that of the program, whose place is not the reader's. */
const withoutPlaces = (text: string): string =>
  text.replace(/\[at [^\]\n]*\]/g, '[at example.ts:...]').replace(/called at [^\s,]+:\d+/g, 'called at example.ts:...');

/** Spaces at the ends of lines, which pages do not have. */
const trimmed = (text: string): string => text.replace(/ +$/gm, '').trim();

/**
 * Runs a program in a thread of its own, so that each begins with a fresh engine, and returns what it prints. `folder` lies in the
 * checkout, where the package may import itself by its name. Throws what the program throws.
 */
export async function printedBy({ given, code }: Block, folder: string, name: string): Promise<string> {
  const file = path.join(folder, `${name}.mjs`);
  await writeFile(file, (await transform(given + code, { loader: 'ts', target: 'node20' })).code);
  const worker = new Worker(file, { stdout: true, stderr: true });
  let text = '';
  worker.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
  return trimmed(withoutPlaces(text));
}

export const expected = ({ prints = '' }: Block): string => trimmed(prints);
