// The names nearest to one that does not exist.
import { distance } from 'fastest-levenshtein';
import { nearestName } from '../../engine/nearest-name.ts';

/** The names that differ least from `given`, the nearest first. */
export const nearest = (given: string, names: readonly string[], count: number): string[] =>
  [...names].sort((a, b) => distance(given, a) - distance(given, b)).slice(0, count);

/** `Did you mean 'x'?` when a name is near, else the list of all. */
export function suggestion(given: string, names: readonly string[]): string {
  const near = nearestName(given, names);
  return near === undefined ? `There are: ${names.join(', ')}` : `Did you mean '${near}'?`;
}
