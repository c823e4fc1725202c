// The ladder of the matrix product. Hardware takes `tiles64` and `tiles128`; software adapters, where the memory of a workgroup is memory
// like any other, take `lanes`.
import { ancestor, type Ladder, ofLibrary, wasmAncestor, wasmLibrary } from '../ladder.ts';
import { foldGrid, grid1d } from '../shared/webgpu-grid.ts';
import eightByEight from './ladder/eight-by-eight.wgsl';
import eightPerThread from './ladder/eight-per-thread.wgsl';
import onePerThread from './ladder/one-per-thread.wgsl';
import registerTile from './ladder/register-tile.as.ts?text';
import scalar from './ladder/scalar.as.ts?text';
import vectors from './ladder/vectors.as.ts?text';
import workgroupTiles from './ladder/workgroup-tiles.wgsl';
import { matmul, type MatmulParams } from './matmul.ts';
import { geometry } from './plans.webgpu.ts';

const bindings = (p: MatmulParams): string[] => ['a', 'b', p.bias ? 'bias' : 'a', 'c*'];

/** A rung of workgroups that make `rows` x `columns` elements each. */
const tiles = (name: string, module: string, rows: number, columns: number, takes: typeof isPlain = () => true) =>
  ancestor<MatmulParams>(name, module, (p, facts) => {
    if (!takes(p)) return undefined;
    const workgroups = foldGrid(p.batch * Math.ceil(p.m / rows) * Math.ceil(p.n / columns), facts);
    return { passes: [{ module: geometry + module, workgroups, bindings: bindings(p) }] };
  });

/** The ancestors read rows of B as they lie. */
const isPlain = (p: MatmulParams): boolean => p.transposeB === 0;

export const matmulLadder: Ladder<MatmulParams> = {
  name: 'matmul',
  kernel: matmul,
  webgpu: [
    ancestor('onePerThread', onePerThread, (p, facts) => {
      const workgroups = grid1d(p.batch * p.m * p.n, 64, facts);
      return { passes: [{ module: geometry + onePerThread, workgroups, bindings: bindings(p) }] };
    }),
    ofLibrary(
      matmul,
      'direct',
      'Neighbouring threads take neighbouring columns: they read the same word of A and neighbouring words of B.',
    ),
    tiles('workgroupTiles', workgroupTiles, 16, 16),
    tiles('eightPerThread', eightPerThread, 32, 64),
    tiles('eightByEight', eightByEight, 64, 64, (p) => p.k > 0),
    ofLibrary(
      matmul,
      'tiles64',
      'No load is behind a condition, four words come at a time where they lie so, and those of the next step are under way during the arithmetic.',
    ),
    ofLibrary(
      matmul,
      'tiles128',
      'Workgroups of 256 threads share tiles of 128 x 128: 1/64 word from buffers for a multiply-add, half of before.',
    ),
    ofLibrary(
      matmul,
      'lanes',
      'No workgroup memory and no barrier: lanes of a subgroup hold words of A and broadcast them, 8 loads for 128 multiply-adds.',
    ),
  ],
  wasm: [
    wasmAncestor('scalar', scalar, 'matmulScalar', () => true),
    wasmAncestor('vectors', vectors, 'matmulVectors', isPlain),
    wasmAncestor('registerTile', registerTile, 'matmulRegisterTile', isPlain),
    ...wasmLibrary(
      'Tiles of 6 x 8 over blocks that fit the caches: a block of B is packed first, so its rows lie next to each other.',
    ),
  ],
};
