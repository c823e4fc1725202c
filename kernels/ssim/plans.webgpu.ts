// WebGPU plans of SSIM: a workgroup per tile; the slower ways that led there are in ladder.ts. The gradient takes two passes
// with the factors between them in scratch, for as many planes at a time as a binding holds.
import type { PlanTable, WebGpuPass, WebGpuPlanner } from '../plan.ts';
import backwardModule from './backward.wgsl';
import derivativesModule from './derivatives.wgsl';
import { ssim, ssimBackward, type SsimParams } from './ssim.ts';
import ssimModule from './ssim.wgsl';
import { tiledPass, tilePrelude } from './tiles.webgpu.ts';

const ssimText = tilePrelude + ssimModule;
const derivativesText = tilePrelude + derivativesModule;
const backwardText = tilePrelude + backwardModule;

/** Of the gradient's scratch. */
const MAX_FACTOR_BYTES = 2 ** 28;

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
  table.add(ssim, ssimPlan, 'tiles');
  table.add(ssimBackward, ssimBackwardPlan, 'twoPasses');
}
