// Rays against the shapes that generated objects are made of. A ray is origin + t direction; a primitive gives the least t above 0,
// with colour and brightness there, or nothing.

export type Vector = readonly [number, number, number];
/** Red, green and blue from 0 to 1. */
export type Color = Vector;

export interface Hit {
  readonly t: number;
  readonly color: Color;
  /** How bright the face is. */
  readonly light: number;
}
export type Primitive = (origin: Vector, direction: Vector) => Hit | undefined;

/** Brightness of faces that look along x, y and z. */
const LIGHT = [0.75, 1, 0.88] as const;
/** Too near to be in front of the camera. */
const NEAREST = 1e-6;

/** A box of these half sides around a centre, its faces shaded by their axis. */
export const box =
  (center: Vector, half: Vector, color: Color): Primitive =>
  (origin, direction) => {
    let [near, far, axis] = [-Infinity, Infinity, 0];
    for (let i = 0; i < 3; i++) {
      const toCenter = (center[i]! - origin[i]!) / direction[i]!;
      const reach = Math.abs(half[i]! / direction[i]!);
      const [first, last] = [toCenter - reach, toCenter + reach];
      if (first > near) [near, axis] = [first, i];
      if (last < far) far = last;
    }
    return near <= far && near > NEAREST ? { t: near, color, light: LIGHT[axis]! } : undefined;
  };

/** The nearer root of a t^2 + 2 b t + c, if it lies before the camera. */
function nearerRoot(a: number, b: number, c: number): number | undefined {
  const root = b * b - a * c;
  if (root < 0 || a === 0) return undefined;
  const t = (-b - Math.sqrt(root)) / a;
  return t > NEAREST ? t : undefined;
}

/** Ribs of a cylinder, around it. */
const RIBS = 24;

/** An upright cylinder on the ground around the origin, with ribs; its lid is another primitive's. */
export const cylinder =
  (radius: number, height: number, color: Color): Primitive =>
  ([ox, oy, oz], [dx, dy, dz]) => {
    const t = nearerRoot(dx * dx + dz * dz, ox * dx + oz * dz, ox * ox + oz * oz - radius * radius);
    if (t === undefined || oy + t * dy < 0 || oy + t * dy > height) return undefined;
    const [x, z] = [(ox + t * dx) / radius, (oz + t * dz) / radius];
    const rib = Math.sin(RIBS * Math.atan2(z, x)) > 0.3 ? 0.12 : 0;
    return { t, color, light: 0.6 + 0.3 * Math.abs(x) + 0.1 * Math.abs(z) - rib };
  };

/** A flat ring upright in the plane z = 0, between two radii around a centre. */
export const annulus =
  ([cx, cy]: Vector, inner: number, outer: number, color: Color): Primitive =>
  ([ox, oy, oz], [dx, dy, dz]) => {
    const t = -oz / dz;
    if (!(t > NEAREST)) return undefined;
    const radius = Math.hypot(ox + t * dx - cx, oy + t * dy - cy);
    return radius >= inner && radius <= outer ? { t, color, light: 1 } : undefined;
  };

/** A round tube from one point to another. */
export function tube(from: Vector, to: Vector, radius: number, color: Color): Primitive {
  const axis: Vector = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
  const length = Math.hypot(...axis);
  const unit: Vector = [axis[0] / length, axis[1] / length, axis[2] / length];
  const along = (v: Vector): number => v[0] * unit[0] + v[1] * unit[1] + v[2] * unit[2];
  return (origin, direction) => {
    const offset: Vector = [origin[0] - from[0], origin[1] - from[1], origin[2] - from[2]];
    const [o, d] = [along(offset), along(direction)];
    let [a, b, c] = [-d * d, -o * d, -o * o - radius * radius];
    for (let i = 0; i < 3; i++) {
      a += direction[i]! ** 2;
      b += direction[i]! * offset[i]!;
      c += offset[i]! ** 2;
    }
    const t = nearerRoot(a, b, c);
    if (t === undefined || o + t * d < 0 || o + t * d > length) return undefined;
    return { t, color, light: 0.9 };
  };
}
