// The ladder of SSIM's forward shader. The gradient has none of its own: both of its passes are tiles like those of the last
// step. On llvmpipe, where the memory of a workgroup is memory like any other, the third step is slower than the second.
import { ancestor, type Ladder, ofLibrary } from '../ladder.ts';
import { threadPass } from '../shared/webgpu-elements.ts';
import { foldGrid } from '../shared/webgpu-grid.ts';
import onePerThread from './ladder/one-per-thread.wgsl';
import twoPasses from './ladder/two-passes.wgsl';
import wholeWindow from './ladder/whole-window.wgsl';
import { ssim, type SsimParams } from './ssim.ts';
import { ssimPrelude } from './tiles.webgpu.ts';

/** Side of the tiles of one-per-thread.wgsl, and the rows that its workgroups have memory for. */
const SIDE = 16;
const MAX_ROWS = 64;
/** Products that whole-window.wgsl adds up one after the other before rounding errors show in the variances. */
const MAX_CHAIN = 4096;

export const ssimLadder: Ladder<SsimParams> = {
  name: 'ssim',
  kernel: ssim,
  webgpu: [
    ancestor('wholeWindow', wholeWindow, ({ planes, outH, outW, windowH, windowW }, facts) => {
      if (windowH * windowW > MAX_CHAIN) return undefined;
      return { passes: [threadPass(ssimPrelude + wholeWindow, 'main', planes * outH * outW, facts)] };
    }),
    ancestor('twoPasses', twoPasses, ({ planes, outH, outW, windowH }, facts) => {
      const text = ssimPrelude + twoPasses;
      const sums = planes * (outH + windowH - 1) * outW;
      const alongW = threadPass(text, 'alongW', sums, facts);
      const alongH = threadPass(text, 'alongH', planes * outH * outW, facts);
      return {
        passes: [
          { ...alongW, bindings: ['x', 'y', 'window', 'moments*'] },
          { ...alongH, bindings: ['x', 'y', 'window', 'moments', 'map*'] },
        ],
        scratch: { moments: 16 * sums },
      };
    }),
    ancestor('onePerThread', onePerThread, ({ planes, outH, outW, windowH }, facts) => {
      if (SIDE + windowH - 1 > MAX_ROWS) return undefined;
      const count = Math.ceil(outH / SIDE) * Math.ceil(outW / SIDE);
      return { passes: [{ module: ssimPrelude + onePerThread, workgroups: foldGrid(planes * count, facts) }] };
    }),
    ofLibrary(
      ssim,
      'tiles',
      'Four results per thread along each axis in turn: a value that has been loaded serves four sums, in registers.',
    ),
  ],
  wasm: [],
};
