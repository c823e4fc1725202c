// Plans of conv2d and its input gradient by tiles: the text of tiles.wgsl for a shape of tile and the widths of its buffers, and its
// passes.
import type { WebGpuFacts, WebGpuPlan } from '../plan.ts';
import {
  productTiles,
  splitsOf,
  type Splitting,
  tilesFit,
  type TileShape,
  tileThreads,
} from '../shared/product-tiles.webgpu.ts';
import { foldGrid } from '../shared/webgpu-grid.ts';
import type { Conv2dParams } from './conv2d.ts';
import { gatherDepth, gatherResults, gatherSplits, geometry, targetsOf } from './gather.webgpu.ts';
import tiles from './tiles.wgsl';

/** Words of the table: TABLED of tiles.wgsl, three words each. */
const TABLE_BYTES = 4 * 3 * (128 + 8);
/** Bits for the taps of an axis: a word has them for two axes and one for what is never inside. */
const MOST_TAPS = 15;

/** Four source words, side by side or anywhere, and what is stored of four neighbouring pixels, of which `there` are. */
const buffers = (sourceQuads: boolean, resultQuads: boolean): string => `
@group(0) @binding(1) var<storage, read> source: array<${sourceQuads ? 'vec4<f32>' : 'f32'}>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> result: array<${resultQuads ? 'vec4<f32>' : 'f32'}>;
fn quadOfSource(at: vec4<u32>) -> vec4<f32> {
  return ${sourceQuads ? 'source[at.x / 4]' : 'vec4(source[at.x], source[at.y], source[at.z], source[at.w])'};
}
fn quadOfWeights(at: vec4<u32>) -> vec4<f32> {
  return vec4(weights[at.x], weights[at.y], weights[at.z], weights[at.w]);
}
fn storeQuad(at: vec4<u32>, values: vec4<f32>, there: u32) {
  ${resultQuads ? 'if (there > 0) { result[at.x / 4] = values; }' : 'for (var j = 0u; j < min(there, 4); j++) { result[at[j]] = values[j]; }'}
}
`;

const splittingOf = (shape: TileShape, p: Conv2dParams, adjoint: boolean): Splitting & { depth: number } => {
  const t = targetsOf(p, adjoint);
  const tiles = Math.ceil((p.batch * t.rows * t.columns) / shape.columns) * Math.ceil(t.channels / shape.rows);
  const depth = gatherDepth(p, adjoint);
  const sources = (adjoint ? p.outChannels : p.inChannels) / p.groups;
  // Of a phase: about one tap in strideH x strideW.
  const taps = adjoint ? Math.ceil(p.kernelH / p.strideH) * Math.ceil(p.kernelW / p.strideW) : p.kernelH * p.kernelW;
  return {
    workgroups: tiles * depth,
    threads: tileThreads(shape),
    terms: sources * taps,
    results: gatherResults(p, adjoint),
    depth,
  };
};

export const tiledGatherFits = (shape: TileShape, p: Conv2dParams, adjoint: boolean, facts: WebGpuFacts): boolean =>
  Math.max(p.kernelH, p.kernelW) <= MOST_TAPS &&
  gatherDepth(p, adjoint) <= facts.maxComputeWorkgroupsPerDimension &&
  tilesFit(shape, facts, TABLE_BYTES);

/** Tiles of `shape`, over as many parts of sources x taps as keep a GPU busy. */
export function tiledGather(
  name: string,
  shape: TileShape,
  p: Conv2dParams,
  adjoint: boolean,
  facts: WebGpuFacts,
): WebGpuPlan {
  const splitting = splittingOf(shape, p, adjoint);
  const { depth } = splitting;
  const splits = splitsOf(splitting, facts);
  const [x, y] = foldGrid(splitting.workgroups / depth, facts);
  // Four pixels from a multiple of four on are neighbours in the result if none of them begins another image or phase.
  const [plane, isWhole] = adjoint ? [p.inH * p.inW, p.strideH * p.strideW === 1] : [p.outH * p.outW, true];
  const hasResultQuads = isWhole && plane % 4 === 0;
  const isPlain = [p.kernelH, p.kernelW, p.strideH, p.strideW].every((n) => n === 1) && p.padH + p.padW === 0;
  const hasSourceQuads = hasResultQuads && isPlain && p.inH === p.outH && p.inW === p.outW;
  const module = geometry + buffers(hasSourceQuads, hasResultQuads) + productTiles(shape) + tiles;
  return gatherSplits(name, module, p, adjoint, facts, { grid: [x, y, depth * splits], splits });
}
