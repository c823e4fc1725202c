// The matrix product C = op(A) op(B) + bias. matmulTiles packs a block of B (and of A, if it is stored transposed) into
// private scratch and multiplies in register tiles. matmulDots is for products of a few rows or columns whose operands are
// both contiguous along k: packing would cost as much as the product, so it takes inner products instead.
import { behind, buffer, words } from '../shared/addresses.as';
import { dotTile } from '../shared/dot-tile.as';
import { copyWords, promoteHigh, promoteLow } from '../shared/simd.as';
import { multiply, SPILL_BYTES, TileVector, VECTOR_BYTES } from '../shared/tile-loops.as';
import { FROM_C, FROM_ZERO } from '../shared/tiles.as';
import { MatmulParams, MatmulPlan } from './params.as';

/** Terms that four lanes of an inner product add up one after the other before they join a float64. */
const DOT_CHAIN: i32 = 1024;

/** Adds a tile of float32 to one of float64, both of `columns` in a row. */
function joinPartial(total: usize, tile: usize, rows: i32, columns: i32): void {
  const n = rows * columns;
  for (let i = 0; i < n; i += 4) {
    const value = v128.load(tile + words(i));
    const to = total + ((<usize>i) << 3);
    v128.store(to, f64x2.add(v128.load(to), promoteLow(value)));
    v128.store(to, f64x2.add(v128.load(to, 16), promoteHigh(value)), 16);
  }
}

/** Adds a tile of float64 to C, or with `isFirst` puts it there. */
function storeTotal(c: usize, pitchC: usize, total: usize, pitch: usize, rows: i32, columns: i32, isFirst: bool): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const value = <f32>load<f64>(total + ((<usize>j) << 3));
      const to = c + words(j);
      store<f32>(to, isFirst ? value : load<f32>(to) + value);
    }
    c += pitchC;
    total += pitch;
  }
}

/** to[j][i] = from[i][j] for `rows` x `columns`; pitches in bytes. Columns of four rows become vectors of `to`. */
function transpose(to: usize, toPitch: usize, from: usize, fromPitch: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i += 4) {
    const row0 = from + <usize>i * fromPitch;
    const write = to + words(i);
    if (i + 4 > rows) {
      for (let r = 0; r < rows - i; r++) {
        for (let j = 0; j < columns; j++) {
          store<u32>(write + <usize>j * toPitch + words(r), load<u32>(row0 + <usize>r * fromPitch + words(j)));
        }
      }
      return;
    }
    for (let j = 0; j < columns; j++) {
      const read = row0 + words(j);
      let column = v128.load32_zero(read);
      column = v128.load32_lane(read + fromPitch, column, 1);
      column = v128.load32_lane(read + 2 * fromPitch, column, 2);
      column = v128.load32_lane(read + 3 * fromPitch, column, 3);
      v128.store(write + <usize>j * toPitch, column);
    }
  }
}

/** Tasks: (batch entry, block of rows, block of columns), the last fastest. */
export function matmulTiles(p: MatmulParams, buffers: usize, begin: i32, end: i32): void {
  const plan = changetype<MatmulPlan>(behind(p));
  const c = buffer(buffers, 2 + p.bias);
  const scratch = buffer(buffers, 4 + p.bias);
  const offsets = scratch + SPILL_BYTES;
  const panel = scratch + plan.panelAt;
  const block = scratch + plan.blockAt;
  const vectors = scratch + plan.vectorsAt;
  const blocksN = (p.n + plan.tileN - 1) / plan.tileN;
  const blocksM = (p.m + plan.tileM - 1) / plan.tileM;
  const ldb = words(plan.transposeB ? p.k : p.n);
  const pitch = plan.packB ? words(plan.panelPitch) : ldb;
  for (let l = 0; l < plan.tileK; l++) store<u32>(offsets + words(l), <u32>(<usize>l * pitch));
  for (let task = begin; task < end; task++) {
    const column = (task % blocksN) * plan.tileN;
    const row = ((task / blocksN) % blocksM) * plan.tileM;
    const entry = task / (blocksN * blocksM);
    const columns = min(plan.tileN, p.n - column);
    const rows = min(plan.tileM, p.m - row);
    const a = buffer(buffers, 0) + (p.batchedA ? words(entry * p.m * p.k) : 0);
    const b = buffer(buffers, 1) + (p.batchedB ? words(entry * p.k * p.n) : 0);
    const target = c + words((entry * p.m + row) * p.n + column);
    if (p.bias) {
      const bias = buffer(buffers, 2) + words(column);
      for (let i = 0; i < rows; i++) copyWords(target + words(i * p.n), bias, columns);
    }
    const isLong = plan.partialAt != 0;
    const sums = isLong ? scratch + plan.partialAt : target;
    const sumPitch = words(isLong ? plan.tileN : p.n);
    let init = p.bias && !isLong ? FROM_C : FROM_ZERO;
    if (isLong) memory.fill(scratch + plan.totalAt, 0, (<usize>(rows * plan.tileN)) << 3);
    const count = (columns + 3) >> 2;
    let l = 0;
    do {
      const depth = min(plan.tileK, p.k - l);
      let x = b + words(l * p.n + column);
      if (plan.packB) {
        x = panel;
        // Lanes behind the last column are computed too: what they read must not be denormal numbers, which are slow.
        if (columns & 3) {
          for (let i = 0; i < depth; i++) v128.store(panel + <usize>i * pitch + words(columns & ~3), i32x4.splat(0));
        }
        if (plan.transposeB) transpose(panel, pitch, b + words(column * p.k + l), ldb, columns, depth);
        else
          for (let i = 0; i < depth; i++)
            copyWords(panel + <usize>i * pitch, b + words((l + i) * p.n + column), columns);
      }
      for (let v = 0; v < count; v++) {
        const vector = changetype<TileVector>(vectors + <usize>v * VECTOR_BYTES);
        vector.x = x + ((<usize>v) << 4);
        vector.c = sums + ((<usize>v) << 4);
        vector.count = min(4, columns - 4 * v);
      }
      let from = a + words(row * p.k + l);
      let lda = words(p.k);
      if (plan.transposeA) {
        from = block;
        lda = words(depth);
        transpose(block, lda, a + words(l * p.m + row), words(p.m), depth, rows);
      }
      multiply(from, lda, rows, offsets, depth, vectors, count, sumPitch, 4, init, scratch);
      init = FROM_C;
      l += plan.tileK;
      if (isLong) {
        joinPartial(scratch + plan.totalAt, sums, rows, plan.tileN);
        init = FROM_ZERO;
      }
    } while (l < p.k);
    if (isLong) {
      storeTotal(target, words(p.n), scratch + plan.totalAt, (<usize>plan.tileN) << 3, rows, columns, !p.bias);
    }
  }
}

/** The inner products of dotTile in parts, which are added up in float64. Scratch for nine of them and a tile. */
function longDots(
  rows: i32,
  g: usize,
  ld: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  length: i32,
  out: usize,
  ldo: usize,
  columns: i32,
  scratch: usize,
): void {
  const tile = scratch + 72;
  memory.fill(scratch, 0, 72);
  for (let l = 0; l < length; l += DOT_CHAIN) {
    const at = words(l);
    const part = min(DOT_CHAIN, length - l);
    dotTile(rows, g + at, ld, x0 + at, x1 + at, x2 + at, part, 1, 0, 0, tile, 12, columns, false);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const sum = scratch + ((<usize>(3 * i + j)) << 3);
        store<f64>(sum, load<f64>(sum) + <f64>load<f32>(tile + words(3 * i + j)));
      }
    }
  }
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      store<f32>(out + <usize>i * ldo + words(j), <f32>load<f64>(scratch + ((<usize>(3 * i + j)) << 3)));
    }
  }
}

/** Tasks as above. */
export function matmulDots(p: MatmulParams, buffers: usize, begin: i32, end: i32): void {
  const plan = changetype<MatmulPlan>(behind(p));
  const c = buffer(buffers, 2 + p.bias);
  const blocksN = (p.n + plan.tileN - 1) / plan.tileN;
  const blocksM = (p.m + plan.tileM - 1) / plan.tileM;
  const ld = words(p.k);
  const length = p.k & ~3;
  for (let task = begin; task < end; task++) {
    const firstColumn = (task % blocksN) * plan.tileN;
    const firstRow = ((task / blocksN) % blocksM) * plan.tileM;
    const entry = task / (blocksN * blocksM);
    const a = buffer(buffers, 0) + (p.batchedA ? words(entry * p.m * p.k) : 0);
    const b = buffer(buffers, 1) + (p.batchedB ? words(entry * p.k * p.n) : 0);
    const endColumn = min(p.n, firstColumn + plan.tileN);
    const endRow = min(p.m, firstRow + plan.tileM);
    for (let row = firstRow; row < endRow; row += 3) {
      const rows = min(3, endRow - row);
      for (let column = firstColumn; column < endColumn; column += 3) {
        const columns = min(3, endColumn - column);
        const g = a + <usize>row * ld;
        const x0 = b + <usize>column * ld;
        const x1 = columns > 1 ? x0 + ld : x0;
        const x2 = columns > 2 ? x1 + ld : x0;
        const out = c + words((entry * p.m + row) * p.n + column);
        if (length > DOT_CHAIN) {
          longDots(rows, g, ld, x0, x1, x2, length, out, words(p.n), columns, buffer(buffers, 4 + p.bias));
        } else {
          dotTile(rows, g, ld, x0, x1, x2, length, 1, 0, 0, out, words(p.n), columns, false);
        }
        const bias = p.bias ? buffer(buffers, 2) + words(column) : 0;
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < columns; j++)
            finishDot(
              p,
              g + <usize>i * ld,
              x0 + <usize>j * ld,
              length,
              out + words(i * p.n + j),
              bias ? bias + words(j) : 0,
            );
        }
      }
    }
  }
}

/** Adds the products that the vectors left out, and the bias. */
@inline
function finishDot(p: MatmulParams, a: usize, b: usize, from: i32, out: usize, bias: usize): void {
  let sum = load<f32>(out);
  for (let l = from; l < p.k; l++) sum += load<f32>(a + words(l)) * load<f32>(b + words(l));
  store<f32>(out, bias ? sum + load<f32>(bias) : sum);
}
