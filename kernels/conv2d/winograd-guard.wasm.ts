// Which tiles and filters Winograd's algorithm may take, by the error model of ../error-model.ts: the argument stands there.
// A tile is described by the number of weak taps that a filter may have at most; a filter by how many it has. Both also know
// how many bits their numbers need, since whole numbers and masks must come out as exact as a plain sum leaves them.
import { words } from '../addresses.wasm';
import { madd } from '../simd.wasm';
import { INPUTS, OUTPUTS } from '../winograd-transforms.wasm';

/** Taps below this part of the root mean square of their filter are weak. */
const WEAK_TAP: f32 = 1.0 / 128.0;
/** Of the magnitudes of a window, the part that weak taps must leave; and the square of that of the weak ones. */
const WEAK_SHARE: f32 = 0.5625;
/** Of a filter: (sum of magnitudes)^2 / (taps x sum of squares), at least. */
const LEAST_EVENNESS: f32 = 1.0 / 8.0;
/** The spread of a tile's poorest window times the evenness of a filter, at least. */
const LEAST_SPREAD: f32 = 1.0 / 4.0;
/** Terms of a weight's gradient that count, at least, if x and g were independent. */
const LEAST_TERMS: f32 = 1;
/** The same of channels with the mean number of elements that count. */
const LEAST_MEAN_TERMS: f32 = 8;
/** Part of the mean sum of squares of the channels below which a channel is minor: nearly dead, as some of every network are. */
const MINOR: f32 = 1.0 / 16.0;
/** Sums of squares between which neither the transforms nor the products overflow or lose digits to denormal numbers. */
const LEAST_SQUARES: f32 = 7.888609052210118e-31;
const MOST_SQUARES: f32 = 1.2676506002282294e30;

const TAPS: i32 = 9;
/** Bits of a float32 significand. */
const SIGNIFICAND: i32 = 24;

/** What describes a tile, or the filters of a panel. */
@unmanaged
export class Trust {
  /** Weak taps that a filter may have; that a filter has. -1 for a tile and infinity for a filter that must not be taken. */
  weak: f32;
  /** (sum of the magnitudes of a window)^2 / sum of the squares of its tile, at least; a filter's evenness. */
  spread: f32;
  bits: i32;
  unused: i32;
}

/** What the description of a source's tiles needs to know, and where it goes. */
@unmanaged
export class TileWatch {
  /** Outputs. */
  height: i32;
  width: i32;
  /** Of private scratch, in bytes: the sums of the pixels, and a Trust for every tile. */
  sumsAt: i32;
  trustAt: i32;
}

/** Bytes of a Trust. */
export const TRUST_BYTES: usize = 16;

@inline
export function isTrusted(tile: usize, filters: usize): bool {
  const own = changetype<Trust>(tile);
  const other = changetype<Trust>(filters);
  return other.weak <= own.weak && other.spread * own.spread >= LEAST_SPREAD && own.bits + other.bits > SIGNIFICAND;
}

/** Whether no number of squares between the limits is meant: too small, too large or no number at all. */
@inline
function isOutside(squares: f32): bool {
  return !(squares >= LEAST_SQUARES && squares <= MOST_SQUARES);
}

/** Bits from the first to the last one of a significand, of the words that `set` is the union of. */
@inline
function significantBits(set: u32): i32 {
  return SIGNIFICAND - <i32>ctz<u32>(set | 0x00800000);
}

/** The union of the words of a vector. */
@inline
function unite(set: v128): u32 {
  const two = v128.or(set, v128.shuffle<i32>(set, set, 2, 3, 2, 3));
  return (<u32>i32x4.extract_lane(two, 0)) | (<u32>i32x4.extract_lane(two, 1));
}

/**
 * The union of the words of a tile, whose rows are `pitch` bytes apart and whose pixels have `pixel` bytes. Ends as soon as all bits of a
 * significand are needed, which in other data than masks and whole numbers is at once.
 */
export function tileBits(from: usize, pitch: usize, pixel: usize): u32 {
  const last = i32x4.splat(1);
  let set = i32x4.splat(0);
  for (let row = 0; row < INPUTS; row++) {
    // From the middle on: at the edge of an image the first rows may be padding.
    let at = from + <usize>((row + 2) % INPUTS) * pitch;
    const end = at + INPUTS * pixel;
    do {
      set = v128.or(set, v128.load(at));
      at += 16;
    } while (at < end && !v128.any_true(v128.and(set, last)));
    if (v128.any_true(v128.and(set, last))) break;
  }
  return unite(set);
}

/** Sums over three neighbouring columns, for four columns from `at` on. */
@inline
function threeColumns(at: usize): v128 {
  return f32x4.add(v128.load(at, 4), f32x4.add(v128.load(at), v128.load(at, 8)));
}

/** The smaller lanes; those of `b` where one is NaN. An instruction, which f32x4.min is not. */
@inline
function lesser(a: v128, b: v128): v128 {
  return f32x4.pmin(b, a);
}

@inline
function leastLane(value: v128): f32 {
  const two = lesser(value, v128.shuffle<i32>(value, value, 2, 3, 2, 3));
  return f32x4.extract_lane(lesser(two, v128.shuffle<i32>(two, two, 1, 1, 1, 1)), 0);
}

/** As describeTile. `isWhole`, a constant: all sixteen outputs are wanted. */
@inline
function describe(isWhole: bool, trust: Trust, sums: usize, pitch: usize, rows: i32, columns: i32, set: u32): void {
  const row = 2 * pitch;
  const unwanted = i32x4.gt_s(i32x4(0, 1, 2, 3), i32x4.splat(columns - 1));
  const none = f32x4.splat(f32.MAX_VALUE);
  let before = threeColumns(sums);
  let middle = threeColumns(sums + row);
  let squaresBefore = threeColumns(sums + pitch);
  let squaresMiddle = threeColumns(sums + pitch + row);
  let tile = f32x4.add(squaresBefore, squaresMiddle);
  let least = none;
  let spread = none;
  let at = sums + 2 * row;
  for (let i = 0; i < OUTPUTS; i++) {
    const next = threeColumns(at);
    const squaresNext = threeColumns(at + pitch);
    at += row;
    tile = f32x4.add(tile, squaresNext);
    const window = f32x4.add(f32x4.add(before, next), middle);
    const squares = f32x4.add(f32x4.add(squaresBefore, squaresNext), squaresMiddle);
    const each = f32x4.div(f32x4.mul(window, window), squares);
    if (isWhole) {
      least = lesser(least, window);
      spread = lesser(spread, each);
    } else if (i < rows) {
      least = lesser(least, v128.bitselect(none, window, unwanted));
      spread = lesser(spread, v128.bitselect(none, each, unwanted));
    }
    before = middle;
    middle = next;
    squaresBefore = squaresMiddle;
    squaresMiddle = squaresNext;
  }
  // The first three columns and the last three.
  const squares = f32x4.extract_lane(tile, 0) + f32x4.extract_lane(tile, 3);
  if (squares == 0 && set << 1 == 0) {
    // Zeros make zeros.
    trust.weak = f32.MAX_VALUE;
    trust.spread = f32.MAX_VALUE;
    trust.bits = SIGNIFICAND;
    return;
  }
  const window = leastLane(least);
  // What is not finite in a window is so in the squares of its tile; an empty window has no spread.
  trust.weak = isOutside(squares) ? -1 : WEAK_SHARE * leastLane(spread);
  trust.spread = (window * window) / squares;
  trust.bits = significantBits(set);
}

/**
 * Describes a tile whose pixels' sums (PixelSums) begin at `sums` and whose rows of sums are `pitch` bytes apart. `rows` and
 * `columns`: outputs from the tile's first on. `set`: of tileBits.
 */
export function describeTile(trust: Trust, sums: usize, pitch: usize, rows: i32, columns: i32, set: u32): void {
  if (rows >= OUTPUTS && columns >= OUTPUTS) describe(true, trust, sums, pitch, rows, columns, set);
  else describe(false, trust, sums, pitch, rows, columns, set);
}

/**
 * Adds magnitudes and squares of each channel, four in a lane each, over the `bytes` bytes of a patch of pixels: to two vectors
 * for every four channels.
 */
export function addMagnitudes(patch: usize, pixel: usize, bytes: usize, to: usize): void {
  const end = patch + bytes;
  const next = pixel << 2;
  for (let channel: usize = 0; channel < pixel; channel += 16) {
    // Four chains each, whose sums do not wait for each other.
    let sum0 = v128.load(to);
    let sum1 = f32x4.splat(0);
    let sum2 = sum1;
    let sum3 = sum1;
    let squares0 = v128.load(to, 16);
    let squares1 = sum1;
    let squares2 = sum1;
    let squares3 = sum1;
    let at = patch + channel;
    while (at + next <= end) {
      const x0 = v128.load(at);
      const x1 = v128.load(at + pixel);
      const x2 = v128.load(at + 2 * pixel);
      const x3 = v128.load(at + 3 * pixel);
      sum0 = f32x4.add(sum0, f32x4.abs(x0));
      sum1 = f32x4.add(sum1, f32x4.abs(x1));
      sum2 = f32x4.add(sum2, f32x4.abs(x2));
      sum3 = f32x4.add(sum3, f32x4.abs(x3));
      squares0 = madd(x0, x0, squares0);
      squares1 = madd(x1, x1, squares1);
      squares2 = madd(x2, x2, squares2);
      squares3 = madd(x3, x3, squares3);
      at += next;
    }
    while (at < end) {
      const x = v128.load(at);
      sum0 = f32x4.add(sum0, f32x4.abs(x));
      squares0 = madd(x, x, squares0);
      at += pixel;
    }
    v128.store(to, f32x4.add(f32x4.add(sum0, sum1), f32x4.add(sum2, sum3)));
    v128.store(to, f32x4.add(f32x4.add(squares0, squares1), f32x4.add(squares2, squares3)), 16);
    to += 32;
  }
}

/** Bytes of a channel's magnitudes: their sum and that of their squares. */
export const MAGNITUDE_BYTES: usize = 8;

/** One of addMagnitudes' two sums of a channel, over `splits` parts that are `step` bytes apart. */
@inline
function overSplits(at: usize, splits: i32, step: usize): f32 {
  let sum: f32 = 0;
  for (let split = 0; split < splits; split++) {
    sum += load<f32>(at);
    at += step;
  }
  return sum;
}

/**
 * The least number, or with `isMean` the mean, of elements that count, (sum of magnitudes)^2 / sum of squares, in a channel of `channels` that is not minor.
 * `from`: addMagnitudes of each of `splits` parts, `step` bytes apart. -1 if the channels must not be taken.
 */
export function leastSpread(from: usize, channels: i32, splits: i32, step: usize, isMean: bool): f32 {
  let total: f32 = 0;
  for (let channel = 0; channel < channels; channel++) {
    const at = from + <usize>(channel >> 2) * 4 * MAGNITUDE_BYTES + words(channel & 3);
    total += overSplits(at + 16, splits, step);
  }
  const least = MINOR * (total / <f32>channels);
  let spread: f32 = Infinity;
  let sum: f32 = 0;
  let count: f32 = 0;
  for (let channel = 0; channel < channels; channel++) {
    const at = from + <usize>(channel >> 2) * 4 * MAGNITUDE_BYTES + words(channel & 3);
    const magnitudes = overSplits(at, splits, step);
    const squares = overSplits(at + 16, splits, step);
    // Zeros make zeros.
    if (magnitudes == 0) continue;
    if (isOutside(squares)) return -1;
    if (squares >= least) {
      const own = (magnitudes * magnitudes) / squares;
      spread = min<f32>(spread, own);
      sum += own;
      count++;
    }
  }
  return isMean && count > 0 ? sum / count : spread;
}

/** Whether channels of x and g with so many elements that count have enough of them in common, of `places`. */
export function spreadsMeet(x: f32, g: f32, places: i32, isMean: bool): bool {
  return x >= 0 && g >= 0 && x * g >= (isMean ? LEAST_MEAN_TERMS : LEAST_TERMS) * <f32>places;
}

/** The union of `count` words; ends early, as tileBits does. */
function unionOf(from: usize, count: i32): u32 {
  const last = i32x4.splat(1);
  let set = i32x4.splat(0);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    set = v128.or(set, v128.load(from + words(i)));
    if (v128.any_true(v128.and(set, last))) break;
  }
  let union = unite(set);
  for (; i < count && !(union & 1); i++) union |= load<u32>(from + words(i));
  return union;
}

/** Whether all products of two arrays' elements are so simple that a plain sum of them may be exact. */
export function areFewBits(a: usize, countA: i32, b: usize, countB: i32): bool {
  const bits = significantBits(unionOf(a, countA));
  return bits < SIGNIFICAND && bits + significantBits(unionOf(b, countB)) <= SIGNIFICAND;
}

/** Of four filters, one a lane: what is added up over their channels. */
@unmanaged
export class FilterSums {
  magnitudes: v128;
  squares: v128;
  /** Taps below `limit`, which the first channel sets. */
  below: v128;
  limit: v128;
}

/** Adds a channel of four filters. `taps`: nine vectors. */
export function addTaps(taps: usize, sums: FilterSums, isFirst: bool): void {
  if (isFirst) {
    let squares = f32x4.splat(0);
    for (let k: usize = 0; k < 16 * TAPS; k += 16) squares = madd(v128.load(taps + k), v128.load(taps + k), squares);
    sums.limit = f32x4.mul(f32x4.splat(WEAK_TAP), f32x4.sqrt(f32x4.div(squares, f32x4.splat(<f32>TAPS))));
    sums.magnitudes = i32x4.splat(0);
    sums.squares = i32x4.splat(0);
    sums.below = i32x4.splat(0);
  }
  const limit = sums.limit;
  let magnitudes = sums.magnitudes;
  let squares = sums.squares;
  let below = sums.below;
  const end = taps + 16 * TAPS;
  do {
    const tap = v128.load(taps);
    const magnitude = f32x4.abs(tap);
    magnitudes = f32x4.add(magnitudes, magnitude);
    squares = madd(tap, tap, squares);
    below = i32x4.sub(below, f32x4.lt(magnitude, limit));
    taps += 16;
  } while (taps < end);
  sums.magnitudes = magnitudes;
  sums.squares = squares;
  sums.below = below;
}

/** Elements of nine that follow one another at `from`, in each of `channels` channels, whose magnitude is below `limit`. */
function countBelow(from: usize, channelStep: usize, channels: i32, limit: f32): i32 {
  let count = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let k = 0; k < TAPS; k++) if (abs(load<f32>(from + words(k))) < limit) count++;
    from += channelStep;
  }
  return count;
}

/** The union of the words of a filter; ends early, as tileBits does. */
function filterBits(from: usize, channelStep: usize, channels: i32): u32 {
  let set: u32 = 0;
  for (let channel = 0; channel < channels && !(set & 1); channel++) {
    for (let k = 0; k < TAPS; k++) set |= load<u32>(from + words(k));
    from += channelStep;
  }
  return set;
}

/**
 * Describes filters by the worst of each property. `from`: the nine taps of the first one's first channel, in any order, with steps
 * to the next filter and to the next channel. `sums`: FilterSums of each four.
 */
export function describeFilters(
  trust: Trust,
  from: usize,
  filterStep: usize,
  channelStep: usize,
  filters: i32,
  channels: i32,
  sums: usize,
): void {
  const elements = <f32>(TAPS * channels);
  trust.weak = 0;
  trust.spread = 1;
  trust.bits = SIGNIFICAND;
  for (let filter = 0; filter < filters; filter++) {
    const at = sums + <usize>(filter >> 2) * FILTER_SUMS_BYTES + words(filter & 3);
    const magnitudes = load<f32>(at, offsetof<FilterSums>('magnitudes'));
    const squares = load<f32>(at, offsetof<FilterSums>('squares'));
    // Zeros make zeros.
    if (magnitudes != 0) {
      trust.bits = min(trust.bits, significantBits(filterBits(from, channelStep, channels)));
      const evenness = (magnitudes * magnitudes) / (elements * squares);
      trust.spread = min<f32>(trust.spread, evenness);
      if (isOutside(squares) || evenness < LEAST_EVENNESS) trust.weak = Infinity;
      else {
        const wanted = WEAK_TAP * sqrt<f32>(squares / elements);
        const limit = load<f32>(at, offsetof<FilterSums>('limit'));
        // The first channel may be unlike the others.
        const isNear = limit >= 0.5 * wanted && limit <= 2 * wanted;
        const weak = isNear
          ? load<i32>(at, offsetof<FilterSums>('below'))
          : countBelow(from, channelStep, channels, wanted);
        trust.weak = max<f32>(trust.weak, <f32>weak);
      }
    }
    from += filterStep;
  }
}

/** Bytes of FilterSums. */
export const FILTER_SUMS_BYTES: usize = 64;
