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

/** Whether a value, read from a file, is what was written: `absent` where it has no checksum. */
export function sealState(value: unknown): 'whole' | 'broken' | 'absent' {
  if (typeof value !== 'object' || value === null || !(SEAL in value)) return 'absent';
  return value[SEAL] === sealOf(withoutSeal(value)) ? 'whole' : 'broken';
}
