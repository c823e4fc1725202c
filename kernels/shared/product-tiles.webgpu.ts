// What plans of products by tiles share: the text of product-tiles.wgsl for a shape of tile, whether an adapter takes it, and
// into how many parts the inner dimension is split where tiles alone would leave a GPU idle.
import type { WebGpuFacts, WebGpuPass } from '../plan.ts';
import productTilesModule from './product-tiles.wgsl';
import sumSplits from './sum-splits.wgsl';
import { grid1d } from './webgpu-grid.ts';

/** Elements of a product that a workgroup makes, 64 in a thread. */
export interface TileShape {
  readonly rows: 64 | 128;
  readonly columns: 64 | 128;
}

/** STEP of product-tiles.wgsl: inner indices at a time. */
export const TILE_STEP = 8;

/**
 * Terms of an inner dimension for one workgroup. In three levels, of chains of 128, 128 of these, and the runs of 32 parts that
 * sum-splits.wgsl adds up, 2^24 terms keep the error model even if all are equal and round the same way.
 */
const WANTED_TERMS = 2 ** 14;
/** Where there is no room for so many parts: 512 chains. */
const MOST_TERMS = 2 ** 16;
/** Terms that are worth a workgroup of their own. */
const LEAST_TERMS = 128;
/** Threads that keep a large GPU busy: more than a wave of 64 for each of its some 200 vector units. */
const BUSY_THREADS = 16384;
/** Tiles of 128 x 128 from which on they keep a large GPU busy. They move half the words of tiles of 64 x 64. */
export const LEAST_LARGE_TILES = 192;
const MOST_SPLITS = 1024;
/** Most words of partial sums: 64 MiB. */
const MOST_PARTIALS = 2 ** 24;

export const tileThreads = ({ rows, columns }: TileShape): number => (rows * columns) / 64;

/** What stands before a module that brings the words. */
export const productTiles = ({ rows, columns }: TileShape): string =>
  `const ROWS = ${rows}u;\nconst COLUMNS = ${columns}u;\n${productTilesModule}`;

/** Whether an adapter has the threads and the workgroup memory, of which a module may want `more` bytes. */
export const tilesFit = (shape: TileShape, facts: WebGpuFacts, more = 0): boolean =>
  tileThreads(shape) <= facts.maxComputeInvocationsPerWorkgroup &&
  4 * TILE_STEP * (shape.rows + shape.columns + 8) + more <= facts.maxComputeWorkgroupStorageSize;

export interface Splitting {
  /** Workgroups without any split, and threads of each. */
  readonly workgroups: number;
  readonly threads: number;
  /** Terms of the inner dimension, and words of the result. */
  readonly terms: number;
  readonly results: number;
  /** Workgroups along z that there are without any split. Default 1. */
  readonly depth?: number;
  /** Threads to reach, and terms that are worth a workgroup of their own, where they are others than those of tiles. */
  readonly busyThreads?: number;
  readonly leastTerms?: number;
}

/** Parts that there is room for: in a binding, and along z. */
function mostSplits({ results, depth = 1 }: Splitting, facts: WebGpuFacts): number {
  const words = Math.min(MOST_PARTIALS, facts.maxStorageBufferBindingSize / 4);
  const limits = [Math.floor(words / Math.max(1, results)), Math.floor(facts.maxComputeWorkgroupsPerDimension / depth)];
  return Math.max(1, Math.min(MOST_SPLITS, ...limits));
}

/** Whether sums of so many terms keep their rounding, in as many parts as there is room for. */
export const splitsFit = (splitting: Splitting, facts: WebGpuFacts): boolean =>
  splitting.terms <= MOST_TERMS * mostSplits(splitting, facts);

/** Parts of the inner dimension: a power of two that follows from sizes and limits alone, so the order of every sum is fixed. */
export function splitsOf(splitting: Splitting, facts: WebGpuFacts): number {
  const { workgroups, threads, terms, busyThreads = BUSY_THREADS, leastTerms = LEAST_TERMS } = splitting;
  const most = mostSplits(splitting, facts);
  const isIdle = (splits: number): boolean =>
    workgroups * threads * splits < busyThreads && terms >= 2 * splits * leastTerms;
  let splits = 1;
  while (2 * splits <= most && (terms > splits * WANTED_TERMS || isIdle(splits))) splits *= 2;
  return splits;
}

/** The pass that adds up the splits' `partials` of the output of that name, one after the other. */
export const sumSplitsPass = (output: string, results: number, facts: WebGpuFacts): WebGpuPass => ({
  module: sumSplits,
  workgroups: grid1d(results, 64, facts),
  bindings: ['partials', `${output}*`],
});
