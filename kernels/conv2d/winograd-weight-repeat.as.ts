// The plain sums of a 3x3 weight gradient for the channels that Winograd's algorithm must not take: for a pair of channels of x and
// g nine dot products of planes, x in a padded copy, whose rows are added in short runs.
import { words } from '../shared/addresses.as';
import { copyWords, fillWords, loadLanes, madd } from '../shared/simd.as';
import { WeightRepeat } from './params.as';
import { TAPS } from './winograd-transforms.as';

/** Vectors that are added up before their sum is added to the total: two short sums round less than one long sum. */
const RUN: i32 = 128;

/** Elements of a row of the padded copy. */
@inline
function pitchOf(p: WeightRepeat): i32 {
  return p.outW + 2 * p.dilation;
}

/** The plane at `from` with zeros around it, or without what no window meets. */
export function padPlane(p: WeightRepeat, from: usize, to: usize): void {
  const pitch = pitchOf(p);
  const skipped = max(0, -p.padW);
  const left = max(0, p.padW);
  const copied = min(pitch - left, p.sourceW - skipped);
  for (let row = 0; row < p.outH + 2 * p.dilation; row++) {
    const sourceRow = row - p.padH;
    if (sourceRow < 0 || sourceRow >= p.sourceH || copied <= 0) fillWords(to, 0, pitch);
    else {
      fillWords(to, 0, left);
      copyWords(to + words(left), from + words(sourceRow * p.sourceW + skipped), copied);
      fillWords(to + words(left + copied), 0, pitch - left - copied);
    }
    to += words(pitch);
  }
}

/** Adds the products of `rows` rows of `width` elements of g to nine totals. Steps and pitches in bytes. */
@inline
function addRun(
  totals: usize,
  padded: usize,
  gradient: usize,
  pitch: usize,
  tapStep: usize,
  rowStep: usize,
  width: i32,
  rows: i32,
  gradientPitch: usize,
): void {
  let s0 = i32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  let s8 = s0;
  for (let row = 0; row < rows; row++) {
    let at = padded;
    let from = gradient;
    for (let left = width; left > 0; left -= 4) {
      // Lanes beyond the row must not meet anything: zero times infinity is none.
      const count = min(4, left);
      const g = loadLanes(from, count);
      let x = at;
      s0 = madd(g, loadLanes(x, count), s0);
      s1 = madd(g, loadLanes(x + tapStep, count), s1);
      s2 = madd(g, loadLanes(x + 2 * tapStep, count), s2);
      x += rowStep;
      s3 = madd(g, loadLanes(x, count), s3);
      s4 = madd(g, loadLanes(x + tapStep, count), s4);
      s5 = madd(g, loadLanes(x + 2 * tapStep, count), s5);
      x += rowStep;
      s6 = madd(g, loadLanes(x, count), s6);
      s7 = madd(g, loadLanes(x + tapStep, count), s7);
      s8 = madd(g, loadLanes(x + 2 * tapStep, count), s8);
      at += 16;
      from += 16;
    }
    padded += pitch;
    gradient += gradientPitch;
  }
  addTo(totals, s0);
  addTo(totals + 16, s1);
  addTo(totals + 32, s2);
  addTo(totals + 48, s3);
  addTo(totals + 64, s4);
  addTo(totals + 80, s5);
  addTo(totals + 96, s6);
  addTo(totals + 112, s7);
  addTo(totals + 128, s8);
}

@inline
function addTo(total: usize, sum: v128): void {
  v128.store(total, f32x4.add(v128.load(total), sum));
}

/** Adds the nine products of a padded plane and a plane of g to `totals`, a vector each. */
export function addProducts(p: WeightRepeat, padded: usize, gradient: usize, totals: usize): void {
  const pitch = words(pitchOf(p));
  const tapStep = words(p.dilation);
  const rowStep = <usize>p.dilation * pitch;
  const part = min(p.outW, 4 * RUN);
  const rows = max(1, RUN / ((part + 3) >> 2));
  for (let row = 0; row < p.outH; row += rows) {
    for (let column = 0; column < p.outW; column += part) {
      addRun(
        totals,
        padded + <usize>row * pitch + words(column),
        gradient + words(row * p.outW + column),
        pitch,
        tapStep,
        rowStep,
        min(part, p.outW - column),
        min(rows, p.outH - row),
        words(p.outW),
      );
    }
  }
}

/** Stores the sums of the lanes of nine vectors. */
export function putTotals(totals: usize, to: usize): void {
  for (let tap = 0; tap < TAPS; tap++) {
    const sum = v128.load(totals);
    const two = f32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 2, 3));
    store<f32>(to, f32x4.extract_lane(two, 0) + f32x4.extract_lane(two, 1));
    totals += 16;
    to += 4;
  }
}
