// The correlation of small maps, whose outputs near the border have taps that meet nothing but padding. Outputs with the same taps
// inside the image form a class; each class is a product of its own, without the terms that are zero: at 2x2 with a window of 3x3
// that is 4 of 9. What is left of a sum keeps its order, and zeros change no sum.
import { words } from '../shared/addresses.as';
import { ceilDivide, clamp } from '../shared/integers.as';
import { cachedTiles, TABLE_COLUMNS, tableTile, tilesOf } from '../shared/table-tile.as';
import { FROM_C, FROM_ZERO } from '../shared/tiles.as';
import { Correlation } from './params.as';

/** Column j of the packed tile: its place in the tile and in the output, relative to the first image's (bytes). */
@unmanaged
export class Column {
  from: i32;
  to: i32;
}

/** Outputs that meet the same taps. */
@unmanaged
class BorderClass {
  /** Columns, with copies of the last one up to a multiple of a tile's. */
  columns: i32;
  tapRow: i32;
  tapRows: i32;
  tapColumn: i32;
  tapColumns: i32;
}

const CLASS_BYTES: usize = 20;

@inline
function endTap(origin: i32, step: i32, taps: i32, size: i32): i32 {
  const end = clamp(ceilDivide(size - origin, step), 0, taps);
  // Without any it is the first.
  return ceilDivide(-origin, step) < end ? end : 0;
}

/** The first tap of those at `origin`, `step` apart, that is in [0, size); 0 if none is. */
@inline
function firstTap(origin: i32, step: i32, taps: i32, size: i32): i32 {
  return clamp(ceilDivide(-origin, step), 0, endTap(origin, step, taps, size));
}

/** How many outputs from the one that reads at `origin` on, of at most `most`, have the same taps. */
function runLength(origin: i32, stride: i32, step: i32, taps: i32, size: i32, most: i32): i32 {
  const low = firstTap(origin, step, taps, size);
  const high = endTap(origin, step, taps, size);
  let length = 1;
  while (length < most) {
    const next = origin + length * stride;
    if (firstTap(next, step, taps, size) != low || endTap(next, step, taps, size) != high) break;
    length++;
  }
  return length;
}

/** The columns of `images` images, class by class, and the classes. Returns how many classes there are. */
export function fillBorderClasses(p: Correlation, columns: usize, classes: usize, images: i32): i32 {
  let count = 0;
  for (let t = 0; t < p.height;) {
    const row = p.originRow + t * p.strideH;
    const rows = runLength(row, p.strideH, p.tapRowStep, p.tapRows, p.sourceH, p.height - t);
    for (let u = 0; u < p.width;) {
      const column = p.originColumn + u * p.strideW;
      const width = runLength(column, p.strideW, p.tapColumnStep, p.tapColumns, p.sourceW, p.width - u);
      const own = changetype<BorderClass>(classes + <usize>count * CLASS_BYTES);
      own.tapRow = firstTap(row, p.tapRowStep, p.tapRows, p.sourceH);
      own.tapRows = endTap(row, p.tapRowStep, p.tapRows, p.sourceH) - own.tapRow;
      own.tapColumn = firstTap(column, p.tapColumnStep, p.tapColumns, p.sourceW);
      own.tapColumns = endTap(column, p.tapColumnStep, p.tapColumns, p.sourceW) - own.tapColumn;
      own.columns = fillColumns(p, columns, images, t, rows, u, width, TABLE_COLUMNS);
      columns += (<usize>own.columns) << 3;
      count++;
      u += width;
    }
    t += rows;
  }
  return count;
}

/**
 * The columns of rows [t, t + rows) and of as many columns from u on, of `images` images, and copies of the last one up to a multiple
 * of `multiple`. Returns how many there are.
 */
export function fillColumns(
  p: Correlation,
  columns: usize,
  images: i32,
  t: i32,
  rows: i32,
  u: i32,
  width: i32,
  multiple: i32,
): i32 {
  let count = 0;
  for (let image = 0; image < images; image++) {
    for (let i = t; i < t + rows; i++) {
      for (let j = u; j < u + width; j++) {
        const column = changetype<Column>(columns + ((<usize>count) << 3));
        column.from = 4 * (image * p.tileChannels * p.plane + i * p.pitch + j);
        column.to = 4 * (image * p.groups * p.rows * p.outputPlane + i * p.rowStep * p.outputW + j * p.columnStep);
        count++;
      }
    }
  }
  for (; count % multiple != 0; count++)
    store<u64>(columns + ((<usize>count) << 3), load<u64>(columns + ((<usize>(count - 1)) << 3)));
  return count;
}

/** The words of the columns from `columns` to `end`, at `from`, to the panel. Returns the panel's end. */
@inline
export function gatherColumns(from: usize, columns: usize, end: usize, panel: usize): usize {
  for (let column = columns; column < end; column += 32) {
    let four = v128.load32_zero(from + <usize>load<u32>(column));
    four = v128.load32_lane(from + <usize>load<u32>(column, 8), four, 1);
    four = v128.load32_lane(from + <usize>load<u32>(column, 16), four, 2);
    four = v128.load32_lane(from + <usize>load<u32>(column, 24), four, 3);
    v128.store(panel, four);
    panel += 16;
  }
  return panel;
}

/** Columns of all classes. */
export function countColumns(classes: usize, count: i32): i32 {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += changetype<BorderClass>(classes + <usize>i * CLASS_BYTES).columns;
  return sum;
}

/** Of every class, panel[k][column] and the place of each k in a row of the weights, for the taps that it has. */
export function packBordered(
  p: Correlation,
  classes: usize,
  count: i32,
  channels: i32,
  tile: usize,
  offsets: usize,
  columns: usize,
  panel: usize,
  table: usize,
): void {
  const taps = p.tapRows * p.tapColumns;
  for (let i = 0; i < count; i++) {
    const own = changetype<BorderClass>(classes + <usize>i * CLASS_BYTES);
    const end = columns + ((<usize>own.columns) << 3);
    for (let channel = 0; channel < channels; channel++) {
      for (let row = own.tapRow; row < own.tapRow + own.tapRows; row++) {
        const first = channel * taps + row * p.tapColumns + own.tapColumn;
        for (let tap = first; tap < first + own.tapColumns; tap++) {
          store<u32>(table, tap << 2);
          table += 4;
          panel = gatherColumns(tile + <usize>load<u32>(offsets + words(tap)), columns, end, panel);
        }
      }
    }
    columns = end;
  }
}

/** The result [rows][columns] starts from the bias or from zero. */
function startResult(result: usize, rows: i32, columns: i32, init: usize): void {
  for (let row = 0; row < rows; row++) {
    const value = init == FROM_ZERO ? i32x4.splat(0) : v128.load32_splat(init + words(row));
    for (let column = 0; column < columns; column += 4) {
      v128.store(result, value);
      result += 16;
    }
  }
}

/** result[rows][columns] from the panels of the classes; `init` as of multiply. */
export function multiplyBordered(
  classes: usize,
  count: i32,
  channels: i32,
  a: usize,
  lda: usize,
  rows: i32,
  panel: usize,
  table: usize,
  result: usize,
  init: usize,
): void {
  const all = countColumns(classes, count);
  const ldc = words(all);
  if (init != FROM_C) startResult(result, rows, all, init);
  const tiles = tilesOf(rows);
  const together = cachedTiles(<i32>(lda >> 2));
  for (let block = 0; block < tiles; block += together) {
    const last = min(tiles, block + together);
    let from = panel;
    let places = table;
    let to = result;
    for (let i = 0; i < count; i++) {
      const own = changetype<BorderClass>(classes + <usize>i * CLASS_BYTES);
      const k = channels * own.tapRows * own.tapColumns;
      const ldx = words(own.columns);
      for (let column = 0; column < own.columns; column += TABLE_COLUMNS) {
        for (let tile = block; tile < last; tile++) {
          const row = (tile * rows) / tiles;
          const height = ((tile + 1) * rows) / tiles - row;
          const x = from + words(column);
          tableTile(height, a + <usize>row * lda, lda, places, k, x, ldx, to + words(column) + <usize>row * ldc, ldc);
        }
      }
      from += <usize>k * ldx;
      places += words(k);
      to += ldx;
    }
  }
}
