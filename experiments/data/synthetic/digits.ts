// Procedural digits (dmtl, section 8.3): glyphs as polylines, bent, slanted and turned at random, drawn with a distance
// field. A stand-in that varies less than handwriting. Digit i of a cohort is a function of (seed, cohort, i) alone.
import { type Random, random } from '../../../engine/index.ts';
import { type Cohort, DIGIT_CLASSES, DIGIT_SIZE, type DigitSource } from '../digits.ts';

type Point = readonly [x: number, y: number];
type Stroke = readonly Point[];

/** Points of an elliptic arc; angles in turns, clockwise from the right since y points down. */
function arc(cx: number, cy: number, rx: number, ry: number, from: number, to: number, points = 22): Point[] {
  return Array.from({ length: points + 1 }, (_, i): Point => {
    const angle = 2 * Math.PI * (from + ((to - from) * i) / points);
    return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)];
  });
}

/** Variants of each digit in a unit box, x to the right, y down. */
const glyphs: readonly (readonly (readonly Stroke[])[])[] = [
  [[arc(0.5, 0.5, 0.42, 0.5, 0, 1, 28)]],
  [[[[0.5, 0], [0.5, 1]]], [[[0.25, 0.22], [0.55, 0], [0.55, 1]]]], // prettier-ignore
  [[[...arc(0.5, 0.28, 0.4, 0.28, -0.48, 0.12, 16), [0.08, 1], [0.95, 1]]]],
  [[arc(0.45, 0.26, 0.38, 0.26, -0.42, 0.25), arc(0.45, 0.74, 0.45, 0.26, -0.25, 0.42)]],
  [
    [[[0.35, 0], [0.08, 0.6], [0.92, 0.6]], [[0.72, 0.25], [0.72, 1]]], // prettier-ignore
    [[[0.72, 1], [0.72, 0], [0.08, 0.65], [0.95, 0.65]]], // prettier-ignore
  ],
  [[[[0.88, 0], [0.2, 0], [0.16, 0.44], ...arc(0.46, 0.69, 0.42, 0.31, -0.36, 0.4)]]],
  [[[...arc(0.62, 0.5, 0.5, 0.5, -0.22, -0.48, 16), ...arc(0.5, 0.7, 0.38, 0.3, 0.5, 1.5, 26)]]],
  [
    [[[0.05, 0], [0.92, 0], [0.4, 1]]], // prettier-ignore
    [[[0.05, 0], [0.92, 0], [0.4, 1]], [[0.3, 0.5], [0.85, 0.5]]], // prettier-ignore
  ],
  [[arc(0.5, 0.26, 0.34, 0.26, 0, 1, 24), arc(0.5, 0.75, 0.42, 0.25, 0, 1, 26)]],
  [[[...arc(0.5, 0.3, 0.38, 0.3, 0, 1, 26), [0.84, 0.62], [0.72, 1]]]],
];

/** Pixels that the unit box spans. */
const SCALE = 20;

const uniform = (stream: Random, low: number, high: number): number => low + (high - low) * stream.uniform();
const normal = (stream: Random, deviation: number): number => deviation * stream.normal();

/** A random smooth distortion of the unit box followed by the way to pixels. */
function placement(stream: Random): (point: Point) => Point {
  const waves = [0, 1].map(() => ({ size: normal(stream, 0.05), phase: uniform(stream, 0, 2 * Math.PI) }));
  const shear = normal(stream, 0.18);
  const turn = normal(stream, 0.15);
  const width = uniform(stream, 0.55, 0.9);
  const height = uniform(stream, 0.8, 1.05);
  const shift = [normal(stream, 1), normal(stream, 1)] as const;
  const [bendX, bendY] = waves as [(typeof waves)[0], (typeof waves)[0]];
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  return ([u, v]) => {
    const bentX = u + bendX.size * Math.sin(2 * Math.PI * v + bendX.phase);
    const bentY = v + bendY.size * Math.sin(2 * Math.PI * u + bendY.phase);
    const x = (bentX - 0.5) * width - shear * (bentY - 0.5);
    const y = (bentY - 0.5) * height;
    const middle = DIGIT_SIZE / 2;
    return [middle + SCALE * (cos * x - sin * y) + shift[0], middle + SCALE * (sin * x + cos * y) + shift[1]];
  };
}

function distanceToSegment(px: number, py: number, [ax, ay]: Point, [bx, by]: Point): number {
  const dx = bx - ax;
  const dy = by - ay;
  const length = dx * dx + dy * dy;
  const t = length > 0 ? Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / length)) : 0;
  return Math.hypot(px - ax - t * dx, py - ay - t * dy);
}

/** One grey image of the digit, values 0 to 1. */
function draw(digit: number, stream: Random): Float32Array {
  const variants = glyphs[digit]!;
  const strokes = variants[stream.integer(variants.length)]!;
  const place = placement(stream);
  const halfWidth = uniform(stream, 0.9, 1.7);
  const placed = strokes.map((stroke) =>
    stroke.map(([x, y]) => place([x + normal(stream, 0.018), y + normal(stream, 0.018)])),
  );
  const image = new Float32Array(DIGIT_SIZE * DIGIT_SIZE);
  for (let y = 0; y < DIGIT_SIZE; y++) {
    for (let x = 0; x < DIGIT_SIZE; x++) {
      let nearest = Infinity;
      for (const stroke of placed) {
        for (let i = 1; i < stroke.length; i++) {
          nearest = Math.min(nearest, distanceToSegment(x + 0.5, y + 0.5, stroke[i - 1]!, stroke[i]!));
        }
      }
      image[y * DIGIT_SIZE + x] = Math.min(1, Math.max(0, halfWidth - nearest + 0.5));
    }
  }
  return image;
}

const stream = (seed: number, cohort: Cohort, index: number): Random =>
  random(seed, `generated digits, ${cohort}`, index);

/** Generated digits without end. The label is the first number of the image's own stream. */
export function generatedDigits(seed = 0): DigitSource {
  return {
    name: 'generated digits',
    real: false,
    checksums: {},
    available: () => Number.MAX_SAFE_INTEGER,
    label: (cohort, index) => stream(seed, cohort, index).integer(DIGIT_CLASSES),
    pixels(cohort, index) {
      const own = stream(seed, cohort, index);
      return draw(own.integer(DIGIT_CLASSES), own);
    },
  };
}
