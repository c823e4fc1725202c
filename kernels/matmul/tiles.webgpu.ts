// Plans of the matrix product by tiles: the text of tiles.wgsl for a shape of tile and the widths of its buffers, and its passes.
import type { WebGpuFacts, WebGpuPass, WebGpuPlan } from '../plan.ts';
import {
  productTiles,
  splitsFit,
  splitsOf,
  type Splitting,
  sumSplitsPass,
  tilesFit,
  type TileShape,
  tileThreads,
} from '../shared/product-tiles.webgpu.ts';
import { foldGrid } from '../shared/webgpu-grid.ts';
import geometry from './geometry.wgsl';
import type { MatmulParams } from './matmul.ts';
import tiles from './tiles.wgsl';

/** How four neighbours along the dense side of an operand are read: at once, or as words that may lie anywhere. */
const operand = (name: 'A' | 'B', binding: number, byQuads: boolean): string =>
  byQuads
    ? `@group(0) @binding(${binding}) var<storage, read> quads${name}: array<vec4<f32>>;
fn quadOf${name}(at: vec4<u32>) -> vec4<f32> {
  return quads${name}[at.x / 4];
}
`
    : `@group(0) @binding(${binding}) var<storage, read> words${name}: array<f32>;
fn quadOf${name}(at: vec4<u32>) -> vec4<f32> {
  return vec4(words${name}[at.x], words${name}[at.y], words${name}[at.z], words${name}[at.w]);
}
`;

/** The bias, bound to A when there is none, and what is stored of four neighbours from word `at` in column `column` on. */
const result = (byQuads: boolean): string => `@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<${byQuads ? 'vec4<f32>' : 'f32'}>;
fn biasOfQuad(column: u32, split: u32) -> vec4<f32> {
  let values = vec4(bias[column], bias[column + 1], bias[column + 2], bias[column + 3]);
  return select(vec4<f32>(), values, params.bias == 1 && split == 0);
}
fn storeQuad(at: u32, values: vec4<f32>, column: u32) {
  ${byQuads ? 'c[at / 4] = values;' : 'for (var j = 0u; j < 4 && column + j < params.n; j++) { c[at + j] = values[j]; }'}
}
`;

const splittingOf = (shape: TileShape, p: MatmulParams): Splitting => ({
  workgroups: p.batch * Math.ceil(p.m / shape.rows) * Math.ceil(p.n / shape.columns),
  threads: tileThreads(shape),
  terms: p.k,
  results: p.batch * p.m * p.n,
});

/** Where there is no term, four words of an operand may be more than it has. */
export const tiledProductFits = (shape: TileShape, p: MatmulParams, facts: WebGpuFacts): boolean =>
  p.k > 0 && tilesFit(shape, facts) && splitsFit(splittingOf(shape, p), facts);

/** Tiles of `shape`, over as many parts of the inner dimension as keep a GPU busy. */
export function tiledProduct(name: string, shape: TileShape, p: MatmulParams, facts: WebGpuFacts): WebGpuPlan {
  const splitting = splittingOf(shape, p);
  const { workgroups, results } = splitting;
  const splits = splitsOf(splitting, facts);
  const [x, y] = foldGrid(workgroups, facts);
  const hasQuads = p.n % 4 === 0;
  const buffers =
    operand('A', 1, p.transposeA === 1 && p.m % 4 === 0) +
    operand('B', 2, p.transposeB === 0 && hasQuads) +
    result(hasQuads);
  const module = geometry + buffers + productTiles(shape) + tiles;
  const pass = (output: string): WebGpuPass => ({
    module,
    workgroups: [x, y, splits],
    bindings: ['a', 'b', p.bias ? 'bias' : 'a', output],
  });
  if (splits === 1) return { name, passes: [pass('c*')] };
  return {
    name,
    passes: [pass('partials*'), sumSplitsPass('c', results, facts)],
    scratch: { partials: 4 * results * splits },
  };
}
