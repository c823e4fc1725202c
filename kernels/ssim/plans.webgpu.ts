// WebGPU plans of SSIM: a workgroup per tile. The gradient takes two passes with the factors between them in scratch, for as
// many planes at a time as a binding holds. Slower ways to the same map are in ladder.ts.
import type { PlanTable, WebGpuFacts, WebGpuPass, WebGpuPlanner } from '../plan.ts';
import { foldGrid } from '../webgpu-grid.ts';
import { floatFunctions } from '../wgsl.ts';
import backwardModule from './backward.wgsl';
import derivativesModule from './derivatives.wgsl';
import momentsModule from './moments.wgsl';
import { ssim, ssimBackward, type SsimParams } from './ssim.ts';
import ssimModule from './ssim.wgsl';
import tileModule from './tile.wgsl';

/** Parameters, centre and moments: what stands before every SSIM module. */
export const ssimPrelude = floatFunctions + momentsModule;

const ssimText = ssimPrelude + tileModule + ssimModule;
const derivativesText = ssimPrelude + tileModule + derivativesModule;
const backwardText = ssimPrelude + tileModule + backwardModule;

/** Threads of a workgroup: one for each four results of the widest tile. */
const THREADS = 128;
const TILE_HEIGHT = 16;
/** Of `rows` in tile.wgsl: what every adapter grants. */
const TILE_BYTES = 16384;
/** Of the gradient's scratch. */
const MAX_FACTOR_BYTES = 2 ** 28;

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
function tiledPass({ windowH }: SsimParams, pass: Tiled, facts: WebGpuFacts): WebGpuPass {
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

const ssimPlan: WebGpuPlanner<SsimParams> = (p, facts) => {
  const all = { height: p.outH, width: p.outW, planes: p.planes };
  return { name: 'tiles', passes: [tiledPass(p, { module: ssimText, ...all }, facts)] };
};

const ssimBackwardPlan: WebGpuPlanner<SsimParams> = (p, facts) => {
  const planeBytes = 16 * p.outH * p.outW;
  const room = Math.min(MAX_FACTOR_BYTES, facts.maxStorageBufferBindingSize);
  const atOnce = Math.max(1, Math.min(p.planes, Math.floor(room / planeBytes)));
  const passes: WebGpuPass[] = [];
  for (let planeBegin = 0; planeBegin < p.planes; planeBegin += atOnce) {
    const planes = Math.min(atOnce, p.planes - planeBegin);
    const part = planes < p.planes ? { planes, constants: { planeBegin, planeCount: planes } } : { planes };
    const first = { module: derivativesText, height: p.outH, width: p.outW, ...part };
    const second = { module: backwardText, height: p.inH, width: p.inW, ...part };
    passes.push(
      tiledPass(p, { ...first, bindings: ['x', 'y', 'window', 'g', 'factors*'] }, facts),
      tiledPass(p, { ...second, bindings: ['x', 'y', 'window', 'factors', 'gx*', 'gy*'] }, facts),
    );
  }
  return { name: 'twoPasses', passes, scratch: { factors: atOnce * planeBytes } };
};

export function addSsim(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(ssim, ssimPlan);
  table.add(ssimBackward, ssimBackwardPlan);
}
