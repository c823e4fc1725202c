// What plans of products by tiles share: the text of product-tiles.wgsl for a shape of tile, whether an adapter takes it, and
// into how many parts the inner dimension is split where tiles alone would leave a GPU idle.
import type { WebGpuFacts, WebGpuPass } from '../plan.ts';
import productTilesModule from './product-tiles.wgsl';
import sumSplits from './sum-splits.wgsl';
import { grid1d } from './webgpu-grid.ts';

/** Elements of a product that a workgroup makes, 64 in a thread. */
export interface TileShape {
  readonly rows: 64 | 128;
  readonly columns: 64 | 128 | 256;
}

/** STEP of product-tiles.wgsl: inner indices at a time. */
export const TILE_STEP = 8;

/**
 * Terms of an inner dimension for one workgroup: sums of 128 each join one after the other. In three levels, with the runs of 32 parts
 * that sum-splits.wgsl adds up, no chain of equal terms is longer than that, and 2^24 terms keep the error model.
 */
const MOST_TERMS = 2 ** 14;
/** Terms that are worth a workgroup of their own. */
const LEAST_TERMS = 128;
/** Threads that keep a large GPU busy: more than a wave of 64 for each of its some 200 vector units. */
const BUSY_THREADS = 16384;
const MOST_SPLITS = 1024;
/** Most words of partial sums that are worth their while: 64 MiB. */
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
}

/** Parts that there is room for: in a binding, and along z. */
const mostSplits = ({ results, depth = 1 }: Splitting, facts: WebGpuFacts): number =>
  Math.min(
    MOST_SPLITS,
    Math.floor(facts.maxStorageBufferBindingSize / 4 / Math.max(1, results)),
    Math.floor(facts.maxComputeWorkgroupsPerDimension / depth),
  );

/** Whether sums of so many terms keep their rounding, in as many parts as there is room for. */
export const splitsFit = (splitting: Splitting, facts: WebGpuFacts): boolean =>
  splitting.terms <= MOST_TERMS * Math.max(1, mostSplits(splitting, facts));

/** Parts of the inner dimension: a power of two that follows from sizes and limits alone, so the order of every sum is fixed. */
export function splitsOf(splitting: Splitting, facts: WebGpuFacts): number {
  const { workgroups, threads, terms, results } = splitting;
  const most = mostSplits(splitting, facts);
  const isWanted = (splits: number): boolean =>
    terms > splits * MOST_TERMS ||
    (workgroups * threads * splits < BUSY_THREADS &&
      terms >= 2 * splits * LEAST_TERMS &&
      2 * splits * results <= MOST_PARTIALS);
  let splits = 1;
  while (isWanted(splits) && 2 * splits <= most) splits *= 2;
  return splits;
}

/** The pass that adds up the splits' `partials` of the output of that name, one after the other. */
export const sumSplitsPass = (output: string, results: number, facts: WebGpuFacts): WebGpuPass => ({
  module: sumSplits,
  workgroups: grid1d(results, 64, facts),
  bindings: ['partials', `${output}*`],
});
