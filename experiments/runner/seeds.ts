// Seeds of a command: so many from 0 on (`3`), a range with both ends (`100..119`), or a list of numbers and ranges (`4,7,20..29`).
import { ConfigError } from '../../engine/index.ts';

/** The most seeds of one command. */
const MOST = 10_000;

/** The seeds 0 to count - 1. */
export const firstSeeds = (count: number): number[] => Array.from({ length: count }, (_, seed) => seed);

function refuse(text: string, fault: string): never {
  throw new ConfigError(`'${text}' is not a choice of seeds: ${fault}`, {
    expected: `a whole number from 1 to ${MOST} (seeds from 0 on), a range as in 100..119, or a list as in 4,7`,
  });
}

/** Throws ConfigError for a text that is not a choice of seeds, or that names one twice. */
export function parseSeeds(text: string): number[] {
  if (/^\d+$/.test(text.trim())) {
    const count = Number(text);
    if (count < 1 || count > MOST) refuse(text, `${text.trim()} seeds`);
    return firstSeeds(count);
  }
  // A comma at the end makes a list of one seed: `7,`.
  const items = text.replace(/,\s*$/, '').split(',');
  const seeds = new Set<number>();
  for (const item of items) {
    const [, first, last = first] = /^\s*(\d+)\s*(?:\.\.\s*(\d+)\s*)?$/.exec(item) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === undefined || !Number.isSafeInteger(to))
      refuse(text, `'${item.trim()}' is neither a seed nor a range`);
    if (from > to) refuse(text, `the range ${item.trim()} ends before it begins`);
    if (to - from >= MOST || seeds.size + to - from >= MOST) refuse(text, `more than ${MOST} seeds`);
    for (let seed = from; seed <= to; seed++) {
      if (seeds.has(seed)) refuse(text, `${seed} is there twice`);
      seeds.add(seed);
    }
  }
  return [...seeds];
}

/** `seed 0`, `seeds 0..19`, `seeds 4, 7, 20..29`. */
export function seedsText(seeds: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < seeds.length;) {
    let end = at + 1;
    while (seeds[end] === seeds[end - 1]! + 1) end++;
    parts.push(end - at > 2 ? `${seeds[at]}..${seeds[end - 1]}` : seeds.slice(at, end).join(', '));
    at = end;
  }
  return `${seeds.length === 1 ? 'seed' : 'seeds'} ${parts.join(', ')}`;
}
