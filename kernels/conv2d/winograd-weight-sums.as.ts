// The sums that the plain weight gradient of a 3x3 window is made of, for a channel of x and three of g at once: of all products,
// and of those with the elements of x that are not zero, which a list names.
import { words } from '../shared/addresses.as';
import { copyWords, fillWords, loadLanes, madd } from '../shared/simd.as';
import { WeightRepeat } from './params.as';
import { PAIR_BYTES } from './winograd-weight-plan.as';

/** Vectors or listed elements that are added up before their sum is added to the total: two short sums round less than one long sum. */
const RUN: i32 = 128;
/** Bytes of a listed element: where its nine products begin in the padded plane of g, and its value. */
const ENTRY_BYTES: usize = 8;

@inline
function addTo(total: usize, sum: v128): void {
  v128.store(total, f32x4.add(v128.load(total), sum));
}

/**
 * `to`[i][j] = from[i - padH][j - padW] in `rows` rows of `pitch` elements, with zeros around the plane of `height` x `width` and
 * without what stands beyond the copy.
 */
export function padPlane(
  from: usize,
  height: i32,
  width: i32,
  padH: i32,
  padW: i32,
  to: usize,
  rows: i32,
  pitch: i32,
): void {
  fillWords(to, 0, rows * pitch);
  const left = max(0, padW);
  const skipped = max(0, -padW);
  const copied = min(pitch - left, width - skipped);
  if (copied <= 0) return;
  for (let row = max(0, padH); row < min(rows, height + padH); row++) {
    copyWords(to + words(row * pitch + left), from + words((row - padH) * width + skipped), copied);
  }
}

/**
 * Adds the products of `rows` rows of three planes of g with three neighbouring taps, `tapStep` bytes apart, to three vectors of the
 * sums of each pair of channels.
 */
@inline
function addRun(
  totals: usize,
  padded: usize,
  pitch: usize,
  tapStep: usize,
  g0: usize,
  g1: usize,
  g2: usize,
  width: i32,
  rows: i32,
): void {
  let s00 = i32x4.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s20 = s00;
  let s21 = s00;
  let s22 = s00;
  const end = padded + <usize>rows * pitch;
  while (padded < end) {
    let left = width;
    let x = padded;
    while (left >= 4) {
      const a = v128.load(g0);
      const b = v128.load(g1);
      const c = v128.load(g2);
      const x0 = v128.load(x);
      s00 = madd(a, x0, s00);
      s10 = madd(b, x0, s10);
      s20 = madd(c, x0, s20);
      const x1 = v128.load(x + tapStep);
      s01 = madd(a, x1, s01);
      s11 = madd(b, x1, s11);
      s21 = madd(c, x1, s21);
      const x2 = v128.load(x + 2 * tapStep);
      s02 = madd(a, x2, s02);
      s12 = madd(b, x2, s12);
      s22 = madd(c, x2, s22);
      g0 += 16;
      g1 += 16;
      g2 += 16;
      x += 16;
      left -= 4;
    }
    if (left > 0) {
      // Lanes beyond the row must not meet anything: zero times infinity is none.
      const a = loadLanes(g0, left);
      const b = loadLanes(g1, left);
      const c = loadLanes(g2, left);
      const x0 = loadLanes(x, left);
      s00 = madd(a, x0, s00);
      s10 = madd(b, x0, s10);
      s20 = madd(c, x0, s20);
      const x1 = loadLanes(x + tapStep, left);
      s01 = madd(a, x1, s01);
      s11 = madd(b, x1, s11);
      s21 = madd(c, x1, s21);
      const x2 = loadLanes(x + 2 * tapStep, left);
      s02 = madd(a, x2, s02);
      s12 = madd(b, x2, s12);
      s22 = madd(c, x2, s22);
      g0 += words(left);
      g1 += words(left);
      g2 += words(left);
    }
    padded += pitch;
  }
  addTo(totals, s00);
  addTo(totals + 16, s01);
  addTo(totals + 32, s02);
  totals += PAIR_BYTES;
  addTo(totals, s10);
  addTo(totals + 16, s11);
  addTo(totals + 32, s12);
  totals += PAIR_BYTES;
  addTo(totals, s20);
  addTo(totals + 16, s21);
  addTo(totals + 32, s22);
}

/**
 * Adds all products of a padded plane of x, in rows of outW + 2 dilation, with three planes of g to `totals`, nine vectors of each
 * pair. The rows of g are the runs, where they are no longer than one.
 */
export function addProducts(p: WeightRepeat, padded: usize, g0: usize, g1: usize, g2: usize, totals: usize): void {
  const pitch = words(p.outW + 2 * p.dilation);
  const tapStep = words(p.dilation);
  const isWide = p.outW > 4 * RUN;
  const rows = isWide ? 1 : max(1, RUN / ((p.outW + 3) >> 2));
  for (let row = 0; row < p.outH; row += rows) {
    for (let column = 0; column < p.outW; column += 4 * RUN) {
      const at = words(row * p.outW + column);
      let from = padded + <usize>row * pitch + words(column);
      for (let tap: usize = 0; tap < 3; tap++) {
        const width = min(4 * RUN, p.outW - column);
        addRun(totals + 48 * tap, from, pitch, tapStep, g0 + at, g1 + at, g2 + at, width, min(rows, p.outH - row));
        from += <usize>p.dilation * pitch;
      }
    }
  }
}

/**
 * Lists the elements of a plane of x that are not zero for a plane of g at `padded` that is padded so that the last tap meets each
 * element's own place in it. `count` elements are listed already, and `most` may be, with room for a row more. Returns how many
 * are, or -1 if there are more.
 */
export function listElements(
  from: usize,
  height: i32,
  width: i32,
  padded: usize,
  list: usize,
  count: i32,
  most: i32,
): i32 {
  for (let row = 0; row < height; row++) {
    const end = from + words(width);
    let place = padded;
    while (from < end) {
      const bits = load<u32>(from);
      // What follows a zero overwrites it: a branch would be guessed wrong too often.
      const to = entryAt(list, count);
      store<u32>(to, <u32>place);
      store<u32>(to, bits, 4);
      count += i32(bits << 1 != 0);
      from += 4;
      place += 4;
    }
    if (count > most) return -1;
    padded += words(width + 2);
  }
  return count;
}

/** Where the entry `index` of a list stands, behind the word that counts them. */
@inline
export function entryAt(list: usize, index: i32): usize {
  return list + ENTRY_BYTES + <usize>index * ENTRY_BYTES;
}

/**
 * Adds the products of `count` listed elements with three padded planes of g, `stride` bytes apart, in rows of `pitch` bytes, to three
 * vectors of each pair, a row of taps in each.
 */
export function addListed(entries: usize, count: i32, padded: usize, stride: usize, pitch: usize, totals: usize): void {
  while (count > 0) {
    let s00 = i32x4.splat(0);
    let s01 = s00;
    let s02 = s00;
    let s10 = s00;
    let s11 = s00;
    let s12 = s00;
    let s20 = s00;
    let s21 = s00;
    let s22 = s00;
    const end = entries + <usize>min(count, RUN) * ENTRY_BYTES;
    while (entries < end) {
      let g = padded + <usize>load<u32>(entries);
      const x = v128.load32_splat(entries, 4);
      s00 = madd(x, v128.load(g), s00);
      s01 = madd(x, v128.load(g + pitch), s01);
      s02 = madd(x, v128.load(g + 2 * pitch), s02);
      g += stride;
      s10 = madd(x, v128.load(g), s10);
      s11 = madd(x, v128.load(g + pitch), s11);
      s12 = madd(x, v128.load(g + 2 * pitch), s12);
      g += stride;
      s20 = madd(x, v128.load(g), s20);
      s21 = madd(x, v128.load(g + pitch), s21);
      s22 = madd(x, v128.load(g + 2 * pitch), s22);
      entries += ENTRY_BYTES;
    }
    addTo(totals, s00);
    addTo(totals + 16, s01);
    addTo(totals + 32, s02);
    addTo(totals + PAIR_BYTES, s10);
    addTo(totals + PAIR_BYTES + 16, s11);
    addTo(totals + PAIR_BYTES + 32, s12);
    addTo(totals + 2 * PAIR_BYTES, s20);
    addTo(totals + 2 * PAIR_BYTES + 16, s21);
    addTo(totals + 2 * PAIR_BYTES + 32, s22);
    count -= RUN;
  }
}
