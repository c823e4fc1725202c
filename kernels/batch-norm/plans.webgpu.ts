// WebGPU plans of batch normalisation. Sums over a channel take one workgroup, or several where channels are few and long,
// and a pass that joins their results; what is done per element takes one thread each.
import { sizeOf } from '../kernel.ts';
import type { PlanTable, WebGpuFacts, WebGpuPass, WebGpuPlanner } from '../plan.ts';
import { elementPlan, threadPass } from '../shared/webgpu-elements.ts';
import { foldGrid } from '../shared/webgpu-grid.ts';
import floatFunctions from '../shared/float.wgsl';
import { WORKGROUP } from '../shared/wgsl.ts';
import applyModule from './apply.wgsl';
import backwardCombineModule from './backward-combine.wgsl';
import backwardInputModule from './backward-input.wgsl';
import backwardSumsModule from './backward-sums.wgsl';
import {
  batchNormApply,
  batchNormBackward,
  batchNormInference,
  type BatchNormParams,
  batchNormStatistics,
} from './batch-norm.ts';
import channelFunctions from './channel.wgsl';
import gradientBehindReluModule from './gradient-behind-relu.wgsl';
import statisticsModule from './statistics.wgsl';

/** What a thread reads at a time: one number, or four neighbours. */
const elementTypes = {
  1: `alias Element = f32;
alias ElementBits = u32;
const ELEMENT_WIDTH = 1u;
fn elementSum(v: Element) -> f32 { return v; }
fn elementMax(v: Element) -> f32 { return v; }
`,
  4: `alias Element = vec4<f32>;
alias ElementBits = vec4<u32>;
const ELEMENT_WIDTH = 4u;
fn elementSum(v: Element) -> f32 { return (v.x + v.y) + (v.z + v.w); }
fn elementMax(v: Element) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }
`,
} as const;
type Width = keyof typeof elementTypes;

/** A module compiled for either width. */
const forWidths = (module: string): Readonly<Record<Width, string>> => ({
  1: elementTypes[1] + module,
  4: elementTypes[4] + module,
});

const statisticsText = forWidths(channelFunctions + statisticsModule);
const applyText = floatFunctions + applyModule;

/** The gradient of what was normalised: g, or what the relu behind it lets through, whose result has this binding. */
const gradientText = (relu: number, binding: number): string =>
  relu
    ? `@group(0) @binding(${binding}) var<storage, read> y: array<Element>;\n${gradientBehindReluModule}`
    : 'fn gradientAt(i: u32) -> Element { return g[i]; }\n';

const backwardTexts = [0, 1].map((relu) => ({
  sums: forWidths(channelFunctions + gradientText(relu, 6) + backwardSumsModule),
  input: forWidths(gradientText(relu, 5) + backwardInputModule),
}));

/** Elements that are worth a workgroup of their own. */
const LEAST_PART = 4096;
const MOST_PARTS = 64;

/**
 * How the sums over channels are shared out: parts per channel (a power of two), threads per workgroup, width of reads. An empty
 * x is shorter than four numbers.
 */
type Split = { parts: number; threads: number; width: Width };

function split({ batch, channels, spatial }: BatchNormParams, facts: WebGpuFacts): Split {
  const length = batch * spatial;
  const wantedGroups = facts.software ? 4 : 512;
  let parts = 1;
  while (parts < MOST_PARTS && channels * parts < wantedGroups && length >= 2 * parts * LEAST_PART) parts *= 2;
  // A software adapter runs a workgroup on one core, and pays for every thread at each barrier.
  const threads = facts.software ? 8 : length / parts < 1024 ? 64 : WORKGROUP;
  return { parts, threads, width: length > 0 && spatial % 4 === 0 ? 4 : 1 };
}

const statisticsPlan: WebGpuPlanner<BatchNormParams> = (params, facts) => {
  const { parts, threads, width } = split(params, facts);
  const { channels } = params;
  return {
    name: parts === 1 ? 'perChannel' : 'inParts',
    passes: [
      {
        module: statisticsText[width],
        entryPoint: 'perPart',
        workgroups: foldGrid(channels * parts, facts),
        constants: { parts, workgroupSize: threads },
        bindings: ['x', 'moments*'],
      },
      {
        ...threadPass(statisticsText[width], 'combine', channels, facts, { parts }),
        bindings: ['moments', 'mean*', 'variance*', 'inverse*'],
      },
    ],
    scratch: { moments: 4 * sizeOf([channels, parts, 2]) },
  };
};

const elements = ({ batch, channels, spatial }: BatchNormParams): number => batch * channels * spatial;

/** `ofVariance`: the third input is the variance, else the inverse deviation. */
const applyPlan =
  (ofVariance: number): WebGpuPlanner<BatchNormParams> =>
  (params, facts, prefer) =>
    elementPlan(applyText, elements(params), params.spatial % 4 === 0, facts, prefer, { ofVariance });

const backwardPlan: WebGpuPlanner<BatchNormParams> = (params, facts) => {
  const { parts, threads, width } = split(params, facts);
  const { channels, relu } = params;
  const texts = backwardTexts[relu]!;
  const y = relu ? ['y'] : [];
  const sums: WebGpuPass = {
    module: texts.sums[width],
    workgroups: foldGrid(channels * parts, facts),
    constants: { parts, workgroupSize: threads },
    bindings: ['x', 'g', 'mean', 'inverse', 'sums*', ...y],
  };
  const combine: WebGpuPass = {
    ...threadPass(backwardCombineModule, 'main', channels, facts, { parts }),
    bindings: ['sums', 'mean', 'inverse', 'weight', 'gw*', 'gb*', 'coefficients*'],
  };
  const input: WebGpuPass = {
    ...threadPass(texts.input[width], 'main', elements(params) / width, facts),
    bindings: ['x', 'g', 'coefficients', 'gx*', ...y],
  };
  return {
    name: parts === 1 ? 'perChannel' : 'inParts',
    passes: [sums, combine, input],
    scratch: { sums: 4 * sizeOf([channels, parts, 2]), coefficients: 4 * sizeOf([channels, 4]) },
  };
};

export function addBatchNorm(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(batchNormStatistics, statisticsPlan, 'perChannel', 'inParts');
  table.add(batchNormApply, applyPlan(0), 'perFour', 'perElement');
  table.add(batchNormInference, applyPlan(1), 'perFour', 'perElement');
  table.add(batchNormBackward, backwardPlan, 'perChannel', 'inParts');
}
