// What `npm test -- property --seed N --runs N` hands to the property tests. Without them the gate runs the same cases
// every time; a search for new ones takes another seed and more runs.
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { seed: { type: 'string' }, runs: { type: 'string' } }, strict: false });

function wholeNumber(name: 'seed' | 'runs', fallback: number): number {
  const given = values[name];
  if (given === undefined) return fallback;
  const value = Number(given);
  if (!Number.isInteger(value) || value < 0) throw new RangeError(`--${name} takes a whole number, not ${given}`);
  return value;
}

export const seed = wholeNumber('seed', 1);

/** Random cases per family: `usual` unless the command line says otherwise. */
export const runsOr = (usual: number): number => wholeNumber('runs', usual);

/** Whether the command line asks for more than the gate runs. */
export const isSearch = values.runs !== undefined;
