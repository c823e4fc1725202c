// How many golden cases run each operation: the fixtures are run, and what they enter is counted once per passed case,
// forward and backward.
import { runGolden } from '../golden/folder.ts';
import { type Sightings, watch } from './watch.ts';

/** Passed cases of a fixture folder by operation. Throws DataError for a folder that holds no fixtures. */
export async function countGolden(directory: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const seen: Sightings = new Map();
  const report = (_: string, failure: string | undefined): void => {
    if (failure === undefined) for (const name of seen.keys()) counts.set(name, (counts.get(name) ?? 0) + 1);
    seen.clear();
  };
  await watch(seen, () => runGolden(directory, { device: 'wasm', report }));
  return counts;
}
