// WASM plans of softmax cross-entropy: tiles of pixels that fit the cache with all their classes, and one task that adds up
// their losses. Tiles depend on the shape alone, so the number of threads changes no bit.
import { planWords } from '../params.ts';
import type { PlanTable, WasmPhase, WasmPlanner } from '../plan.ts';
import { PixelReduction } from './codes.ts';
import { crossEntropy, crossEntropyBackward, type CrossEntropyParams } from './cross-entropy.ts';

/** What the kernels read behind their parameters. */
export const CrossEntropyPlan = { tilePixels: 'i32', tilesPerImage: 'i32' } as const;

/** Logits worth another thread. */
const GRAIN = 4096;
/** Bytes of logits in a tile, which are read two or three times. */
const TILE_BYTES = 32768;
/** Fewer pixels than this would use half a cache line, more gain nothing. */
const LEAST_PIXELS = 16;
const MOST_PIXELS = 512;

/** Pixels of a tile, and tiles of an image. Without a spatial axis all lines of classes count as one image. */
function tilesOf({ batch, classes, spatial }: CrossEntropyParams) {
  const fitting = Math.floor(TILE_BYTES / (4 * Math.max(1, classes)) / LEAST_PIXELS) * LEAST_PIXELS;
  const pixels = Math.min(MOST_PIXELS, Math.max(LEAST_PIXELS, fitting));
  const perImage = Math.ceil((spatial === 1 ? batch : spatial) / pixels);
  const constants = planWords(CrossEntropyPlan, { tilePixels: pixels, tilesPerImage: perImage });
  return { pixels, count: spatial === 1 ? perImage : perImage * batch, constants };
}

function tilePhase(exportName: string, p: CrossEntropyParams): WasmPhase {
  const { pixels, count, constants } = tilesOf(p);
  const grain = Math.max(1, Math.ceil(GRAIN / (pixels * Math.max(1, p.classes))));
  return { exportName, tasks: count, grain, constants };
}

const forward: WasmPlanner<CrossEntropyParams> = (p) => {
  const { pixels, count, constants } = tilesOf(p);
  const tiles = tilePhase('crossEntropyTiles', p);
  const combine: WasmPhase = { exportName: 'crossEntropyCombine', tasks: 1, constants };
  return {
    name: p.spatial === 1 ? 'lines' : 'tiles',
    phases: p.reduction === PixelReduction.none ? [tiles] : [tiles, combine],
    sharedScratch: p.reduction === PixelReduction.none ? 0 : 16 * count,
    threadScratch: 8 * pixels,
  };
};

const backward: WasmPlanner<CrossEntropyParams> = (p) => ({
  name: p.spatial === 1 ? 'lines' : 'tiles',
  phases: [tilePhase('crossEntropyBackward', p)],
  threadScratch: 8 * tilesOf(p).pixels,
});

export function addCrossEntropy(table: PlanTable<WasmPlanner<never>>): void {
  table.add(crossEntropy, forward, 'tiles', 'lines');
  table.add(crossEntropyBackward, backward, 'tiles', 'lines');
}
