// What the WebGPU plans of SSIM have in common: the text before their modules, and passes over tiles as tile.wgsl has them.
import type { WebGpuFacts, WebGpuPass } from '../plan.ts';
import { foldGrid } from '../shared/webgpu-grid.ts';
import { floatFunctions } from '../shared/wgsl.ts';
import momentsModule from './moments.wgsl';
import type { SsimParams } from './ssim.ts';
import tileModule from './tile.wgsl';

/** Parameters, centre and moments: what stands before every SSIM module. */
export const ssimPrelude = floatFunctions + momentsModule;

/** The same for modules of tiles. */
export const tilePrelude = ssimPrelude + tileModule;

/** Threads of a workgroup: one for each four results of the widest tile. */
const THREADS = 128;
const TILE_HEIGHT = 16;
/** Of `rows` in tile.wgsl: what every adapter grants. */
const TILE_BYTES = 16384;

/** The widest tile whose rows fit. Windows of up to 17 rows get 32 columns, those of up to MAX_SSIM_WINDOW at least 4. */
const tileWidth = (windowH: number): number =>
  [32, 16, 8, 4].find((width) => 16 * width * (TILE_HEIGHT + windowH - 1) <= TILE_BYTES) ?? 4;

interface Tiled {
  readonly module: string;
  readonly height: number;
  readonly width: number;
  readonly planes: number;
  readonly bindings?: readonly string[];
  /** planeBegin and planeCount, for a pass over a part of the planes. */
  readonly constants?: Readonly<Record<string, number>>;
}

/** A pass over the tiles of some planes of a map. */
export function tiledPass({ windowH }: SsimParams, pass: Tiled, facts: WebGpuFacts): WebGpuPass {
  const { module, height, width, planes, bindings, constants } = pass;
  const tileW = tileWidth(windowH);
  const tiles = Math.ceil(height / TILE_HEIGHT) * Math.ceil(width / tileW);
  return {
    module,
    workgroups: foldGrid(planes * tiles, facts),
    constants: { workgroupSize: THREADS, tileW, tileH: TILE_HEIGHT, ...constants },
    ...(bindings ? { bindings } : {}),
  };
}
