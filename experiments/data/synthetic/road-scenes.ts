// Generated road scenes, the stand-in for KITTI below paper size (section 8.3 of the MultiDepth specification): a camera over
// a textured road between facades, cars, trees and poles, with a sparse depth map. A scene is a pure function of its cohort
// and index. Leaves out shading, curves and slopes.
import { type Random, random } from '../../../engine/index.ts';
import type { ColorImage, DepthImage } from '../formats/png.ts';
import { depthUnits } from '../formats/png.ts';
import { between } from './draws.ts';

/** Width of a generated road scene in pixels. */
export const SCENE_WIDTH = 320;
/** Height of a generated road scene in pixels. */
export const SCENE_HEIGHT = 96;
/** Raised when the recipe changes, so that older files are not taken for new ones. */
export const SCENE_VERSION = 1;

/** Pixels. */
const FOCAL = 186;
/** Metres between which a depth is kept. */
const [NEAREST, FARTHEST] = [2, 120];

/** Red, green and blue, 0 to 255 each. */
export type Color = readonly [red: number, green: number, blue: number];

interface Camera {
  readonly column: number;
  readonly horizon: number;
  readonly height: number;
}

interface Road {
  readonly halfWidth: number;
  readonly offset: number;
}

const logBetween = (stream: Random, low: number, high: number): number =>
  Math.exp(between(stream, Math.log(low), Math.log(high)));
const countBetween = (stream: Random, low: number, high: number): number => low + stream.integer(high - low + 1);
const greyish = (stream: Random, low: number, high: number, tint: number): Color => {
  const grey = between(stream, low, high);
  const channel = (): number => grey + between(stream, -tint, tint);
  return [channel(), channel(), channel()];
};
const times = ([r, g, b]: Color, factor: number): Color => [r * factor, g * factor, b * factor];

/** Noise in [0, 1) that belongs to a cell of a grid: an integer hash. */
function cellNoise(salt: number, i: number, j: number): number {
  let h = Math.imul(i ^ salt, 0x85ebca6b) ^ Math.imul(j, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32;
}

/** Colours in [0, 1] and depths of all pixels; nearer things win. */
class Canvas {
  readonly color = new Float64Array(3 * SCENE_WIDTH * SCENE_HEIGHT);
  readonly depth = new Float64Array(SCENE_WIDTH * SCENE_HEIGHT).fill(Infinity);

  put(pixel: number, z: number, [r, g, b]: Color): void {
    if (z > this.depth[pixel]!) return;
    this.depth[pixel] = z;
    this.color[3 * pixel] = r;
    this.color[3 * pixel + 1] = g;
    this.color[3 * pixel + 2] = b;
  }
}

function paintSky(canvas: Canvas, top: Color, bottom: Color, horizon: number): void {
  for (let row = 0; row < SCENE_HEIGHT; row++) {
    const share = Math.min(1, row / horizon);
    const color = top.map((value, i) => value + (bottom[i]! - value) * share) as [number, number, number];
    for (let column = 0; column < SCENE_WIDTH; column++) canvas.put(row * SCENE_WIDTH + column, Infinity, color);
  }
}

function paintGround(canvas: Canvas, camera: Camera, road: Road, stream: Random): void {
  const asphalt = greyish(stream, 0.28, 0.45, 0.02);
  const verge: Color = [between(stream, 0.25, 0.5), between(stream, 0.35, 0.5), between(stream, 0.15, 0.3)];
  const paint = greyish(stream, 0.75, 0.9, 0.02);
  const salt = stream.word();
  for (let row = Math.max(0, Math.ceil(camera.horizon + 0.5)); row < SCENE_HEIGHT; row++) {
    const z = (FOCAL * camera.height) / (row - camera.horizon);
    for (let column = 0; column < SCENE_WIDTH; column++) {
      const x = ((column - camera.column) / FOCAL) * z - road.offset;
      const noise = 0.12 * (cellNoise(salt, Math.floor(2 * x), Math.floor(2 * z)) - 0.5);
      const isEdge = Math.abs(Math.abs(x) - road.halfWidth + 0.3) < 0.1;
      const isDash = Math.abs(x) < 0.1 && z % 12 < 6;
      const base = isEdge || isDash ? paint : Math.abs(x) < road.halfWidth ? asphalt : verge;
      canvas.put(row * SCENE_WIDTH + column, z, times(base, 1 + noise));
    }
  }
}

/** Calls `paint` for the pixels of an upright rectangle at distance z; heights are metres above the ground. */
function eachPixel(
  camera: Camera,
  [left, right]: readonly [number, number],
  [low, high]: readonly [number, number],
  z: number,
  paint: (pixel: number, x: number, y: number) => void,
): void {
  const column = (x: number): number => camera.column + (FOCAL * x) / z;
  const row = (y: number): number => camera.horizon + (FOCAL * (camera.height - y)) / z;
  const last = { row: Math.min(SCENE_HEIGHT - 1, row(low)), column: Math.min(SCENE_WIDTH - 1, column(right)) };
  for (let v = Math.max(0, Math.ceil(row(high))); v <= last.row; v++) {
    for (let u = Math.max(0, Math.ceil(column(left))); u <= last.column; u++) {
      paint(v * SCENE_WIDTH + u, ((u - camera.column) * z) / FOCAL, camera.height - ((v - camera.horizon) * z) / FOCAL);
    }
  }
}

/** A plane along the road: every column sees it at one distance. */
function paintFacade(canvas: Canvas, camera: Camera, road: Road, side: -1 | 1, stream: Random): void {
  const x = road.offset + side * (road.halfWidth + between(stream, 2, 7));
  const start = between(stream, 4, 25);
  const end = start + between(stream, 15, 90);
  const height = between(stream, 3, 12);
  const wall = greyish(stream, 0.3, 0.8, 0.12);
  for (let column = 0; column < SCENE_WIDTH; column++) {
    const z = (x * FOCAL) / (column - camera.column);
    if (!(z >= start && z <= end)) continue;
    for (let row = 0; row < SCENE_HEIGHT; row++) {
      const y = camera.height - ((row - camera.horizon) * z) / FOCAL;
      if (y < 0 || y > height) continue;
      const isWindow = z % 3 > 0.9 && z % 3 < 2.1 && y % 3 > 1 && y % 3 < 2.3;
      canvas.put(row * SCENE_WIDTH + column, z, times(wall, isWindow ? 0.45 : 1));
    }
  }
}

function paintCar(canvas: Canvas, camera: Camera, road: Road, z: number, stream: Random): void {
  const x = road.offset + between(stream, -road.halfWidth + 1, road.halfWidth - 1);
  const body: Color = [stream.uniform(), stream.uniform(), stream.uniform()];
  eachPixel(camera, [x - 0.9, x + 0.9], [0, 1.5], z, (pixel, _, y) => {
    const isDark = y < 0.25 || (y > 0.85 && y < 1.3);
    canvas.put(pixel, z, isDark ? [0.08, 0.08, 0.1] : body);
  });
}

function paintTreeOrPole(canvas: Canvas, camera: Camera, road: Road, stream: Random): void {
  const z = logBetween(stream, 5, 80);
  const side = stream.uniform() < 0.5 ? -1 : 1;
  const x = road.offset + side * (road.halfWidth + between(stream, 0.5, 6));
  const height = between(stream, 3, 6);
  const trunk = greyish(stream, 0.2, 0.5, 0.05);
  eachPixel(camera, [x - 0.15, x + 0.15], [0, height], z, (pixel) => canvas.put(pixel, z, trunk));
  if (stream.uniform() < 0.5) return;
  const [halfWidth, halfHeight] = [between(stream, 0.8, 2), between(stream, 1, 2)];
  const leaves: Color = [between(stream, 0.1, 0.3), between(stream, 0.3, 0.5), between(stream, 0.05, 0.2)];
  const salt = stream.word();
  const range = [x - halfWidth, x + halfWidth] as const;
  eachPixel(camera, range, [height - halfHeight, height + halfHeight], z, (pixel, px, py) => {
    if (((px - x) / halfWidth) ** 2 + ((py - height) / halfHeight) ** 2 > 1) return;
    const noise = cellNoise(salt, Math.floor(px * 5), Math.floor(py * 5));
    canvas.put(pixel, z, times(leaves, 0.7 + 0.6 * noise));
  });
}

/** Haze towards the sky, brightness of the scene and noise of the pixels. */
function develop(canvas: Canvas, sky: Color, stream: Random): Uint8Array {
  const range = between(stream, 150, 400);
  const brightness = between(stream, 0.55, 1.15);
  const noise = stream.normalArray(canvas.color.length);
  return Uint8Array.from(canvas.color, (value, i) => {
    const clear = Math.exp(-canvas.depth[Math.floor(i / 3)]! / range);
    // The sky is infinitely far and keeps its own colour.
    const seen = clear === 0 ? value : value * clear + sky[i % 3]! * (1 - clear);
    return Math.round(Math.min(255, Math.max(0, 255 * seen * brightness + 5 * noise[i]!)));
  });
}

/** What a lidar would have measured: by row and scan line, less far away and beside edges. */
function measure(depth: Float64Array, stream: Random): Uint16Array {
  const dense = stream.uniform() < 0.95;
  const quality = 10 ** (dense ? between(stream, -0.25, 0) : between(stream, -1.2, -0.5));
  const drawn = stream.uniformArray(depth.length);
  return Uint16Array.from(depth, (z, pixel) => {
    if (!(z >= NEAREST && z <= FARTHEST)) return 0;
    const [row, column] = [Math.floor(pixel / SCENE_WIDTH), pixel % SCENE_WIDTH];
    const rise = Math.min(1, Math.max(0, (row / SCENE_HEIGHT - 0.22) / 0.28));
    let probability = 0.235 * 1.18 * rise * (1 + 0.8 * Math.cos((2 * Math.PI * row) / 3)) * quality;
    if (z > 80) probability *= (0.5 * (125 - z)) / 45;
    const beside = [column > 0 ? depth[pixel - 1]! : z, column < SCENE_WIDTH - 1 ? depth[pixel + 1]! : z];
    if (beside.some((other) => Math.abs(Math.log(other / z)) > 0.15)) probability *= 0.3;
    return drawn[pixel]! < probability ? depthUnits(z) : 0;
  });
}

/** A generated road scene: what a camera sees, what a LiDAR measures, and the truth. */
export interface RoadScene {
  readonly color: ColorImage;
  readonly depth: DepthImage;
  /** Metres of every pixel before measuring; infinite in the sky. */
  readonly dense: Float64Array;
}

/** Scene number `index` of a cohort. */
export function roadScene(cohort: 'train' | 'validation', index: number): RoadScene {
  const stream = random(0, `road scene, ${cohort}`, index);
  const camera: Camera = {
    column: SCENE_WIDTH / 2 + between(stream, -4, 4),
    horizon: 0.4 * SCENE_HEIGHT + between(stream, -1.5, 1.5),
    height: 1.65 + between(stream, -0.05, 0.05),
  };
  const road: Road = { halfWidth: between(stream, 3.5, 6.5), offset: 0.8 * stream.normal() };
  const canvas = new Canvas();
  const zenith: Color = [between(stream, 0.35, 0.6), between(stream, 0.5, 0.75), between(stream, 0.75, 0.95)];
  const sky = greyish(stream, 0.7, 0.95, 0.05);
  paintSky(canvas, zenith, sky, camera.horizon);
  paintGround(canvas, camera, road, stream);
  for (const side of [-1, 1] as const) {
    if (stream.uniform() < 0.75) paintFacade(canvas, camera, road, side, stream);
  }
  for (let left = countBetween(stream, 3, 9); left > 0; left--) {
    paintCar(canvas, camera, road, logBetween(stream, 4, 90), stream);
  }
  if (stream.uniform() < 0.35) paintCar(canvas, camera, road, between(stream, 2.2, 5), stream);
  for (let left = countBetween(stream, 2, 9); left > 0; left--) paintTreeOrPole(canvas, camera, road, stream);
  const size = { width: SCENE_WIDTH, height: SCENE_HEIGHT };
  return {
    color: { ...size, data: develop(canvas, sky, stream) },
    depth: { ...size, data: measure(canvas.depth, stream) },
    dense: canvas.depth,
  };
}
