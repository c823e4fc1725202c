// A tile of an image with its padding, in thread-private scratch, laid out so that every tap of a convolution is a plain
// shift: rows and columns are dealt out by their remainder modulo the stride, one small plane per pair of remainders.
import { ceilDivide, clamp } from '../shared/integers.as';
import { fillWords } from '../shared/simd.as';

/** Words behind a tile that vector loads may touch. They are zeroed: stray bits could be denormal numbers, which are slow. */
const WORDS_BEHIND: i32 = 16;

/** Columns column + j stride of one source row, for j in 0..count, zero outside [0, width). May write 3 words more. */
function fillRow(to: usize, from: usize, width: i32, column: i32, stride: i32, count: i32): void {
  const low = clamp(ceilDivide(-column, stride), 0, count);
  const high = clamp(ceilDivide(width - column, stride), low, count);
  const zero = i32x4.splat(0);
  for (let j = 0; j < low; j += 4) v128.store(to + ((<usize>j) << 2), zero);
  let j = low;
  let source = from + ((<usize>(column + low * stride)) << 2);
  if (stride == 1) {
    for (; j < high; j += 4) {
      v128.store(to + ((<usize>j) << 2), v128.load(source));
      source += 16;
    }
  } else if (stride == 2) {
    for (; j < high; j += 4) {
      v128.store(to + ((<usize>j) << 2), v128.shuffle<i32>(v128.load(source), v128.load(source, 16), 0, 2, 4, 6));
      source += 32;
    }
  } else {
    for (; j < high; j++) {
      store<u32>(to + ((<usize>j) << 2), load<u32>(source));
      source += (<usize>stride) << 2;
    }
  }
  for (j = high; j < count; j += 4) v128.store(to + ((<usize>j) << 2), zero);
}

/**
 * Fills `channels` planes from `source`, whose planes and rows are `sourcePlane` and `sourcePitch` apart. Place (i, j) of
 * the small plane (a, b) is source row row + a + i strideH and column column + b + j strideW, or zero where that is not in
 * [0, limitH) x [0, limitW). Sizes are in elements.
 */
export function fillTile(
  tile: usize,
  source: usize,
  channels: i32,
  sourcePlane: i32,
  sourcePitch: i32,
  limitH: i32,
  limitW: i32,
  row: i32,
  column: i32,
  strideH: i32,
  strideW: i32,
  phasesH: i32,
  phasesW: i32,
  phaseRows: i32,
  pitch: i32,
  plane: i32,
): void {
  for (let channel = 0; channel < channels; channel++) {
    const from = source + ((<usize>(channel * sourcePlane)) << 2);
    let to = tile + ((<usize>(channel * plane)) << 2);
    for (let a = 0; a < phasesH; a++) {
      for (let b = 0; b < phasesW; b++) {
        for (let i = 0; i < phaseRows; i++) {
          const sourceRow = row + a + i * strideH;
          if (sourceRow < 0 || sourceRow >= limitH) {
            for (let j = 0; j < pitch; j += 4) v128.store(to + ((<usize>j) << 2), i32x4.splat(0));
          } else {
            fillRow(to, from + ((<usize>(sourceRow * sourcePitch)) << 2), limitW, column + b, strideW, pitch);
          }
          to += (<usize>pitch) << 2;
        }
      }
    }
    fillWords(to, 0, WORDS_BEHIND);
  }
}
