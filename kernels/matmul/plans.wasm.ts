// WASM plans of the matrix product: which inner loop, and how C is cut into tasks. Neither depends on the threads.
import { planWords } from '../params.ts';
import { type PlanTable, SPILL_WORDS, type WasmPlan, type WasmPlanner } from '../plan.ts';
import { matmul, type MatmulParams } from './matmul.ts';

/** What the kernels read behind their parameters. Scratch places in bytes. */
export const MatmulPlan = {
  /** As stored, except that a vector is never transposed. */
  transposeA: 'i32',
  transposeB: 'i32',
  packB: 'i32',
  tileM: 'i32',
  tileN: 'i32',
  tileK: 'i32',
  panelPitch: 'i32',
  panelAt: 'i32',
  blockAt: 'i32',
  vectorsAt: 'i32',
  /** Where the sums of parts of a long k are, and the float64 in which they are added up; both 0 where k is short. */
  partialAt: 'i32',
  totalAt: 'i32',
} as const;

const FEW_ROWS = 12;
const FEW_COLUMNS = 3;
/** Blocks of C and of k: a block of B stays in the second-level cache, six rows of A in the first. */
const TILE_M = 120;
const TILE_N = 64;
/** Each block of columns transposes its rows of A anew: there should be few. */
const TILE_N_TRANSPOSED = 192;
const TILE_K = 256;
/** With fewer rows than these, each element of B is used too rarely to be moved first. */
const PACK_ROWS = 8;
/** With more terms than this the sums of so many of them, or of TILE_K, are added up in float64. */
const LONG_K = 512;
/** Bytes in which inner products of a long k collect their parts. */
const LONG_DOTS_BYTES = 128;
const TASKS = 16;
/** Multiply-adds below which a task does not pay. */
const TASK_WORK = 100_000;
const DOT_TILE = 3;

const evenParts = (size: number, most: number): number => Math.ceil(size / Math.ceil(size / Math.max(1, most)));

/** Parts of at most `tile`, smaller while there are few tasks and each still has enough to do. */
function share(size: number, tile: number, others: number, workPerUnit: number, unit: number): number {
  const wanted = Math.ceil(TASKS / Math.max(1, others));
  const least = Math.ceil(TASK_WORK / Math.max(1, workPerUnit));
  const part = Math.max(Math.min(tile, Math.ceil(size / wanted)), least);
  return Math.max(1, Math.min(size, Math.ceil(evenParts(size, Math.min(part, tile)) / unit) * unit));
}

const isTiles = (prefer?: string): boolean => prefer === 'packedTiles' || prefer === 'directTiles';

const planMatmul: WasmPlanner<MatmulParams> = (p, _facts, prefer): WasmPlan => {
  if (p.batch * p.m * p.n === 0) return { name: 'empty', phases: [] };
  // A vector has the same bytes either way; read along k it suits the inner products.
  const transposeA = p.m === 1 ? 0 : p.transposeA;
  const transposeB = p.n === 1 ? 1 : p.transposeB;
  const dotsFit = !transposeA && transposeB === 1;
  const dotsWanted = isTiles(prefer) ? false : prefer === 'innerProducts' || p.m <= FEW_ROWS || p.n <= FEW_COLUMNS;
  const dots = dotsFit && dotsWanted;
  const packWanted = isTiles(prefer) ? prefer === 'packedTiles' : p.m >= PACK_ROWS;
  const packB = transposeB || packWanted ? 1 : 0;
  const isLong = !dots && p.k > LONG_K;
  const allK = Math.max(1, p.k);
  const mostK = packB || transposeA ? TILE_K : isLong ? LONG_K : allK;
  const tileK = evenParts(allK, mostK);
  const unitN = dots ? DOT_TILE : 8;
  const tileN = share(
    p.n,
    transposeA ? TILE_N_TRANSPOSED : TILE_N,
    p.batch * Math.ceil(p.m / TILE_M),
    Math.min(p.m, TILE_M) * p.k,
    unitN,
  );
  const blocksN = Math.ceil(p.n / tileN);
  const tileM = share(p.m, TILE_M, p.batch * blocksN, tileN * p.k, dots ? DOT_TILE : 6);
  const tasks = p.batch * Math.ceil(p.m / tileM) * blocksN;
  const work = tileM * tileN * p.k;

  const vectors = Math.ceil(tileN / 4);
  const panelPitch = 16 * (Math.ceil((4 * vectors) / 16) | 1);
  const panelAt = 16 * Math.ceil((SPILL_WORDS + tileK) / 16);
  const blockAt = panelAt + (packB ? tileK * panelPitch : 0);
  const vectorsAt = blockAt + (transposeA ? tileM * tileK : 0);
  // Tiles of sums and of their totals, in rows of whole vectors.
  const tileWords = isLong ? tileM * 4 * vectors : 0;
  const partialAt = isLong ? 4 * Math.ceil((vectorsAt + 3 * vectors) / 4) : 0;
  const totalAt = partialAt + tileWords;
  const scratchWords = isLong ? totalAt + 2 * tileWords : vectorsAt + 3 * vectors;
  const places = {
    ...{ panelAt: 4 * panelAt, blockAt: 4 * blockAt, vectorsAt: 4 * vectorsAt },
    ...{ partialAt: 4 * partialAt, totalAt: 4 * totalAt },
  };
  const sizes = { tileM, tileN, tileK, panelPitch };
  const constants = planWords(MatmulPlan, { transposeA, transposeB, packB, ...sizes, ...places });
  const grain = Math.max(1, Math.floor(TASK_WORK / Math.max(1, work)));
  return {
    name: dots ? 'innerProducts' : packB ? 'packedTiles' : 'directTiles',
    phases: [{ exportName: dots ? 'matmulDots' : 'matmulTiles', tasks, grain, constants }],
    threadScratch: dots ? LONG_DOTS_BYTES : 4 * scratchWords,
  };
};

export function addMatmul(table: PlanTable<WasmPlanner<never>>): void {
  table.add(matmul, planMatmul, 'innerProducts', 'packedTiles', 'directTiles');
}
