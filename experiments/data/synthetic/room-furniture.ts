// What generated rooms are made of and furnished with: classes with their colours, pieces of furniture as boxes, and stripes by which a picture
// tells how large things are. Leaves out where they stand.
import type { Random } from '../../../engine/index.ts';
import { between } from './draws.ts';
import { box, type Color, type Primitive, type Vector } from './ray-primitives.ts';

/** The classes in the order of the labels, with the mean of their colours; an object's own is drawn around it. */
export const surfaces = [
  { name: 'wall', color: [0.72, 0.68, 0.6] },
  { name: 'floor', color: [0.5, 0.38, 0.28] },
  { name: 'ceiling', color: [0.85, 0.85, 0.82] },
  { name: 'table', color: [0.55, 0.38, 0.22] },
  { name: 'sofa', color: [0.42, 0.34, 0.42] },
  { name: 'cabinet', color: [0.62, 0.52, 0.4] },
  { name: 'picture', color: [0.4, 0.5, 0.55] },
  { name: 'lamp', color: [0.75, 0.7, 0.45] },
] as const satisfies readonly { readonly name: string; readonly color: Color }[];
/** A class of theirs. */
export type ClassName = (typeof surfaces)[number]['name'];

/** Colours as red, green and blue from 0 to 255. */
export const bytesOf = (list: readonly { readonly color: Color }[]) =>
  list.map(
    ({ color }) => color.map((value) => Math.round(255 * value)) as unknown as readonly [number, number, number],
  );

/** Standard deviation of an object's colour around that of its class. */
const COLOR_NOISE = 0.13;
/** Metres from stripe to stripe, and how dark every other one is. */
const [FLOOR_STRIPE, CABINET_STRIPE, DARKER] = [0.4, 0.15, 0.82];

/** A colour around that of a class, which is drawn. */
export function colorAround(mean: Color, stream: Random): Color {
  return mean.map((value) => value + COLOR_NOISE * stream.normal()) as unknown as Color;
}

/** Half width, half length and height of a piece of furniture. */
export type Size = readonly [halfWidth: number, halfLength: number, height: number];

/** A kind of furniture that rooms are drawn with. */
export interface Furniture {
  readonly name: ClassName;
  /** How often it is drawn, of all furniture. */
  readonly share: number;
  readonly size: (stream: Random) => Size;
  /** Boxes of a piece on the floor at (x, floor, z) in `harder` rooms; one box in easy ones. */
  readonly shape: (at: Vector, size: Size, color: Color) => Primitive[];
}

/** A box on the floor at (x, floor, z). */
export const standing = ([x, floor, z]: Vector, [w, l, height]: Size, color: Color): Primitive =>
  box([x, floor - height / 2, z], [w, height / 2, l], color);

/** What easy and harder rooms are furnished with. */
export const furniture: readonly Furniture[] = [
  {
    name: 'table',
    share: 0.3,
    size: (stream) => [between(stream, 0.5, 0.9), between(stream, 0.3, 0.5), between(stream, 0.6, 0.8)],
    shape([x, floor, z], [w, l, height], color) {
      const [top, leg] = [0.08 * height, 0.06 * height];
      const legs = [-1, 1].flatMap((a) => [-1, 1].map((b): Vector => [x + a * (w - leg), floor, z + b * (l - leg)]));
      const plate = box([x, floor - height + top, z], [w, top, l], color);
      return [plate, ...legs.map((at) => standing(at, [leg, leg, height - top], color))];
    },
  },
  {
    name: 'sofa',
    share: 0.3,
    size: (stream) => [between(stream, 0.7, 1.2), between(stream, 0.35, 0.5), between(stream, 0.35, 0.55)],
    shape: ([x, floor, z], [w, l, height], color) => [
      standing([x, floor, z], [w, l, height], color),
      standing([x, floor, z + 0.8 * l], [w, 0.2 * l, 1.9 * height], color),
      ...[-1, 1].map((side) => standing([x + side * 0.9 * w, floor, z], [0.1 * w, l, 1.4 * height], color)),
    ],
  },
  {
    name: 'cabinet',
    share: 0.3,
    size: (stream) => [between(stream, 0.35, 0.7), between(stream, 0.2, 0.3), between(stream, 1.1, 1.9)],
    shape: (at, size, color) => [standing(at, size, color)],
  },
  {
    name: 'lamp',
    share: 0.1,
    size: (stream) => [0.12, 0.12, between(stream, 1.2, 1.6)],
    shape: ([x, floor, z], [w, l, height], color) => [
      standing([x, floor, z], [0.3 * w, 0.3 * l, height], color),
      box([x, floor - 0.9 * height, z], [1.4 * w, 0.1 * height, 1.4 * l], color),
    ],
  },
];

/** The label of a class. */
export const labelOf = (name: ClassName): number => surfaces.findIndex((surface) => surface.name === name);

const isDark = (place: number, stripe: number): boolean => Math.floor(place / stripe) % 2 !== 0;

/** A stripe's share of the light, at a place of a surface. */
export function stripes(label: number, [x, , z]: Vector): number {
  if (label === labelOf('floor')) return isDark(x, FLOOR_STRIPE) || isDark(z, FLOOR_STRIPE) ? DARKER : 1;
  if (label === labelOf('cabinet')) return isDark(x + z, CABINET_STRIPE) ? DARKER : 1;
  return 1;
}
