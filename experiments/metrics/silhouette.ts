// How much groups of points are clusters: the silhouette of Rousseeuw (1987) by Euclidean distance, and the share of points whose nearest
// neighbour is of their own group. Both of all pairs, in float64: for thousands of points, not for millions.

/** Below this mean silhouette there is no substantial structure (Kaufman and Rousseeuw, Finding Groups in Data, 1990, table 4). */
export const NO_STRUCTURE = 0.25;

/** What is measured of labelled points. */
export interface Clustering {
  /** Mean of (b - a) / max(a, b), from -1 to 1: a is the mean distance to the own group, b that to the nearest other one. */
  readonly silhouette: number;
  /** Share of points whose nearest neighbour has their label, and what that is on average for labels in random order. */
  readonly neighbours: number;
  readonly neighboursByChance: number;
}

/**
 * Measures points (n of any number of coordinates) by their labels (n). A point that is alone in its group has the silhouette 0. Throws
 * RangeError for fewer than two groups, where neither measure says anything.
 */
export function clusteringOf(points: readonly ArrayLike<number>[], labels: readonly number[]): Clustering {
  const n = points.length;
  const groups = [...new Set(labels)];
  if (groups.length < 2 || labels.length !== n) {
    throw new RangeError(`clusters are measured for a label for each point and two labels or more, not for ${n} points with ${labels.length} labels, ${groups.length} of them different`); // prettier-ignore
  }
  const groupOf = labels.map((label) => groups.indexOf(label));
  const sizes = groups.map((_, g) => groupOf.filter((own) => own === g).length);
  let [silhouettes, same] = [0, 0];
  const sums = new Float64Array(groups.length);
  for (let i = 0; i < n; i++) {
    const [point, own] = [points[i]!, groupOf[i]!];
    sums.fill(0);
    let [nearest, nearestGroup] = [Infinity, -1];
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      let square = 0;
      for (let d = 0; d < point.length; d++) square += (point[d]! - points[j]![d]!) ** 2;
      const distance = Math.sqrt(square);
      sums[groupOf[j]!]! += distance;
      if (distance < nearest) [nearest, nearestGroup] = [distance, groupOf[j]!];
    }
    if (nearestGroup === own) same++;
    if (sizes[own] === 1) continue;
    const a = sums[own]! / (sizes[own]! - 1);
    const b = groups.reduce((least, _, g) => (g === own ? least : Math.min(least, sums[g]! / sizes[g]!)), Infinity);
    silhouettes += Math.max(a, b) > 0 ? (b - a) / Math.max(a, b) : 0;
  }
  return {
    silhouette: silhouettes / n,
    neighbours: same / n,
    neighboursByChance: sizes.reduce((sum, size) => sum + (size * (size - 1)) / (n * (n - 1)), 0),
  };
}
