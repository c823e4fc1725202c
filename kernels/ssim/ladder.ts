// The ladder of SSIM's forward shader in the order of thought; the last step is the one in use. The gradient has none of its
// own: both of its passes are tiles like those of the last step. On llvmpipe, where the memory of a workgroup is memory like
// any other, the third step is slower than the second.
import { type LadderStep, openingSentence } from '../ladder.ts';
import type { WebGpuFacts, WebGpuPass, WebGpuPlan } from '../plan.ts';
import { threadPass } from '../webgpu-elements.ts';
import { foldGrid } from '../webgpu-grid.ts';
import onePerThread from './ladder/one-per-thread.wgsl';
import twoPasses from './ladder/two-passes.wgsl';
import wholeWindow from './ladder/whole-window.wgsl';
import type { SsimParams } from './ssim.ts';
import ssimModule from './ssim.wgsl';
import { ssimPrelude, tiledPass, tilePrelude } from './tiles.webgpu.ts';

/** Side of the tiles of one-per-thread.wgsl, and the rows that its workgroups have memory for. */
const SIDE = 16;
const MAX_ROWS = 64;

type Passes = Omit<WebGpuPlan, 'name'>;

const step = (
  name: string,
  module: string,
  passes: (p: SsimParams, facts: WebGpuFacts) => Passes,
  fits: (p: SsimParams) => boolean = () => true,
): LadderStep<SsimParams> => ({
  name,
  module,
  description: openingSentence(module),
  fits,
  plan: (p, facts) => ({ name, ...passes(p, facts) }),
});

const alone = (pass: WebGpuPass): Passes => ({ passes: [pass] });

export const ssimLadder: readonly LadderStep<SsimParams>[] = [
  step('wholeWindow', wholeWindow, ({ planes, outH, outW }, facts) =>
    alone(threadPass(ssimPrelude + wholeWindow, 'main', planes * outH * outW, facts)),
  ),
  step('twoPasses', twoPasses, ({ planes, outH, outW, windowH }, facts) => {
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
  step(
    'onePerThread',
    onePerThread,
    ({ planes, outH, outW }, facts) => {
      const tiles = Math.ceil(outH / SIDE) * Math.ceil(outW / SIDE);
      return alone({ module: ssimPrelude + onePerThread, workgroups: foldGrid(planes * tiles, facts) });
    },
    ({ windowH }) => SIDE + windowH - 1 <= MAX_ROWS,
  ),
  step('tiles', ssimModule, (p, facts) => {
    const all = { height: p.outH, width: p.outW, planes: p.planes };
    return alone(tiledPass(p, { module: tilePrelude + ssimModule, ...all }, facts));
  }),
];
