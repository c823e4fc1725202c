// Where an operation is declared and what its comment says, read from the sources. An installed package has none: there the
// answer is that nothing is known.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { checkout } from '../../checkout.ts';

export interface Declaration {
  /** Relative to the checkout. */
  file: string;
  /** First sentence of the comment above it; empty where there is none. */
  comment: string;
}

/** The text of a comment block as one line. */
const plain = (block: string): string =>
  block
    .replace(/^\/\*\*|\*\/$/g, '')
    .replace(/^\s*\* ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim();

/** The comment that ends right before `at`. */
function commentBefore(text: string, at: number): string {
  const block = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/.exec(text.slice(0, at))?.[0];
  return block ? plain(block.trim()) : '';
}

/** The declaration of the operation `name` in the file of its family, or undefined. */
export function findDeclaration(name: string, family: string): Declaration | undefined {
  const file = `engine/ops/${family}.ts`;
  const full = path.join(checkout(), file);
  if (!existsSync(full)) return undefined;
  const text = readFileSync(full, 'utf8');
  const exported = new RegExp(`^export (?:const|function) ${name}\\b`, 'm').exec(text);
  if (exported) return { file, comment: commentBefore(text, exported.index) };
  const named = text.indexOf(`'${name}'`);
  const start = named < 0 ? -1 : text.lastIndexOf('\nconst ', named);
  return { file, comment: start < 0 ? '' : commentBefore(text, start + 1) };
}
