// What all generated rooms have in common: a pinhole camera in a box-shaped room, a ray for each pixel. Metres, x right, y down, z forward,
// the camera at the origin. Leaves out what stands in a room, and shadows.
import type { Random } from '../../../engine/index.ts';
import { between } from './draws.ts';
import type { Color, Primitive, Vector } from './ray-primitives.ts';

/** Pixels along each side of a generated room. */
export const ROOM_SIDE = 64;
/** Standard deviation of a pixel around its colour. */
const PIXEL_NOISE = 0.06;

/** A generated room: red, green and blue, the class and the metres of each pixel, row-major. */
export interface GeneratedRoom {
  readonly image: Uint8Array;
  readonly labels: Uint8Array;
  readonly depth: Float32Array;
}

/** Something that stands in a room. */
export interface Part {
  readonly label: number;
  readonly hit: Primitive;
}

/** Metres from the camera to the floor and the ceiling, to the walls on both sides and to the one in front. */
export interface Walls {
  readonly floor: number;
  readonly ceiling: number;
  readonly left: number;
  readonly right: number;
  readonly back: number;
}

/** Walls as far away as those of houses, times `scale`. */
export function wallsOf(stream: Random, scale: number): Walls {
  const floor = between(stream, 1.2, 1.7);
  return {
    floor: scale * floor,
    ceiling: scale * (between(stream, 2.4, 3) - floor),
    left: scale * between(stream, 1.6, 2.8),
    right: scale * between(stream, 1.6, 2.8),
    back: scale * between(stream, 2.8, 5.5),
  };
}

/** A class with its colour in a room. */
export interface Surface {
  readonly label: number;
  readonly color: Color;
}

/** What a ray sees. */
interface Seen extends Surface {
  readonly t: number;
  readonly light: number;
}

/** The room around the camera: the nearest of its planes along a ray. */
const shellOf =
  (walls: Walls, [wall, floor, ceiling]: readonly [Surface, Surface, Surface]): ((direction: Vector) => Seen) =>
  ([dx, dy, dz]) => {
    const side = (dx > 0 ? walls.right : -walls.left) / dx;
    const back = dz > 0 ? walls.back / dz : Infinity;
    const level = (dy > 0 ? walls.floor : -walls.ceiling) / dy;
    const t = Math.min(side, back, level);
    const light = t === side ? 0.8 : t === back ? 0.9 : 1;
    return { t, light, ...(t !== level ? wall : dy > 0 ? floor : ceiling) };
  };

/** Where a camera looks. */
export interface Camera {
  /** Of the picture's side. */
  readonly focal: number;
  /** Radians aside and down. */
  readonly yaw: number;
  readonly pitch: number;
}

/** Beyond a certain yaw a ray could miss the wall in front and both sides. */
export function cameraOf(stream: Random, focal: number): Camera {
  const yaw = Math.min(0.7, Math.max(-0.7, 0.25 * stream.normal()));
  return { focal, yaw, pitch: 0.15 + 0.06 * stream.normal() };
}

/** What a camera is shown. */
export interface RoomView {
  readonly camera: Camera;
  readonly walls: Walls;
  /** Wall, floor and ceiling. */
  readonly surfaces: readonly [Surface, Surface, Surface];
  readonly parts: readonly Part[];
  readonly brightness: number;
  /** Metres over which light falls to 1 / e. */
  readonly fading: number;
  /** A stripe's or a tile's share of the light, at a place of a class. */
  pattern(label: number, place: Vector): number;
}

/** The picture of a room. The stream gives the noise of its pixels. */
export function pictureOf(view: RoomView, stream: Random): GeneratedRoom {
  const { camera, walls, surfaces, parts, brightness, fading } = view;
  const shell = shellOf(walls, surfaces);
  const pixels = ROOM_SIDE ** 2;
  const room = {
    image: new Uint8Array(3 * pixels),
    labels: new Uint8Array(pixels),
    depth: new Float32Array(pixels),
  };
  const noise = stream.normalArray(3 * pixels);
  const { yaw, pitch, focal } = camera;
  const [sp, cp, sy, cy] = [Math.sin(pitch), Math.cos(pitch), Math.sin(yaw), Math.cos(yaw)];
  for (let pixel = 0; pixel < pixels; pixel++) {
    const u = ((pixel % ROOM_SIDE) + 0.5) / ROOM_SIDE - 0.5;
    const v = (Math.floor(pixel / ROOM_SIDE) + 0.5) / ROOM_SIDE - 0.5;
    const [x, y] = [u / focal, v / focal];
    // A ray whose depth grows by 1 a unit, turned down by the pitch and aside by the yaw.
    const [ty, tz] = [cp * y + sp, cp - sp * y];
    const direction: Vector = [cy * x + sy * tz, ty, cy * tz - sy * x];
    let seen = shell(direction);
    for (const { label, hit } of parts) {
      const found = hit([0, 0, 0], direction);
      if (found && found.t < seen.t) seen = { ...found, label };
    }
    const { t, label, color, light } = seen;
    const place = direction.map((value) => value * t) as unknown as Vector;
    const shade = brightness * light * view.pattern(label, place) * Math.exp(-t / fading);
    room.labels[pixel] = label;
    room.depth[pixel] = t;
    for (let c = 0; c < 3; c++) {
      const value = shade * color[c]! + PIXEL_NOISE * noise[3 * pixel + c]!;
      room.image[3 * pixel + c] = Math.round(255 * Math.min(1, Math.max(0, value)));
    }
  }
  return room;
}
