// The names nearest to one that does not exist.
import { closest, distance } from 'fastest-levenshtein';

/** The names that differ least from `given`, the nearest first. */
export const nearest = (given: string, names: readonly string[], count: number): string[] =>
  [...names].sort((a, b) => distance(given, a) - distance(given, b)).slice(0, count);

/** `Did you mean 'x'?` when a name is near, else the list of all. */
export function suggestion(given: string, names: readonly string[]): string {
  const near = names.length > 0 ? closest(given, [...names]) : '';
  const isNear = near !== '' && distance(given, near) <= Math.max(2, near.length / 3);
  return isNear ? `Did you mean '${near}'?` : `There are: ${names.join(', ')}`;
}
