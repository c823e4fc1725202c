// The ladder of a sum over few long lines. Adapters take `inParts`, or `perWorkgroup` where the lines are many enough.
import { ancestor, type Ladder, ofLibrary } from '../ladder.ts';
import type { WebGpuFacts, WebGpuPass, WebGpuPlan } from '../plan.ts';
import { threadPass } from '../shared/webgpu-elements.ts';
import { foldGrid } from '../shared/webgpu-grid.ts';
import { Reduction } from './codes.ts';
import oneChain from './ladder/one-chain.wgsl';
import trees from './ladder/trees.wgsl';
import { reduce, type ReduceParams } from './reduction.ts';

/** Threads of a workgroup of trees.wgsl. */
const THREADS = 256;

/** Passes until one sum per line is left. Their results lie in two scratch buffers by turns. */
function treePasses({ outer, n }: ReduceParams, facts: WebGpuFacts): Omit<WebGpuPlan, 'name'> {
  const passes: WebGpuPass[] = [];
  const scratch: Record<string, number> = {};
  let [length, from] = [n, 'x'];
  while (passes.length === 0 || length > 1) {
    const parts = Math.ceil(length / THREADS);
    const to = parts === 1 ? 'y' : passes.length % 2 === 0 ? 'even' : 'odd';
    if (parts > 1) scratch[to] ??= 4 * outer * parts;
    const workgroups = foldGrid(outer * parts, facts);
    passes.push({ module: trees, workgroups, constants: { length }, bindings: [from, `${to}*`] });
    [length, from] = [parts, to];
  }
  return { passes, scratch };
}

const isSum = ({ op }: ReduceParams): boolean => op === Reduction.sum;

export const reductionLadder: Ladder<ReduceParams> = {
  name: 'sum',
  kernel: reduce,
  webgpu: [
    ancestor('oneChain', oneChain, (p, facts) =>
      isSum(p) ? { passes: [threadPass(oneChain, 'main', p.outer * p.inner, facts)] } : undefined,
    ),
    ofLibrary(
      reduce,
      'perThread',
      'Four chains of blocks of sixteen: loads do not wait for sums, and errors stay small.',
    ),
    ancestor('trees', trees, (p, facts) => (isSum(p) && p.inner === 1 && p.n > 0 ? treePasses(p, facts) : undefined)),
    ofLibrary(
      reduce,
      'perWorkgroup',
      'A workgroup per line, whose threads first add up many elements each, so that one tree is enough.',
    ),
    ofLibrary(
      reduce,
      'inParts',
      'Lines are cut into parts until every core has one, and a second pass adds up their results.',
    ),
  ],
  wasm: [],
};
