// Procedural pets (cross-stitch, section 8.3): picture, trimap, head box and species from one parametric drawing in the unit
// square. A stand-in that varies less than photographs. Sample i of a cohort is a function of (seed, cohort, i) and the size.
import { type Random, random } from '../../../engine/index.ts';
import {
  maskOfTrimap,
  type PetCohort,
  type PetCounts,
  type PetOptions,
  type PetSample,
  type PetSource,
  trimapClasses,
} from '../pets.ts';
import { between } from './draws.ts';
import { type Animal, drawAnimal, partAt, Part, toAnimal } from './pet-shapes.ts';

type Colour = readonly [number, number, number];

/** Base and second colour of a fur. The same for cats and dogs. */
const furs: readonly (readonly [Colour, Colour])[] = [
  [[0.72, 0.5, 0.28], [0.93, 0.85, 0.7]], // prettier-ignore
  [[0.22, 0.2, 0.2], [0.75, 0.72, 0.7]], // prettier-ignore
  [[0.55, 0.55, 0.57], [0.3, 0.3, 0.33]], // prettier-ignore
  [[0.9, 0.88, 0.84], [0.55, 0.42, 0.3]], // prettier-ignore
  [[0.42, 0.28, 0.18], [0.15, 0.1, 0.08]], // prettier-ignore
  [[0.8, 0.66, 0.48], [0.4, 0.3, 0.22]], // prettier-ignore
];

const anyColour = (stream: Random): Colour => [stream.uniform(), stream.uniform(), stream.uniform()];

/** Smooth noise in [-1, 1]: a random lattice of `cells` x `cells`, interpolated bilinearly over the unit square. */
function valueNoise(stream: Random, cells: number): (x: number, y: number) => number {
  const side = cells + 1;
  const lattice = stream.uniformArray(side * side).map((u) => 2 * u - 1);
  return (x, y) => {
    const [u, v] = [Math.min(0.9999, Math.max(0, x)) * cells, Math.min(0.9999, Math.max(0, y)) * cells];
    const [i, j] = [Math.floor(u), Math.floor(v)];
    const at = j * side + i;
    const top = lattice[at]! * (i + 1 - u) + lattice[at + 1]! * (u - i);
    const bottom = lattice[at + side]! * (i + 1 - u) + lattice[at + side + 1]! * (u - i);
    return top * (j + 1 - v) + bottom * (v - j);
  };
}

type Paint = (x: number, y: number, into: number[]) => void;

const set = (into: number[], [r, g, b]: Colour): void => {
  into[0] = r;
  into[1] = g;
  into[2] = b;
};

/** Rectangles, ellipses and striped rectangles behind the animal, some in colours of fur. */
function clutter(stream: Random): Paint[] {
  return Array.from({ length: 2 + stream.integer(4) }, () => {
    const colour = stream.uniform() < 0.4 ? furs[stream.integer(furs.length)]![stream.integer(2)]! : anyColour(stream);
    const kind = stream.integer(3);
    const [cx, cy] = [stream.uniform(), stream.uniform()];
    const [w, h] = [between(stream, 0.05, 0.22), between(stream, 0.05, 0.22)];
    return (x: number, y: number, into: number[]): void => {
      const [dx, dy] = [(x - cx) / w, (y - cy) / h];
      const inside = kind === 1 ? dx * dx + dy * dy < 1 : Math.abs(dx) < 1 && Math.abs(dy) < 1;
      if (inside && (kind !== 2 || Math.floor(6 * (dx + 1)) % 2 === 0)) set(into, colour);
    };
  });
}

/** Gradient, noise of two octaves, clutter, a floor line and the animal's shadow. */
function background(stream: Random, animal: Animal): Paint {
  const [from, to] = [anyColour(stream), anyColour(stream)];
  const diagonal = stream.uniform() < 0.5;
  const octaves = [valueNoise(stream, 4), valueNoise(stream, 8)] as const;
  const shapes = clutter(stream);
  const floor = between(stream, 0.6, 0.95);
  const { shadow } = animal;
  return (x, y, into) => {
    const t = diagonal ? (x + y) / 2 : y;
    for (let c = 0; c < 3; c++) into[c] = from[c]! * (1 - t) + to[c]! * t;
    for (const shape of shapes) shape(x, y, into);
    const dark = Math.hypot((x - shadow.x) / shadow.width, (y - shadow.y) / shadow.height);
    const light = (Math.abs(y - floor) < 0.006 ? 0.6 : 1) * (dark < 1 ? 0.55 + 0.45 * dark : 1);
    const noise = 0.15 * (octaves[0](x, y) + 0.5 * octaves[1](x, y));
    for (let c = 0; c < 3; c++) into[c] = light * (into[c]! + noise);
  };
}

/** Base colour with stripes or patches in half of the animals. */
function fur(stream: Random): Paint {
  const [base, second] = furs[stream.integer(furs.length)]!;
  const kind = stream.integer(4);
  const patches = valueNoise(stream, 7);
  const [frequency, slope] = [between(stream, 50, 90), between(stream, -0.6, 0.6)];
  return (x, y, into) => {
    const marked = kind === 0 ? Math.sin(frequency * (x + slope * y)) > 0.4 : kind === 1 && patches(x, y) > 0.25;
    set(into, marked ? second : base);
  };
}

/** Neighbours that a pass from the top, and one from the bottom, has been to. */
const before = [[-1, 0], [-1, -1], [0, -1], [1, -1]] as const; // prettier-ignore
const after = [[1, 0], [1, 1], [0, 1], [-1, 1]] as const; // prettier-ignore

/** Distance in pixels of every pixel to the nearest one of the other class, by two chamfer passes of weights 3 and 4. */
function distanceToContour(mask: Uint8Array, size: number): Float32Array {
  const toOther = (wanted: number): Float32Array => {
    const distance = Float32Array.from(mask, (value) => (value === wanted ? 0 : 1e6));
    const relax = (x: number, y: number, dx: number, dy: number): void => {
      if (x + dx < 0 || x + dx >= size || y + dy < 0 || y + dy >= size) return;
      const through = distance[(y + dy) * size + x + dx]! + (dx !== 0 && dy !== 0 ? 4 : 3);
      if (through < distance[y * size + x]!) distance[y * size + x] = through;
    };
    for (let i = 0; i < size * size; i++) {
      const [x, y] = [i % size, Math.floor(i / size)];
      for (const [dx, dy] of before) relax(x, y, dx, dy);
    }
    for (let i = size * size - 1; i >= 0; i--) {
      const [x, y] = [i % size, Math.floor(i / size)];
      for (const [dx, dy] of after) relax(x, y, dx, dy);
    }
    return distance;
  };
  const [toPet, toBackground] = [toOther(1), toOther(0)];
  return toPet.map((distance, i) => (mask[i] ? toBackground[i]! : distance) / 3);
}

/** Half the width of the border ring, relative to the side; at the least the pixels on both sides of the contour. */
const RING = 0.01;
/** Points per pixel along each side. */
const SUPERSAMPLING = 2;
const PIXEL_NOISE = 0.04;

/** A drawing before its trimap has become a mask. */
export interface DrawnPet {
  readonly image: Uint8Array;
  readonly trimap: Uint8Array;
  readonly box: PetSample['box'];
  readonly species: number;
}

/** Draws one animal and what is behind it. */
export function drawPet(stream: Random, size: number): DrawnPet {
  const species = stream.integer(2);
  const animal = drawAnimal(stream, species);
  const behind = background(stream, animal);
  const coat = fur(stream);
  const pixels = size * size;
  const labels = new Uint8Array(pixels * SUPERSAMPLING ** 2);
  const mask = new Uint8Array(pixels);
  let [left, top, right, bottom] = [size, size, 0, 0];
  const point = (i: number): number => (i + 0.5) / (size * SUPERSAMPLING);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const [px, py] = [pixel % size, Math.floor(pixel / size)];
    let covered = 0;
    for (let s = 0; s < SUPERSAMPLING ** 2; s++) {
      const sx = point(SUPERSAMPLING * px + (s % SUPERSAMPLING));
      const sy = point(SUPERSAMPLING * py + Math.floor(s / SUPERSAMPLING));
      const part = partAt(animal, ...toAnimal(animal, sx, sy));
      labels[pixel * SUPERSAMPLING ** 2 + s] = part;
      if (part !== Part.none) covered++;
      if (part === Part.head || part === Part.dark || part === Part.whisker) {
        [left, right] = [Math.min(left, px), Math.max(right, px + 1)];
        [top, bottom] = [Math.min(top, py), Math.max(bottom, py + 1)];
      }
    }
    mask[pixel] = Number(2 * covered >= SUPERSAMPLING ** 2);
  }
  const distance = distanceToContour(mask, size);
  const trimap = mask.map((value, i) => {
    if (distance[i]! - 0.5 <= Math.max(0.5, RING * size)) return trimapClasses.border;
    return value ? trimapClasses.pet : trimapClasses.background;
  });
  const image = new Uint8Array(3 * pixels);
  const colour = [0, 0, 0];
  for (let pixel = 0; pixel < pixels; pixel++) {
    const [px, py] = [pixel % size, Math.floor(pixel / size)];
    const shade = 0.72 + 0.28 * Math.min(1, distance[pixel]! / (0.08 * size));
    const sum = [0, 0, 0];
    for (let s = 0; s < SUPERSAMPLING ** 2; s++) {
      const sx = point(SUPERSAMPLING * px + (s % SUPERSAMPLING));
      const sy = point(SUPERSAMPLING * py + Math.floor(s / SUPERSAMPLING));
      const part = labels[pixel * SUPERSAMPLING ** 2 + s]!;
      if (part === Part.none) behind(sx, sy, colour);
      else if (part === Part.dark) set(colour, [0.05, 0.05, 0.06]);
      else if (part === Part.whisker) set(colour, [0.95, 0.95, 0.95]);
      else coat(...toAnimal(animal, sx, sy), colour);
      const light = part === Part.none ? 1 : shade;
      for (let c = 0; c < 3; c++) sum[c]! += light * colour[c]!;
    }
    for (let c = 0; c < 3; c++) {
      const value = sum[c]! / SUPERSAMPLING ** 2 + PIXEL_NOISE * stream.normal();
      image[3 * pixel + c] = Math.round(255 * Math.min(1, Math.max(0, value)));
    }
  }
  return { image, trimap, box: [left, top, right, bottom], species };
}

/** Generated pets in cohorts of the given sizes. */
export function generatedPets(counts: PetCounts, seed = 0): PetSource {
  return {
    name: 'generated pets',
    real: false,
    checksums: {},
    counts,
    sample(cohort: PetCohort, index: number, { size, borderIsPet }: PetOptions): PetSample {
      const { trimap, ...rest } = drawPet(random(seed, `generated pets, ${cohort}`, index), size);
      return { ...rest, mask: maskOfTrimap(trimap, borderIsPet, `generated pet ${index}`) };
    },
  };
}
