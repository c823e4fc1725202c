// The ladders of the convolutions. Hardware takes the plans by tiles; software adapters, where the memory of a
// workgroup is memory like any other, take `rows3x3` and `lanes`, which do without. The transposed convolution is the input
// gradient at other sizes.
import { ancestor, type Ladder, ofLibrary, wasmAncestor, wasmLibrary, type WebGpuRung } from '../ladder.ts';
import { foldGrid, grid1d } from '../shared/webgpu-grid.ts';
import { conv2d, conv2dInputGradient, type Conv2dParams, conv2dWeightGradient } from './conv2d.ts';
import { gatherPlan, targetsOf, wordGeometry } from './gather.webgpu.ts';
import everyTap from './ladder/every-tap.wgsl';
import implicitGemm from './ladder/implicit-gemm.wgsl';
import onePerThread from './ladder/one-per-thread.wgsl';
import registerTile from './ladder/register-tile.as.ts?text';
import scalar from './ladder/scalar.as.ts?text';
import vectors from './ladder/vectors.as.ts?text';
import weightOnePerThread from './ladder/weight-one-per-thread.wgsl';
import weightRegisterTiles from './ladder/weight-register-tiles.wgsl';
import weightWorkgroupTiles from './ladder/weight-workgroup-tiles.wgsl';
import workgroupTiles from './ladder/workgroup-tiles.wgsl';
import { splitPlan, splitsFor, weightCount, weightGeometry } from './weight-gradient.webgpu.ts';

type Rung = WebGpuRung<Conv2dParams>;

/** A rung of workgroups that make `side` channels of `side` pixels each. */
const gatheringTiles = (name: string, module: string, side: number, adjoint: boolean): Rung =>
  ancestor(name, module, (p, facts) => {
    const t = targetsOf(p, adjoint);
    const tiles = Math.ceil((p.batch * t.rows * t.columns) / side) * Math.ceil(t.channels / side);
    const [x, y] = foldGrid(tiles, facts);
    const depth = p.groups * t.phases;
    if (depth > facts.maxComputeWorkgroupsPerDimension) return undefined;
    return gatherPlan(name, wordGeometry + module, p, adjoint, [x, y, depth]);
  });

/** What conv2d and its input gradient have in common: the rungs above a thread per target. */
function gatheringRungs(adjoint: boolean): Rung[] {
  const kernel = adjoint ? conv2dInputGradient : conv2d;
  return [
    ancestor('onePerThread', onePerThread, (p, facts) => {
      const t = targetsOf(p, adjoint);
      const targets = p.batch * t.channels * p.groups * t.rows * t.columns;
      const workgroups = foldGrid(Math.ceil(targets / 64) * t.phases, facts);
      return gatherPlan('onePerThread', wordGeometry + onePerThread, p, adjoint, workgroups);
    }),
    ofLibrary(
      kernel,
      'direct',
      'A thread makes four targets below each other, so a weight is loaded once for four: 5 loads for 4 multiply-adds.',
    ),
    gatheringTiles('workgroupTiles', workgroupTiles, 16, adjoint),
    gatheringTiles('implicitGemm', implicitGemm, 64, adjoint),
    ofLibrary(
      kernel,
      'tiles64',
      'No load is behind a condition, those of the next step are under way during the arithmetic, and a table says where words lie: no division.',
    ),
    ofLibrary(
      kernel,
      'tiles128',
      'Workgroups of 256 threads share tiles of 128 channels x 128 pixels: 1/64 word from buffers for a multiply-add.',
    ),
    ofLibrary(
      kernel,
      'fewChannels',
      'For few channels: no workgroup memory, and each source word in a register serves four targets through all rows of taps and up to four channels.',
    ),
    ofLibrary(
      kernel,
      'lanes',
      'No workgroup memory and no barrier: lanes of a subgroup hold weights and broadcast them, 8 loads for 128 multiply-adds.',
    ),
    ofLibrary(
      kernel,
      'rows3x3',
      'Windows of 4 x 6 words stay in registers for the nine taps that share them: 42 loads for 1152 multiply-adds.',
    ),
  ];
}

const fromEveryTap: Rung = ancestor('everyTap', everyTap, (p, facts) => {
  const workgroups = grid1d(p.batch * p.inChannels * p.inH * p.inW, 64, facts);
  return gatherPlan('everyTap', wordGeometry + everyTap, p, true, workgroups);
});

/** The register tile copies the images of a group to its scratch, with their padding and some words for its last loads. */
const paddedBytes = (p: Conv2dParams): number => {
  const height = (p.outH - 1) * p.strideH + (p.kernelH - 1) * p.dilationH + 1;
  const width = (p.outW - 1) * p.strideW + (p.kernelW - 1) * p.dilationW + 1;
  return 4 * ((p.inChannels / p.groups) * Math.max(0, height) * Math.max(0, width) + 8 * p.strideW + 16);
};

export const conv2dLadder: Ladder<Conv2dParams> = {
  name: 'conv2d',
  kernel: conv2d,
  webgpu: gatheringRungs(false),
  wasm: [
    wasmAncestor('scalar', scalar, 'conv2dScalar', () => true),
    wasmAncestor('vectors', vectors, 'conv2dVectors', () => true),
    wasmAncestor('registerTile', registerTile, 'conv2dRegisterTile', () => true, paddedBytes),
    ...wasmLibrary(
      'Tiles of 6 x 8 over blocks that fit the caches; strided images are dealt out by remainder, small ones packed.',
    ),
  ],
};

export const inputGradientLadder: Ladder<Conv2dParams> = {
  name: 'conv2d-input-gradient',
  kernel: conv2dInputGradient,
  webgpu: [fromEveryTap, ...gatheringRungs(true)],
  wasm: [],
};

export const transposeLadder: Ladder<Conv2dParams> = { ...inputGradientLadder, name: 'convTranspose2d' };

/** A rung of workgroups that make `side` channels of `side` weights each. */
const splitTiles = (name: string, module: string, side: number): Rung =>
  ancestor(name, module, (p, facts) => {
    const outs = p.outChannels / p.groups;
    const [x, y] = [Math.ceil(weightCount(p) / p.outChannels / side), Math.ceil(outs / side)];
    if (Math.max(x, y, p.groups) > facts.maxComputeWorkgroupsPerDimension) return undefined;
    const splits = splitsFor(p, x * y * p.groups, 512, facts);
    return splitPlan(name, weightGeometry + module, p, facts, splits, [x, y, splits * p.groups]);
  });

export const weightGradientLadder: Ladder<Conv2dParams> = {
  name: 'conv2d-weight-gradient',
  kernel: conv2dWeightGradient,
  webgpu: [
    ancestor('onePerThread', weightOnePerThread, (p, facts) =>
      splitPlan('onePerThread', weightGeometry + weightOnePerThread, p, facts, 1, grid1d(weightCount(p), 64, facts)),
    ),
    ofLibrary(
      conv2dWeightGradient,
      'directSplitK',
      'The pixels are split among workgroups, whose parts a second pass adds up, and no tap outside of the image is tried.',
    ),
    splitTiles('workgroupTilesSplitK', weightWorkgroupTiles, 16),
    splitTiles('registerTilesSplitK', weightRegisterTiles, 64),
    ofLibrary(
      conv2dWeightGradient,
      'tiles64SplitK',
      'No load is behind a condition, those of the next step are under way during the arithmetic, and pixels are walked: no division.',
    ),
    ofLibrary(
      conv2dWeightGradient,
      'tiles128SplitK',
      'Workgroups of 256 threads share tiles of 128 channels x 128 weights: 1/64 word from buffers for a multiply-add.',
    ),
    ofLibrary(
      conv2dWeightGradient,
      'fewSplitK',
      'For few channels: the threads of a workgroup share the pixels of one pair of channels, and each word of x serves the taps of four rows.',
    ),
    ofLibrary(
      conv2dWeightGradient,
      'lanesSplitK',
      'No workgroup memory and no barrier in the loop: lanes of a subgroup hold words of g and broadcast them, 8 loads for 128 multiply-adds.',
    ),
    ofLibrary(
      conv2dWeightGradient,
      'rows3x3SplitK',
      'A word of x is loaded once for the nine taps that share it: 10 loads for 288 multiply-adds.',
    ),
  ],
  wasm: [],
};
