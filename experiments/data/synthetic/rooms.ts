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
import { box, type Color, type Vector } from './ray-primitives.ts';
import {
  bytesOf,
  type ClassName,
  colorAround,
  furniture,
  labelOf,
  type Size,
  standing,
  stripes,
  surfaces,
} from './room-furniture.ts';
import { cameraOf, type GeneratedRoom, type Part, pictureOf, type Surface, type Walls, wallsOf } from './room-view.ts';

export { type GeneratedRoom, ROOM_SIDE } from './room-view.ts';

/** Raised when the recipe changes, so that older files are not taken for new ones. */
export const ROOM_VERSION = 1;

/** The classes of generated rooms. */
export const roomClasses: readonly ClassName[] = surfaces.map(({ name }) => name);
/** Their colours in figures: the means, as bytes. */
export const roomPalette = bytesOf(surfaces);
/** Metres beyond which no room of a kind reaches. */
export const roomRange: Readonly<Record<RoomKind, number>> = { easy: 10, harder: 13 };

/** Metres over which light falls to 1 / e. */
const FADING = { easy: 25, harder: 9 } as const;

/** Sizes that a kind of rooms draws. */
const drawn = {
  easy: () => ({ focal: 0.9, scale: 1, stretch: () => 1 }),
  harder: (stream: Random) => ({
    focal: between(stream, 0.7, 1.2),
    scale: Math.exp(between(stream, Math.log(0.42), Math.log(2.1))),
    stretch: () => 2 ** between(stream, -0.5, 0.5),
  }),
} as const satisfies Record<RoomKind, (stream: Random) => { focal: number; scale: number; stretch: () => number }>;

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
