// The animal of a procedural pet: which part of it lies at a point. Coordinates of the animal have the body's centre as their
// origin, y down and the head to the right; each cue of its species is left out with probability 0.15.
import type { Random } from '../../../engine/index.ts';
import { between } from './draws.ts';

/** What is seen at a point. Dark: eyes and nose. */
export const Part = { none: 0, body: 1, head: 2, dark: 3, whisker: 4 } as const;

type Point = readonly [number, number];

/** Centre and half-axes. */
interface Ellipse {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Stroke {
  readonly points: readonly Point[];
  readonly halfWidth: number;
}

export interface Animal {
  /** From the picture to the animal: mirror, shift and scale. */
  readonly mirror: 1 | -1;
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  readonly body: Ellipse & { readonly cos: number; readonly sin: number };
  readonly legs: readonly Ellipse[];
  readonly tail: Stroke | undefined;
  readonly head: Ellipse;
  readonly earEllipses: readonly Ellipse[];
  readonly earTriangles: readonly (readonly [Point, Point, Point])[];
  readonly muzzle: Ellipse | undefined;
  readonly whiskers: readonly Stroke[];
  readonly dark: readonly Ellipse[];
  /** On the floor, in the picture's coordinates. */
  readonly shadow: Ellipse;
}

const CUE_MISSING = 0.15;
const CLOSE_UP = 0.15;

const shown = (stream: Random): boolean => stream.uniform() >= CUE_MISSING;
const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** A cubic curve as a polyline. */
const cubic = (a: Point, b: Point, c: Point, d: Point, steps = 8): Point[] =>
  Array.from({ length: steps + 1 }, (_, i) => {
    const t = i / steps;
    const [p, q, r, s] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
    return [p * a[0] + q * b[0] + r * c[0] + s * d[0], p * a[1] + q * b[1] + r * c[1] + s * d[1]];
  });

/** Shapes of an animal of a species (0 cat, 1 dog) and its place in the picture. */
export function drawAnimal(stream: Random, species: number): Animal {
  const isCat = species === 0;
  const [a, b] = [between(stream, 0.16, 0.3), between(stream, 0.1, 0.2)];
  const angle = 0.2 * stream.normal();
  const r = between(stream, 0.09, 0.16) * (isCat ? 0.97 : 1.06);
  const head = { x: 0.9 * a + 0.3 * r, y: -between(stream, 0.5, 1.2) * b - 0.3 * r, width: r, height: r };
  const [hx, hy] = [head.x, head.y];

  const [legLength, legWidth] = [between(stream, 0.07, 0.15), between(stream, 0.018, 0.03)];
  const legs = [-0.75, -0.45, 0.4, 0.72].map((at) => ({
    x: at * a + between(stream, -0.02, 0.02),
    y: 0.35 * b + (0.6 * b + legLength) / 2,
    width: legWidth,
    height: (0.6 * b + legLength) / 2,
  }));

  const [tailLength, tailWidth] = isCat
    ? [between(stream, 0.24, 0.36), between(stream, 0.012, 0.018)]
    : [between(stream, 0.08, 0.14), between(stream, 0.025, 0.035)];
  const rise = between(stream, -0.3, 1);
  const start: Point = [-0.92 * a, -0.1 * b];
  const curve = cubic(
    start,
    [start[0] - 0.4 * tailLength, start[1] + 0.2 * tailLength],
    [start[0] - 0.8 * tailLength, start[1] - 0.2 * rise * tailLength],
    [start[0] - 0.7 * tailLength, start[1] - rise * tailLength],
  );
  const tail = shown(stream) ? { points: curve, halfWidth: tailWidth } : undefined;

  const ears = shown(stream);
  const earHeight = between(stream, 0.6, 0.8) * r;
  const earTriangles =
    isCat && ears
      ? [-1, 1].map((side): [Point, Point, Point] => [
          [hx + side * 0.9 * r, hy - 0.35 * r],
          [hx + side * 0.2 * r, hy - 0.9 * r],
          [hx + side * 0.75 * r, hy - 0.75 * r - earHeight],
        ])
      : [];
  const earEllipses =
    !isCat && ears
      ? [-1, 1].map((side) => ({ x: hx + side * 0.95 * r, y: hy + 0.2 * r, width: 0.28 * r, height: 0.65 * r }))
      : [];
  const m = (isCat ? 0.25 : 0.55) * r;
  const muzzle = shown(stream)
    ? { x: hx + (isCat ? 0.35 : 0.85) * r, y: hy + 0.35 * r, width: 1.2 * m, height: 0.8 * m }
    : undefined;
  const nose: Point = muzzle ? [muzzle.x + 0.7 * muzzle.width, muzzle.y - 0.1 * r] : [hx + 0.45 * r, hy + 0.2 * r];
  const whiskers =
    isCat && shown(stream)
      ? [-0.25, 0, 0.25].map((slope) => ({
          points: [nose, [nose[0] + 0.75 * r, nose[1] + slope * r]] as Point[],
          halfWidth: 0.03 * r,
        }))
      : [];
  const dark = [
    { x: hx + 0.05 * r, y: hy - 0.2 * r, width: 0.12 * r, height: 0.14 * r },
    { x: hx + 0.5 * r, y: hy - 0.2 * r, width: 0.12 * r, height: 0.14 * r },
    { x: nose[0], y: nose[1], width: 0.13 * r, height: 0.1 * r },
  ];

  const mirror = stream.integer(2) === 0 ? 1 : -1;
  const closeUp = stream.uniform() < CLOSE_UP;
  const scale = closeUp ? between(stream, 0.26, 0.36) / r : between(stream, 0.7, 1.3);
  const [headX, headY] = [mirror * scale * hx, scale * hy];
  // The centre is uniform in the middle 40 %, or that of the head in a close-up; either way the head stays in the picture.
  const [cx, cy] = [between(stream, 0.3, 0.7), between(stream, 0.3, 0.7)];
  const [low, high] = closeUp ? [0.4, 0.6] : [0.1, 0.9];
  const x = clamp(cx + (closeUp ? 0 : headX), low, high) - headX;
  const y = clamp(cy + (closeUp ? 0 : headY), low, high) - headY;
  const floor = y + scale * (0.9 * b + legLength);
  return {
    mirror,
    x,
    y,
    scale,
    body: { x: 0, y: 0, width: a, height: b, cos: Math.cos(angle), sin: Math.sin(angle) },
    legs,
    tail,
    head,
    earEllipses,
    earTriangles,
    muzzle,
    whiskers,
    dark,
    shadow: { x, y: floor, width: 1.2 * a * scale, height: 0.25 * b * scale },
  };
}

/** A point of the picture in the animal's coordinates. */
export const toAnimal = ({ mirror, x, y, scale }: Animal, px: number, py: number): [number, number] => [
  (mirror * (px - x)) / scale,
  (py - y) / scale,
];

const inEllipse = (e: Ellipse, x: number, y: number): boolean => {
  const [dx, dy] = [(x - e.x) / e.width, (y - e.y) / e.height];
  return dx * dx + dy * dy < 1;
};

/** A rounded rectangle: a superellipse of the fourth power. */
const inRounded = (e: Ellipse, x: number, y: number): boolean => {
  const [dx, dy] = [(x - e.x) / e.width, (y - e.y) / e.height];
  const [square, other] = [dx * dx, dy * dy];
  return square * square + other * other < 1;
};

const cross = (a: Point, b: Point, x: number, y: number): number =>
  (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]);

const inTriangle = ([a, b, c]: readonly [Point, Point, Point], x: number, y: number): boolean => {
  const [u, v, w] = [cross(a, b, x, y), cross(b, c, x, y), cross(c, a, x, y)];
  return (u >= 0 && v >= 0 && w >= 0) || (u <= 0 && v <= 0 && w <= 0);
};

function nearStroke({ points, halfWidth }: Stroke, x: number, y: number): boolean {
  for (let i = 1; i < points.length; i++) {
    const [[ax, ay], [bx, by]] = [points[i - 1]!, points[i]!];
    const [dx, dy] = [bx - ax, by - ay];
    const t = clamp(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1);
    if ((x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2 < halfWidth ** 2) return true;
  }
  return false;
}

/** The part at a point in the animal's coordinates, the head in front. Whiskers show on the animal alone. */
export function partAt(animal: Animal, x: number, y: number): number {
  const { body, head } = animal;
  const isHead =
    inEllipse(head, x, y) ||
    animal.earEllipses.some((ear) => inEllipse(ear, x, y)) ||
    animal.earTriangles.some((ear) => inTriangle(ear, x, y)) ||
    (animal.muzzle !== undefined && inEllipse(animal.muzzle, x, y));
  if (isHead) {
    if (animal.dark.some((spot) => inEllipse(spot, x, y))) return Part.dark;
    return animal.whiskers.some((whisker) => nearStroke(whisker, x, y)) ? Part.whisker : Part.head;
  }
  const [u, v] = [body.cos * x + body.sin * y, body.cos * y - body.sin * x];
  const isBody =
    inEllipse(body, u, v) ||
    animal.legs.some((leg) => inRounded(leg, x, y)) ||
    (animal.tail !== undefined && nearStroke(animal.tail, x, y));
  return isBody ? Part.body : Part.none;
}
