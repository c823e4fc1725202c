// Geometry of pictures: perspective transforms and bilinear sampling at mapped places.

export type Point = readonly [number, number];
export type Corners = readonly [Point, Point, Point, Point];

/** Eight coefficients a to h of (x, y) -> (a x + b y + c, d x + e y + f) / (g x + h y + 1) that send each `from` to its `to`. */
export function homography(from: Corners, to: Corners): number[] {
  const rows = from.flatMap(([x, y], i) => {
    const [u, v] = to[i]!;
    return [
      [x, y, 1, 0, 0, 0, -u * x, -u * y, u],
      [0, 0, 0, x, y, 1, -v * x, -v * y, v],
    ];
  });
  // Gauss-Jordan elimination with pivots.
  for (let k = 0; k < 8; k++) {
    const pivot = rows
      .slice(k)
      .reduce((best, row, i) => (Math.abs(row[k]!) > Math.abs(rows[best]![k]!) ? k + i : best), k);
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    const scale = rows[k]![k]!;
    rows[k] = rows[k]!.map((value) => value / scale);
    for (let i = 0; i < 8; i++) {
      const factor = rows[i]![k]!;
      if (i !== k) rows[i] = rows[i]!.map((value, j) => value - factor * rows[k]![j]!);
    }
  }
  return rows.map((row) => row[8]!);
}

/** From a place in the result to the place in the source that it shows. */
export type Mapping = (x: number, y: number) => Point;

/** One plane sampled bilinearly at the mapped places; 0 outside of the picture. */
export function warpPlane(plane: Float32Array, size: number, map: Mapping): Float32Array {
  const value = (x: number, y: number): number => (x >= 0 && x < size && y >= 0 && y < size ? plane[y * size + x]! : 0);
  return Float32Array.from({ length: size * size }, (_, i) => {
    const [sx, sy] = map((i % size) + 0.5, Math.floor(i / size) + 0.5);
    const [u, v] = [sx - 0.5, sy - 0.5];
    const [x, y] = [Math.floor(u), Math.floor(v)];
    const top = value(x, y) * (x + 1 - u) + value(x + 1, y) * (u - x);
    const bottom = value(x, y + 1) * (x + 1 - u) + value(x + 1, y + 1) * (u - x);
    return top * (y + 1 - v) + bottom * (v - y);
  });
}

/** The transform that sends each corner of `from` to its corner of `to`. */
export function perspective(from: Corners, to: Corners): Mapping {
  const [a, b, c, d, e, f, g, h] = homography(from, to) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return (x, y) => {
    const w = g * x + h * y + 1;
    return [(a * x + b * y + c) / w, (d * x + e * y + f) / w];
  };
}

/** A rotation by so many radians about a middle. */
export function rotation(angle: number, [mx, my]: Point): Mapping {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return (x, y) => [mx + cos * (x - mx) - sin * (y - my), my + sin * (x - mx) + cos * (y - my)];
}
