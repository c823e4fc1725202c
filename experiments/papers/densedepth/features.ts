// Feature maps of a frozen backbone, computed once a run for each scene and variant and kept on the host: in memory where they are
// few, otherwise in a file that goes with the process. They are made a block of neighbouring scenes at a time, so that their bits do
// not depend on which batch asks first, or on a stop.
import { mkdtemp, open, type FileHandle, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { noGrad, scope, tensor } from '../../../engine/index.ts';
import type { Taps } from '../../../models/index.ts';
import { makeFolder } from '../../runner/files.ts';
import type { Place, Pool } from './samples.ts';
import { pixelsOf, VARIANTS } from './samples.ts';
import type { SceneNetwork } from './network.ts';

/** Bytes of features kept in memory, and in a file; what is more is not kept. */
const [MEMORY, DISK] = [256e6, 64e9];
/** Scenes whose features are computed together. */
const BLOCK = 16;
const BYTES = Float32Array.BYTES_PER_ELEMENT;

const names = ['half', 'quarter', 'eighth', 'sixteenth', 'mid'] as const satisfies readonly (keyof Taps)[];

type Shapes = Readonly<Record<(typeof names)[number], readonly number[]>>;

/** Where the features of a picture are, by number. */
interface Shelf {
  get(record: number): Promise<Float32Array | undefined>;
  put(record: number, values: Float32Array): Promise<void>;
  close(): Promise<void>;
}

function shelfInMemory(): Shelf {
  const kept = new Map<number, Float32Array>();
  return {
    get: (record) => Promise.resolve(kept.get(record)),
    put: (record, values) => Promise.resolve(void kept.set(record, values)),
    close: () => Promise.resolve(kept.clear()),
  };
}

/** One file with a place for each record. Its folder is taken away at the end. */
async function shelfOnDisk(parent: string, length: number): Promise<Shelf> {
  await makeFolder(parent);
  const folder = await mkdtemp(path.join(parent, 'features-'));
  const file: FileHandle = await open(path.join(folder, 'features.f32'), 'w+');
  const written = new Set<number>();
  return {
    async get(record) {
      if (!written.has(record)) return undefined;
      const values = new Float32Array(length);
      await file.read(values, 0, values.byteLength, record * values.byteLength);
      return values;
    },
    async put(record, values) {
      await file.write(values, 0, values.byteLength, record * values.byteLength);
      written.add(record);
    },
    async close() {
      await file.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export class Features {
  readonly #network: SceneNetwork;
  readonly #pool: Pool;
  readonly #shapes: Shapes;
  readonly #length: number;
  readonly #shelf: Shelf;

  private constructor(network: SceneNetwork, pool: Pool, shapes: Shapes, shelf: Shelf) {
    this.#network = network;
    this.#pool = pool;
    this.#shapes = shapes;
    this.#length = lengthOf(shapes);
    this.#shelf = shelf;
  }

  /** Undefined where there would be too much to keep. `folder` is where a file may be made; the system's own without one. */
  static async make(
    network: SceneNetwork,
    pool: Pool,
    { width, height }: { readonly width: number; readonly height: number },
    {
      memory = MEMORY,
      disk = DISK,
      folder = os.tmpdir(),
    }: { memory?: number; disk?: number; folder?: string | undefined } = {},
  ): Promise<Features | undefined> {
    const widths = network.widths;
    if (!widths) return undefined;
    const shapes = Object.fromEntries(
      names.map((name, i) => [name, [widths[name], height / 2 ** (i + 1), width / 2 ** (i + 1)]]),
    ) as unknown as Shapes;
    const bytes = lengthOf(shapes) * BYTES * pool.scenes.count * VARIANTS;
    if (bytes > disk) return undefined;
    const shelf = bytes <= memory ? shelfInMemory() : await shelfOnDisk(folder, lengthOf(shapes));
    return new Features(network, pool, shapes, shelf);
  }

  /** The feature maps of some pictures, as the backbone would give them. */
  async of(places: readonly Place[]): Promise<Taps> {
    const records: Float32Array[] = [];
    for (const { scene, variant } of places) records.push(await this.#record(scene, variant));
    let at = 0;
    const taps = names.map((name) => {
      const shape = this.#shapes[name];
      const size = shape.reduce((product, n) => product * n, 1);
      const values = new Float32Array(size * places.length);
      records.forEach((record, n) => values.set(record.subarray(at, at + size), n * size));
      at += size;
      return [name, tensor(values, [places.length, ...shape])] as const;
    });
    return Object.fromEntries(taps) as unknown as Taps;
  }

  async #record(scene: number, variant: number): Promise<Float32Array> {
    const known = await this.#shelf.get(scene * VARIANTS + variant);
    if (known) return known;
    const made = await this.#block(scene - (scene % BLOCK), variant);
    return made[scene % BLOCK]!;
  }

  /** Computes and keeps the features of a block of scenes. */
  async #block(first: number, variant: number): Promise<Float32Array[]> {
    using _ = scope();
    const count = Math.min(BLOCK, this.#pool.scenes.count - first);
    const scenes = await Promise.all(Array.from({ length: count }, (_, i) => this.#pool.scenes.read(first + i)));
    const { width, height } = scenes[0]!;
    const pixels = tensor(pixelsOf(scenes, new Array<number>(count).fill(variant)), [count, 3, height, width]);
    const taps = noGrad(() => this.#network.encode(pixels));
    const records = scenes.map(() => new Float32Array(this.#length));
    let at = 0;
    for (const name of names) {
      const values = await taps[name].array();
      const size = values.length / count;
      records.forEach((record, n) => record.set(values.subarray(n * size, (n + 1) * size), at));
      at += size;
    }
    for (const [n, record] of records.entries()) await this.#shelf.put((first + n) * VARIANTS + variant, record);
    return records;
  }

  close(): Promise<void> {
    return this.#shelf.close();
  }
}

const lengthOf = (shapes: Shapes): number =>
  Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((product, n) => product * n, 1), 0);
