// Generated rooms of seven categories, the stand-in for the kinds of rooms in NYUDv2 (section 2.3 of the dMTL specification): each is furnished
// for what it is for, and some things stand in any of them. Kitchens have counters, taps and tiles; washrooms have taps and tiles too,
// and cabinets are everywhere, so that no single thing tells a kitchen. A room is a pure function of its cohort and index.
import { type Random, random } from '../../../engine/index.ts';
import type { RoomCohortName } from '../rooms.ts';
import type { SceneCategory } from '../sets/nyud-scenes.ts';
import { between } from './draws.ts';
import { box, type Color, type Primitive, tube, type Vector } from './ray-primitives.ts';
import { cameraOf, type GeneratedRoom, type Part, pictureOf, type Surface, type Walls, wallsOf } from './room-view.ts';
import { bytesOf, colorAround, furniture, type Size, standing, stripes, surfaces as fewer } from './room-furniture.ts';

/** Raised when the recipe changes, so that older files are not taken for new ones. */
export const FURNISHED_VERSION = 1;

const surfaces = [
  ...fewer,
  { name: 'counter', color: [0.6, 0.56, 0.52] },
  { name: 'tap', color: [0.7, 0.72, 0.76] },
  { name: 'bed', color: [0.62, 0.58, 0.66] },
  { name: 'bathtub', color: [0.84, 0.84, 0.86] },
  { name: 'board', color: [0.5, 0.56, 0.52] },
  { name: 'shelves', color: [0.5, 0.42, 0.34] },
  { name: 'chair', color: [0.4, 0.36, 0.34] },
] as const satisfies readonly { readonly name: string; readonly color: Color }[];
type ClassName = (typeof surfaces)[number]['name'];

/** The classes of furnished rooms; the first are those of the other kinds. */
export const furnishedClasses: readonly ClassName[] = surfaces.map(({ name }) => name);
/** Their colours in figures: the means, as bytes. */
export const furnishedPalette = bytesOf(surfaces);
/** Metres beyond which none reaches. */
export const FURNISHED_RANGE = 10;

/** Metres over which light falls to 1 / e, and the side of a tile. */
const [FADING, TILE] = [25, 0.2];
/** How dark the joint between two tiles is, and its share of a tile's side. */
const [JOINT, JOINT_SHARE] = [0.72, 0.18];
/** Metres that a picture, a board or a mirror stands out from its wall. */
const THIN = 0.04;

/** What a room is furnished with: its own parts and those of its walls. */
interface Furnishing {
  readonly stream: Random;
  readonly walls: Walls;
  /** Adds boxes of one thing, all in one colour around that of its class. */
  put(name: ClassName, shape: (color: Color) => readonly Primitive[]): void;
}

/** A place along a length that something of this half width fits into. */
const along = (stream: Random, walls: Walls, half: number): number =>
  half < (walls.left + walls.right) / 2
    ? between(stream, -walls.left + half, walls.right - half)
    : (walls.right - walls.left) / 2;

/** A plate on four legs. */
const tableAt = ([x, floor, z]: Vector, [w, l, height]: Size, color: Color): Primitive[] =>
  furniture.find(({ name }) => name === 'table')!.shape([x, floor, z], [w, l, height], color);

/** A seat with a back towards the wall in front or, for `side` -1, towards the camera. */
const chairAt = ([x, floor, z]: Vector, side: number, color: Color): Primitive[] => [
  box([x, floor - 0.42, z], [0.2, 0.04, 0.2], color),
  box([x, floor - 0.65, z + 0.18 * side], [0.2, 0.25, 0.03], color),
  box([x, floor - 0.2, z], [0.04, 0.2, 0.04], color),
];

/** A tap with its spout, upright at a place. */
const tapAt = ([x, y, z]: Vector, color: Color): Primitive[] => [
  tube([x, y, z], [x, y - 0.28, z], 0.03, color),
  tube([x, y - 0.28, z], [x, y - 0.26, z - 0.2], 0.03, color),
];

function hangOnWall({ stream, walls, put }: Furnishing, name: ClassName, half: readonly [number, number], y: number) {
  const x = along(stream, walls, half[0]);
  put(name, (color) => [box([x, y, walls.back], [half[0], half[1], THIN], color)]);
}

/** A counter at the wall in front, with a tap where it has one. */
function putCounter({ stream, walls, put }: Furnishing, halfWidth: number): void {
  const [height, half] = [between(stream, 0.82, 0.95), 0.3];
  const x = along(stream, walls, halfWidth);
  const z = walls.back - half;
  put('counter', (color) => [standing([x, walls.floor, z], [halfWidth, half, height], color)]);
  const at = x + halfWidth * between(stream, -0.7, 0.7);
  put('tap', (color) => tapAt([at, walls.floor - height, z + 0.1], color));
}

function putTable({ stream, walls, put }: Furnishing, name: 'table' | 'counter' = 'table'): Vector {
  const size: Size = [between(stream, 0.5, 0.9), between(stream, 0.3, 0.45), between(stream, 0.68, 0.8)];
  const at: Vector = [along(stream, walls, size[0]), walls.floor, between(stream, 1.5, walls.back - 1)];
  put(name, (color) => tableAt(at, size, color));
  return at;
}

function putSofa({ stream, walls, put }: Furnishing): void {
  const sofa = furniture.find(({ name }) => name === 'sofa')!;
  const size = sofa.size(stream);
  const at: Vector = [along(stream, walls, size[0]), walls.floor, between(stream, 1.6, walls.back - size[1])];
  put('sofa', (color) => sofa.shape(at, size, color));
}

/** What each category has of its own. */
const furnish: Readonly<Record<SceneCategory, (room: Furnishing) => void>> = {
  kitchen(room) {
    const { stream, walls, put } = room;
    putCounter(room, between(stream, 0.7, 1.4));
    if (stream.uniform() < 0.7) {
      // Cabinets that hang over the counter.
      const half = between(stream, 0.4, 0.9);
      const x = along(stream, walls, half);
      put('cabinet', (color) => [box([x, walls.floor - 1.8, walls.back - 0.17], [half, 0.3, 0.17], color)]);
    }
    if (stream.uniform() < 0.5) {
      // A second counter along a side.
      const [side, length] = [stream.uniform() < 0.5 ? -walls.left + 0.3 : walls.right - 0.3, between(stream, 0.6, 1)];
      const z = walls.back - 0.6 - length;
      put('counter', (color) => [standing([side, walls.floor, z], [0.3, length, 0.9], color)]);
    }
    if (stream.uniform() < 0.4) putTable(room);
  },
  office(room) {
    const { stream, walls, put } = room;
    const [x, , z] = putTable(room);
    put('chair', (color) => chairAt([x + between(stream, -0.3, 0.3), walls.floor, z - 0.5], -1, color));
    put('board', (color) => [box([x, walls.floor - 1, z + 0.1], [0.25, 0.17, THIN], color)]);
    if (stream.uniform() < 0.5) putShelves(room, between(stream, 0.4, 0.7), walls.back - 0.2);
  },
  classroom(room) {
    const { stream, walls, put } = room;
    hangOnWall(room, 'board', [between(stream, 0.8, 1.3), between(stream, 0.4, 0.55)], -0.2);
    for (const z of [1.7, 2.9]) {
      if (z > walls.back - 0.6) continue;
      for (const side of [-1, 1]) {
        const at: Vector = [side * between(stream, 0.6, 1), walls.floor, z + between(stream, -0.15, 0.15)];
        put('table', (color) => tableAt(at, [0.35, 0.25, 0.7], color));
        put('chair', (color) => chairAt([at[0], at[1], at[2] - 0.4], -1, color));
      }
    }
  },
  'living room'(room) {
    putSofa(room);
    if (room.stream.uniform() < 0.6) putSofa(room);
    if (room.stream.uniform() < 0.6) putTable(room);
  },
  washroom(room) {
    const { stream, walls, put } = room;
    const length = between(stream, 0.7, 0.9);
    const x = along(stream, walls, length);
    const z = walls.back - between(stream, 0.4, 1);
    put('bathtub', (color) => [
      standing([x, walls.floor, z], [length, 0.36, 0.42], color),
      standing([x, walls.floor, z + 0.3], [length, 0.06, 0.55], color),
    ]);
    if (stream.uniform() < 0.7) putCounter(room, between(stream, 0.3, 0.5));
    if (stream.uniform() < 0.5) hangOnWall(room, 'picture', [0.3, 0.35], -0.3);
  },
  bedroom({ stream, walls, put }) {
    const [w, l] = [between(stream, 0.7, 1), between(stream, 0.8, 1)];
    const x = along(stream, walls, w);
    const z = walls.back - l;
    put('bed', (color) => [
      standing([x, walls.floor, z], [w, l, between(stream, 0.4, 0.6)], color),
      box([x, walls.floor - 0.5, walls.back - 0.05], [w, 0.5, 0.05], color),
    ]);
    put('bed', (color) => [box([x, walls.floor - 0.65, walls.back - 0.35], [0.6 * w, 0.08, 0.2], color)]);
  },
  store(room) {
    const { stream, walls } = room;
    for (let left = 2 + stream.integer(2); left > 0; left--) {
      putShelves(room, between(stream, 0.6, 1.1), between(stream, 1.8, walls.back - 0.2));
    }
  },
};

/** Planks one above the other, between two sides. */
function putShelves({ stream, walls, put }: Furnishing, w: number, z: number): void {
  const [x, height] = [along(stream, walls, w), between(stream, 1.3, 2)];
  put('shelves', (color) => [
    ...[-1, 1].map((side) => standing([x + side * w, walls.floor, z], [0.03, 0.2, height], color)),
    ...[0.1, 0.4, 0.7, 1].map((share) => box([x, walls.floor - share * height, z], [w, 0.03, 0.2], color)),
  ]);
}

/** What may stand in any room. */
function clutter(room: Furnishing): void {
  const { stream, walls, put } = room;
  for (let left = stream.integer(3); left > 0; left--) {
    const piece = furniture[stream.integer(furniture.length)]!;
    const size = piece.size(stream);
    const at: Vector = [along(stream, walls, size[0]), walls.floor, between(stream, 1.6, walls.back - size[1])];
    put(piece.name, (color) => piece.shape(at, size, color));
  }
  if (stream.uniform() < 0.4)
    hangOnWall(room, 'picture', [between(stream, 0.2, 0.5), between(stream, 0.15, 0.4)], -0.4);
}

/** Of eight rooms two are kitchens: about their share, with that of the largest category, in NYUDv2. */
const ORDER = ['kitchen', 'office', 'classroom', 'living room', 'kitchen', 'washroom', 'bedroom', 'store'] as const;
/** How often the wall of a category is tiled; elsewhere that happens too. */
const tiled: Readonly<Partial<Record<SceneCategory, number>>> = { kitchen: 0.6, washroom: 0.7 };
const TILED_ELSEWHERE = 0.1;

const labelOf = (name: ClassName): number => furnishedClasses.indexOf(name);
const isJoint = (place: number): boolean => place / TILE - Math.floor(place / TILE) < JOINT_SHARE;

/** The category of furnished room number `index` of either cohort. */
export const furnishedCategory = (index: number): SceneCategory => ORDER[index % ORDER.length]!;

/** Furnished room number `index` of a cohort. */
export function furnishedRoom(cohort: RoomCohortName, index: number): GeneratedRoom {
  const category = furnishedCategory(index);
  const stream = random(0, `furnished room, ${cohort}`, index);
  const camera = cameraOf(stream, 0.9);
  const walls = wallsOf(stream, 1);
  const surfaceOf = (name: ClassName): Surface => {
    const label = labelOf(name);
    return { label, color: colorAround(surfaces[label]!.color, stream) };
  };
  const shell: [Surface, Surface, Surface] = [surfaceOf('wall'), surfaceOf('floor'), surfaceOf('ceiling')];
  const hasTiles = stream.uniform() < (tiled[category] ?? TILED_ELSEWHERE);
  const parts: Part[] = [];
  const room: Furnishing = {
    stream,
    walls,
    put(name, shape) {
      const { label, color } = surfaceOf(name);
      parts.push(...shape(color).map((hit) => ({ label, hit })));
    },
  };
  furnish[category](room);
  clutter(room);
  const brightness = between(stream, 0.7, 1.1);
  const wall = labelOf('wall');
  const pattern = (label: number, place: Vector): number => {
    if (!hasTiles || label !== wall) return stripes(label, place);
    const [x, y, z] = place;
    // On a side wall z takes the place of x; of x itself all pixels there have the same.
    const across = x > -walls.left + THIN && x < walls.right - THIN ? x : z;
    return isJoint(across) || isJoint(y) ? JOINT : 1;
  };
  return pictureOf({ camera, walls, surfaces: shell, parts, brightness, fading: FADING, pattern }, stream);
}
