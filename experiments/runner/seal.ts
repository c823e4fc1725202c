// A checksum of the content of a JSON file inside it, by which a changed digit is found. It covers what the file says, not how it
// is laid out: formatted anew, a file is the same. It guards against accidents and careless edits; who computes it anew is found
// by running the experiment again (verify.ts).
import { createHash } from 'node:crypto';
import { writeJson, writeWhole } from './files.ts';

const SEAL = 'checksum';

const sealOf = (content: object): string =>
  `sha256:${createHash('sha256').update(JSON.stringify(content)).digest('hex')}`;

/** Writes an object with its checksum as the last entry, indented unless it is to be compact. */
export function writeSealed(file: string, content: object, { isCompact = false } = {}): Promise<void> {
  const sealed = { ...content, [SEAL]: sealOf(content) };
  return isCompact ? writeWhole(file, `${JSON.stringify(sealed)}\n`) : writeJson(file, sealed);
}

export function withoutSeal(value: object): object {
  const { [SEAL]: _, ...content } = value as Record<string, unknown>;
  return content;
}

/** A JSON text without the space between its parts. */
const withoutSpace = (text: string): string =>
  text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, quoted: string | undefined) => quoted ?? '');

export type SealState = 'whole' | 'broken' | 'absent';

/**
 * The value of a JSON text, and whether it is what was written: `absent` where it has no checksum. A changed digit that makes no
 * other number, since nobody writes so many, is found by the text. Throws SyntaxError.
 */
export function readSealed(text: string): { value: unknown; seal: SealState } {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !(SEAL in value)) return { value, seal: 'absent' };
  const isWhole = value[SEAL] === sealOf(withoutSeal(value)) && withoutSpace(text) === JSON.stringify(value);
  return { value, seal: isWhole ? 'whole' : 'broken' };
}
