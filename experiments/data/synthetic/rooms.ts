// Generated rooms, the stand-in for NYUDv2 (section 8.2 of the imbalanced-labels specification): a pinhole camera in a box-shaped room
// with furniture, a ray for each pixel. Metres, x right, y down, z forward, the camera at the origin. A room is a pure function of its
// kind, cohort and index.
//
// In `easy` rooms sizes are those of houses, so that the classes of a picture tell most of its depth. In `harder` ones they do not: the
// whole scene, camera and all, is of any size from a doll's house to a hall, and nothing in a map of classes tells the size of what it
// shows. A picture does: its stripes are as wide everywhere, and far things are darker. Furniture has shapes of its own there, which
// are seen in a depth map. Leaves out shadows and doors.
import { type Random, random } from '../../../engine/index.ts';
import type { RoomCohortName, RoomKind } from '../rooms.ts';
import { between } from './draws.ts';
import { box, type Color, type Primitive, type Vector } from './ray-primitives.ts';
import { cameraOf, type GeneratedRoom, type Part, pictureOf, type Surface, type Walls, wallsOf } from './room-view.ts';

export { type GeneratedRoom, ROOM_SIDE } from './room-view.ts';

/** Raised when the recipe changes, so that older files are not taken for new ones. */
export const ROOM_VERSION = 1;

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
type ClassName = (typeof surfaces)[number]['name'];

/** The classes of generated rooms. */
export const roomClasses: readonly ClassName[] = surfaces.map(({ name }) => name);
/** Their colours in figures: the means, as bytes. */
export const roomPalette = surfaces.map(
  ({ color }) => color.map((value) => Math.round(255 * value)) as unknown as readonly [number, number, number],
);
/** Metres beyond which no room of a kind reaches. */
export const roomRange: Readonly<Record<RoomKind, number>> = { easy: 10, harder: 13 };

/** Standard deviation of an object's colour around that of its class. */
const COLOR_NOISE = 0.13;
/** Metres over which light falls to 1 / e. */
const FADING = { easy: 25, harder: 9 } as const;
/** Metres from stripe to stripe, and how dark every other one is. */
const [FLOOR_STRIPE, CABINET_STRIPE, DARKER] = [0.4, 0.15, 0.82];

/** Sizes that a kind of rooms draws. */
const drawn = {
  easy: () => ({ focal: 0.9, scale: 1, stretch: () => 1 }),
  harder: (stream: Random) => ({
    focal: between(stream, 0.7, 1.2),
    scale: Math.exp(between(stream, Math.log(0.42), Math.log(2.1))),
    stretch: () => 2 ** between(stream, -0.5, 0.5),
  }),
} as const satisfies Record<RoomKind, (stream: Random) => { focal: number; scale: number; stretch: () => number }>;

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

const labelOf = (name: ClassName): number => roomClasses.indexOf(name);

/** A colour around that of a class, which is drawn. */
export function colorAround(mean: Color, stream: Random): Color {
  return mean.map((value) => value + COLOR_NOISE * stream.normal()) as unknown as Color;
}

const colorOf = (label: number, stream: Random): Color => colorAround(surfaces[label]!.color, stream);

function drawFurniture(stream: Random, kind: RoomKind, walls: Walls, scale: number, stretch: () => number): Part[] {
  const parts: Part[] = [];
  for (let left = 2 + stream.integer(3); left > 0; left--) {
    let chosen = stream.uniform();
    const piece = furniture.find(({ share }) => (chosen -= share) < 0) ?? furniture[0]!;
    const factor = scale * stretch();
    const size = piece.size(stream).map((metres) => factor * metres) as unknown as Size;
    const x = between(stream, -walls.left + size[0], walls.right - size[0]);
    const z = between(stream, 1.3 * scale + size[1], walls.back - size[1]);
    const at: Vector = [x, walls.floor, z];
    const label = labelOf(piece.name);
    const color = colorOf(label, stream);
    const boxes = kind === 'harder' ? piece.shape(at, size, color) : [standing(at, size, color)];
    parts.push(...boxes.map((hit) => ({ label, hit })));
  }
  return parts;
}

function drawPictures(stream: Random, walls: Walls, scale: number, stretch: () => number): Part[] {
  const label = labelOf('picture');
  return Array.from({ length: stream.integer(3) }, () => {
    const factor = scale * stretch();
    const half: Vector = [factor * between(stream, 0.2, 0.5), factor * between(stream, 0.15, 0.4), 0.05 * scale];
    const x = between(stream, -walls.left + half[0], walls.right - half[0]);
    const y = scale * between(stream, -0.6, 0);
    return { label, hit: box([x, y, walls.back], half, colorOf(label, stream)) };
  });
}

const isDark = (place: number, stripe: number): boolean => Math.floor(place / stripe) % 2 !== 0;

/** A stripe's share of the light, at a place of a surface. */
export function stripes(label: number, [x, , z]: Vector): number {
  if (label === labelOf('floor')) return isDark(x, FLOOR_STRIPE) || isDark(z, FLOOR_STRIPE) ? DARKER : 1;
  if (label === labelOf('cabinet')) return isDark(x + z, CABINET_STRIPE) ? DARKER : 1;
  return 1;
}

/** Wall, floor and ceiling with their colours. */
const shellSurfaces = (stream: Random): [Surface, Surface, Surface] =>
  (['wall', 'floor', 'ceiling'] as const).map((name) => {
    const label = labelOf(name);
    return { label, color: colorOf(label, stream) };
  }) as [Surface, Surface, Surface];

/** Generated room number `index` of a cohort. Rooms of different kinds and cohorts have nothing in common. */
export function generatedRoom(kind: RoomKind, cohort: RoomCohortName, index: number): GeneratedRoom {
  const stream = random(0, `room, ${kind}, ${cohort}`, index);
  const { focal, scale, stretch } = drawn[kind](stream);
  const camera = cameraOf(stream, focal);
  const walls = wallsOf(stream, scale);
  const surfaces = shellSurfaces(stream);
  const parts = [...drawFurniture(stream, kind, walls, scale, stretch), ...drawPictures(stream, walls, scale, stretch)];
  const brightness = between(stream, 0.7, 1.1);
  return pictureOf({ camera, walls, surfaces, parts, brightness, fading: FADING[kind], pattern: stripes }, stream);
}
