// The plan of conv2d and its input gradient to few channels: the text of few-channels.wgsl for so many channels and taps, and its passes.
import type { WebGpuFacts, WebGpuPlan } from '../plan.ts';
import { splitsOf, type Splitting } from '../shared/product-tiles.webgpu.ts';
import { foldGrid } from '../shared/webgpu-grid.ts';
import type { Conv2dParams } from './conv2d.ts';
import fewChannels from './few-channels.wgsl';
import { gatherDepth, gatherResults, gatherSplits, targetsOf, wordGeometry } from './gather.webgpu.ts';

/** Channels in a thread at most, and rows of taps whose words it shares among its targets. */
const MOST_CHANNELS = 4;
const ROW_TAPS: readonly number[] = [3, 5];
/** Threads that load one word at a time and wait for it: eight waves of 64 for each vector unit of a large GPU. */
const BUSY_THREADS = 98304;

/**
 * Whether this is the plan for so many channels of a group. Tiles make 64 whatever there are; this plan makes four, and reads the source
 * anew for each four. With many taps that hardly matters, since a word once read serves all of them.
 */
export const isFewChannels = (channels: number, taps: number): boolean => channels <= (taps >= 9 ? 32 : 8);

export const fewChannelsFit = (p: Conv2dParams, adjoint: boolean, facts: WebGpuFacts): boolean =>
  gatherDepth(p, adjoint) <= facts.maxComputeWorkgroupsPerDimension;

/** Four targets below each other in a thread, over as many ranges of sources as keep a GPU busy. */
export function fewChannelsPlan(name: string, p: Conv2dParams, adjoint: boolean, facts: WebGpuFacts): WebGpuPlan {
  const t = targetsOf(p, adjoint);
  const channels = Math.min(MOST_CHANNELS, t.channels);
  const spots = p.batch * Math.ceil(t.rows / 4) * t.columns;
  const tiles = Math.ceil(spots / 64) * Math.ceil(t.channels / channels);
  const depth = gatherDepth(p, adjoint);
  const splitting: Splitting = {
    workgroups: tiles * depth,
    threads: 64,
    terms: (adjoint ? p.outChannels : p.inChannels) / p.groups,
    results: gatherResults(p, adjoint),
    depth,
    busyThreads: BUSY_THREADS,
    leastTerms: 4,
  };
  const splits = splitsOf(splitting, facts);
  const sharesRows = p.strideH === 1 && p.dilationH === 1 && ROW_TAPS.includes(p.kernelH);
  const sizes = `const CHANNELS = ${channels}u;\nconst ROW_TAPS = ${sharesRows ? p.kernelH : 1}u;\n`;
  const [x, y] = foldGrid(tiles, facts);
  const split = { grid: [x, y, depth * splits] as const, splits };
  return gatherSplits(name, wordGeometry + sizes + fewChannels, p, adjoint, facts, split);
}
