// Generated scenes of one object before a wall, the stand-in for Redwood's object scans (section 8.3 of the DenseDepth
// specification): a ray for each pixel against boxes, cylinders, discs and tubes, shading by face, and a sensor that measures
// nothing far away, at edges, at the border and on half of the dark pixels. A scene is a pure function of its cohort, index and
// class. Leaves out shadows and lens distortion.
import { type Random, random } from '../../../engine/index.ts';
import type { ObjectScene } from '../object-scenes.ts';
import { between } from './draws.ts';
import { annulus, box, type Color, cylinder, type Primitive, tube, type Vector } from './ray-primitives.ts';

/** Pixels of a generated scene. */
export const [OBJECT_SCENE_WIDTH, OBJECT_SCENE_HEIGHT] = [128, 96];
/** Raised when the recipe changes, so that older files are not taken for new ones. */
export const OBJECT_SCENE_VERSION = 1;

const [W, H] = [OBJECT_SCENE_WIDTH, OBJECT_SCENE_HEIGHT];
const FOCAL = 0.82 * W;
/** Metres beyond which the sensor measures nothing. */
const FARTHEST = 8;
/** Relative steps of depth that are edges, from column to column and from row to row. */
const [EDGE_ACROSS, EDGE_DOWN] = [0.06, 0.08];
/** Brightness below which half of the pixels are not measured, from 0 to 1. */
const DARK = 0.08;
const NOISE = 6;

const dark: Color = [0.06, 0.06, 0.07];

/** Its primitives around the origin on the ground, x along its length, and how far off it stands. */
function car(stream: Random, color: Color): [Primitive[], number] {
  const wheels = [-1.2, 1.2].flatMap((x) => [-0.75, 0.75].map((z) => box([x, 0.3, z], [0.3, 0.3, 0.1], dark)));
  const glass: Color = [0.6 * color[0], 0.6 * color[1], 0.6 * color[2]];
  const parts = [box([0, 0.57, 0], [1.9, 0.32, 0.8], color), box([0.1, 1.17, 0], [1, 0.28, 0.7], glass), ...wheels];
  return [parts, between(stream, 2.6, 4.6)];
}

function container(stream: Random, color: Color): [Primitive[], number] {
  const [radius, height] = [between(stream, 0.25, 0.42), between(stream, 0.7, 1.1)];
  const isRound = stream.uniform() < 0.5;
  const body = isRound ? cylinder(radius, height, color) : box([0, height / 2, 0], [radius, height / 2, radius], color);
  const lid: Color = [0.7 * color[0], 0.7 * color[1], 0.7 * color[2]];
  const slab = box([0, height + 0.04, 0], [1.1 * radius, 0.04, 1.1 * radius], lid);
  return [[body, slab], between(stream, 1.3, 3)];
}

function bicycle(stream: Random, color: Color): [Primitive[], number] {
  const [back, front]: Vector[] = [[-0.52, 0.34, 0], [0.52, 0.34, 0]]; // prettier-ignore
  const [crank, seat, head]: Vector[] = [[-0.08, 0.3, 0], [-0.2, 0.78, 0], [0.36, 0.74, 0]]; // prettier-ignore
  const [saddle, bar]: Vector[] = [[-0.25, 0.95, 0], [0.32, 0.98, 0]]; // prettier-ignore
  const links = [
    [back, crank],
    [back, seat],
    [crank, seat],
    [crank, head],
    [seat, head],
    [head, front],
    [seat, saddle],
    [head, bar],
    [[-0.35, 0.95, 0], [-0.12, 0.96, 0]],
  ] as const; // prettier-ignore
  const parts = [
    ...[back!, front!].flatMap((hub) => [annulus(hub, 0.31, 0.37, dark), annulus(hub, 0, 0.04, dark)]),
    ...links.map(([from, to]) => tube(from!, to!, 0.028, color)),
  ];
  return [parts, between(stream, 1.5, 3)];
}

/** In the order of `objectClasses`. */
const makers = [car, container, bicycle] as const;

/** Noise in [0, 1) that belongs to a cell of the ground. */
function cellNoise(salt: number, i: number, j: number): number {
  let h = Math.imul(i ^ salt, 0x85ebca6b) ^ Math.imul(j, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return ((h ^ (h >>> 13)) >>> 0) / 2 ** 32;
}

/** Metres to what lies behind the object, along a ray whose depth grows by 1 a unit, and its colour; infinite in the sky. */
function backgroundOf(stream: Random, height: number, nearest: number) {
  const wall = Math.max(between(stream, 3, 7.5), nearest);
  const top = between(stream, 1.5, 5);
  const shade = (low: number, high: number): Color =>
    [0, 0, 0].map(() => between(stream, low, high)) as unknown as Color;
  const [ground, brick, mortar, sky] = [shade(0.25, 0.6), shade(0.3, 0.75), shade(0.5, 0.8), shade(0.6, 0.95)];
  const salt = stream.word();
  return (d: Vector): { t: number; color: Color; light: number } => {
    const tGround = d[1] < 0 ? -height / d[1] : Infinity;
    const tWall = d[2] > 0 ? wall / d[2] : Infinity;
    const y = height + d[1] * tWall;
    if (tWall < tGround && y < top) {
      const row = Math.floor(y / 0.12);
      const along = d[0] * tWall + (row % 2) * 0.14;
      const isMortar = y - 0.12 * row < 0.02 || along / 0.28 - Math.floor(along / 0.28) < 0.07;
      return { t: tWall, color: isMortar ? mortar : brick, light: 1 };
    }
    if (tGround === Infinity) return { t: Infinity, color: sky, light: 1 };
    const noise = cellNoise(salt, Math.floor(6 * d[0] * tGround), Math.floor(6 * d[2] * tGround));
    return { t: tGround, color: ground, light: 0.8 + 0.4 * noise };
  };
}

/** Millimetres as a sensor gives them, 0 where it measures nothing. */
function measure(metres: Float64Array, color: Uint8Array, stream: Random): Uint16Array {
  const lost = Uint8Array.from(metres, (z) => Number(!(z <= FARTHEST)));
  const edge = (a: number, b: number, step: number): void => {
    if (Math.abs(Math.log(metres[a]! / metres[b]!)) > step) for (const k of [a, b]) lost[k] = 1;
  };
  for (let y = 0; y < H; y++) {
    for (let x = 0; x < W; x++) {
      const k = y * W + x;
      if (x + 1 < W) edge(k, k + 1, EDGE_ACROSS);
      if (y + 1 < H) edge(k, k + W, EDGE_DOWN);
    }
  }
  const frame = 2 + stream.integer(2);
  const strip = 3 + stream.integer(5);
  const drawn = stream.uniformArray(W * H);
  return Uint16Array.from(metres, (z, k) => {
    const [x, y] = [k % W, Math.floor(k / W)];
    const isBorder = Math.min(x, y, H - 1 - y) < frame || x >= W - strip;
    const light = (color[3 * k]! + color[3 * k + 1]! + color[3 * k + 2]!) / (3 * 255);
    const isLost = lost[k] === 1 || isBorder || (light < DARK && drawn[k]! < 0.5);
    return isLost ? 0 : Math.round(1000 * z);
  });
}

/** A generated scene, and which of red, green and blue its object has most of. */
export interface MadeScene extends ObjectScene {
  readonly dominant: number;
}

/** Scene number `index` of a class. Scenes of different cohorts have nothing in common. */
export function objectScene(cohort: string, index: number, label: number): MadeScene {
  const stream = random(0, `object scene, ${cohort}, ${label}`, index);
  const height = between(stream, 1, 1.7);
  const [pitch, roll] = [between(stream, 0.05, 0.35), 0.04 * stream.normal()];
  const color: Color = [between(stream, 0.1, 0.95), between(stream, 0.1, 0.95), between(stream, 0.1, 0.95)];
  const [parts, distance] = makers[label]!(stream, color);
  const [yaw, lateral] = [between(stream, -1, 1) * (label === 1 ? Math.PI : 0.9), 0.18 * stream.normal()];
  const background = backgroundOf(stream, height, distance + 0.9);
  const brightness = between(stream, 0.4, 1.2);
  const [sp, cp, sr, cr, sy, cy] = [pitch, roll, yaw].flatMap((a) => [Math.sin(a), Math.cos(a)]) as
    [number, number, number, number, number, number]; // prettier-ignore
  // The camera in the coordinates of the object.
  const [ox, oz] = [-lateral, -distance];
  const origin: Vector = [cy * ox + sy * oz, height, cy * oz - sy * ox];
  const metres = new Float64Array(W * H);
  const pixels = new Uint8Array(3 * W * H);
  const noise = stream.normalArray(pixels.length);
  for (let k = 0; k < W * H; k++) {
    const [u, v] = [((k % W) + 0.5 - W / 2) / FOCAL, (H / 2 - Math.floor(k / W) - 0.5) / FOCAL];
    const [x, y] = [cr * u - sr * v, sr * u + cr * v];
    const d: Vector = [x, cp * y - sp, sp * y + cp];
    let { t, color: seen, light } = background(d);
    const own: Vector = [cy * d[0] + sy * d[2], d[1], cy * d[2] - sy * d[0]];
    for (const part of parts) {
      const hit = part(origin, own);
      if (hit && hit.t < t) ({ t, color: seen, light } = hit);
    }
    metres[k] = t;
    for (let c = 0; c < 3; c++) {
      const value = 255 * seen[c]! * light * brightness + NOISE * noise[3 * k + c]!;
      pixels[3 * k + c] = Math.round(Math.min(255, Math.max(0, value)));
    }
  }
  const depth = measure(metres, pixels, stream);
  const dominant = color.indexOf(Math.max(...color));
  return { width: W, height: H, color: pixels, depth, label, dominant };
}
