// WebGPU plans of softmax cross-entropy: a thread per pixel, or a workgroup per line of many classes without a spatial axis.
import type { PlanTable, WebGpuFacts, WebGpuPass, WebGpuPlanner } from '../plan.ts';
import { foldGrid, grid1d } from '../shared/webgpu-grid.ts';
import { mathFunctions, WORKGROUP, wgslConstants } from '../shared/wgsl.ts';
import backwardModule from './backward.wgsl';
import { PixelReduction } from './codes.ts';
import { crossEntropy, crossEntropyBackward, type CrossEntropyParams } from './cross-entropy.ts';
import forwardModule from './forward.wgsl';
import pixelFunctions from './pixel.wgsl';

const shared = wgslConstants('pixelReduction', PixelReduction) + mathFunctions + pixelFunctions;
const forwardText = shared + forwardModule;
const backwardText = shared + backwardModule;

/** Classes of a line from which a workgroup is worth while. */
const LONG_LINE = 64;
/** A software adapter runs a workgroup on one core, and pays for every thread at each barrier. */
const SOFTWARE_WORKGROUP = 16;

const sharesLines = ({ classes, spatial }: CrossEntropyParams, prefer: string | undefined): boolean =>
  spatial === 1 && (prefer ? prefer === 'perLine' : classes > LONG_LINE);

const workgroupOf = (facts: WebGpuFacts): number => (facts.software ? SOFTWARE_WORKGROUP : WORKGROUP);
const lineWorkgroup = (p: CrossEntropyParams, facts: WebGpuFacts): number =>
  facts.software ? SOFTWARE_WORKGROUP : p.classes < 1024 ? 64 : WORKGROUP;

const forwardPlan: WebGpuPlanner<CrossEntropyParams> = (p, facts, prefer) => {
  const pixels = p.batch * p.spatial;
  const isReduced = p.reduction !== PixelReduction.none;
  const isMean = p.reduction === PixelReduction.mean;
  const line = sharesLines(p, prefer);
  const workgroupSize = line ? lineWorkgroup(p, facts) : workgroupOf(facts);
  // Sums of several pixels per thread pay a software adapter for its barriers, and keep the sums of large maps few.
  const pixelsPerThread = line ? 1 : facts.software ? 16 : pixels > 2 ** 20 ? 4 : 1;
  const pixelsPerPart = line ? 1 : workgroupSize * pixelsPerThread;
  const parts = Math.ceil(pixels / pixelsPerPart);
  const constants = { isReduced: Number(isReduced), workgroupSize };
  const first: WebGpuPass = {
    module: forwardText,
    entryPoint: line ? 'perLine' : 'perPixel',
    workgroups: foldGrid(parts, facts),
    constants: line ? constants : { ...constants, pixelsPerThread },
    bindings: ['x', 'target', p.weighted ? 'weight' : 'x', 'normalizers*', isReduced ? 'partials*' : 'loss*'],
  };
  const name = line ? 'perLine' : 'perPixel';
  if (!isReduced) return { name, passes: [first] };
  const combine: WebGpuPass = {
    module: forwardText,
    entryPoint: isMean ? 'combineMean' : 'combineSum',
    workgroups: [1, 1, 1],
    constants: { pixelsPerPart, workgroupSize: workgroupOf(facts) },
    bindings: isMean ? ['partials', 'loss*', 'total*'] : ['partials', 'loss*'],
  };
  return { name, passes: [first, combine], scratch: { partials: 8 * Math.max(1, parts) } };
};

const backwardPlan: WebGpuPlanner<CrossEntropyParams> = (p, facts, prefer) => {
  const line = sharesLines(p, prefer);
  const workgroupSize = line ? lineWorkgroup(p, facts) : WORKGROUP;
  const pass: WebGpuPass = {
    module: backwardText,
    entryPoint: line ? 'perLine' : 'perPixel',
    workgroups: line ? foldGrid(p.batch, facts) : grid1d(p.batch * p.spatial, workgroupSize, facts),
    constants: { workgroupSize },
    bindings: [
      'x',
      'target',
      p.weighted ? 'weight' : 'x',
      'normalizers',
      'g',
      p.reduction === PixelReduction.mean ? 'total' : 'g',
      'gx*',
    ],
  };
  return { name: line ? 'perLine' : 'perPixel', passes: [pass] };
};

export function addCrossEntropy(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(crossEntropy, forwardPlan, 'perPixel', 'perLine');
  table.add(crossEntropyBackward, backwardPlan, 'perPixel', 'perLine');
}
