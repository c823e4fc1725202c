// How far results are apart, for kernels whose plans round in different orders.
import type { HostArray } from '../../engine/devices/device.ts';

/** The largest difference relative to the root mean square of what is expected. NaN where only one of the two is NaN. */
export function largestDifference(results: readonly HostArray[], expected: readonly HostArray[]): number {
  let largest = 0;
  for (const [k, values] of expected.entries()) {
    let squares = 0;
    let difference = 0;
    for (let i = 0; i < values.length; i++) {
      if (Number.isNaN(values[i]) && Number.isNaN(results[k]![i])) continue;
      squares += values[i]! ** 2;
      const apart = Math.abs(results[k]![i]! - values[i]!);
      if (Number.isNaN(apart)) return NaN;
      if (apart > difference) difference = apart;
    }
    if (difference !== 0) largest = Math.max(largest, difference / Math.sqrt(squares / values.length));
  }
  return largest;
}
