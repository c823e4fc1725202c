// Which tiles and filters Winograd's algorithm may take, by the error model of ../error-model.ts: the argument stands there.
// A tile is described by the number of weak taps that a filter may have at most; a filter by how many it has. Both also know
// how many bits their numbers need, since whole numbers and masks must come out as exact as a plain sum leaves them.
import { words } from '../shared/addresses.as';
import { loadLanes, madd } from '../shared/simd.as';
import { INPUTS, OUTPUTS } from './winograd-transforms.as';

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

/** Weak taps that a panel of filters may well have although they are few: a tile that seems to allow no more is looked at closely. */
const FEW_WEAK: f32 = 4;

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

/** Describes `count` tiles by the worst of each property. */
export function leastTrust(trust: Trust, tiles: usize, count: i32): void {
  let weak: f32 = f32.MAX_VALUE;
  let spread = weak;
  let bits = SIGNIFICAND;
  const end = tiles + <usize>count * TRUST_BYTES;
  while (tiles < end) {
    const tile = changetype<Trust>(tiles);
    // NaN, which no comparison trusts, stays.
    weak = min<f32>(weak, tile.weak);
    spread = min<f32>(spread, tile.spread);
    bits = min(bits, tile.bits);
    tiles += TRUST_BYTES;
  }
  trust.weak = weak;
  trust.spread = spread;
  trust.bits = bits;
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

/** As tileBits, when the middle of the tile does not decide. */
function allTileBits(from: usize, pitch: usize, pixel: usize): u32 {
  const last = i32x4.splat(1);
  let set = i32x4.splat(0);
  for (let row = 0; row < INPUTS; row++) {
    const end = from + INPUTS * pixel;
    for (let at = from; at < end; at += 16) set = v128.or(set, v128.load(at));
    if (v128.any_true(v128.and(set, last))) break;
    from += pitch;
  }
  return unite(set);
}

/** All bits of a significand. */
const EVERY_BIT: u32 = 0x00ffffff;

/**
 * The union of the words of a tile, whose rows are `pitch` bytes apart and whose pixels have `pixel` bytes, or any word with its last
 * bit set if one has it: all bits of a significand are needed then, as in other data than masks and whole numbers. A look at the
 * middle mostly shows it.
 */
@inline
export function tileBits(from: usize, pitch: usize, pixel: usize): u32 {
  const at = from + 2 * pitch;
  const some = v128.or(v128.or(v128.load(at), v128.load(at, 16)), v128.or(v128.load(at, 32), v128.load(at, 48)));
  return v128.any_true(v128.and(some, i32x4.splat(1))) ? EVERY_BIT : allTileBits(from, pitch, pixel);
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

@inline
function mostLane(value: v128): f32 {
  const two = f32x4.pmax(value, v128.shuffle<i32>(value, value, 2, 3, 2, 3));
  return f32x4.extract_lane(f32x4.pmax(two, v128.shuffle<i32>(two, two, 1, 1, 1, 1)), 0);
}

/** (sum of magnitudes)^2 / sum of squares of the window of a tile that has least; arguments of describeTile. */
function leastSpreadOf(sums: usize, pitch: usize, rows: i32, columns: i32): f32 {
  const row = 2 * pitch;
  const unwanted = i32x4.gt_s(i32x4(0, 1, 2, 3), i32x4.splat(columns - 1));
  const none = f32x4.splat(f32.MAX_VALUE);
  let spread = none;
  for (let i = 0; i < min(rows, OUTPUTS); i++) {
    const window = f32x4.add(f32x4.add(threeColumns(sums), threeColumns(sums + row)), threeColumns(sums + 2 * row));
    sums += pitch;
    const squares = f32x4.add(f32x4.add(threeColumns(sums), threeColumns(sums + row)), threeColumns(sums + 2 * row));
    sums += pitch;
    // An empty window has no spread: NaN.
    const each = f32x4.div(f32x4.mul(window, window), squares);
    spread = lesser(spread, v128.bitselect(none, each, unwanted));
  }
  return leastLane(spread);
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
  let most = i32x4.splat(0);
  let at = sums + 2 * row;
  for (let i = 0; i < OUTPUTS; i++) {
    const next = threeColumns(at);
    const squaresNext = threeColumns(at + pitch);
    at += row;
    tile = f32x4.add(tile, squaresNext);
    const window = f32x4.add(f32x4.add(before, next), middle);
    const squares = f32x4.add(f32x4.add(squaresBefore, squaresNext), squaresMiddle);
    most = f32x4.pmax(most, squares);
    if (isWhole) least = lesser(least, window);
    else if (i < rows) least = lesser(least, v128.bitselect(none, window, unwanted));
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
  // What is not finite in a window is so in the squares of its tile.
  let weak: f32 = isOutside(squares) ? -1 : (WEAK_SHARE * (window * window)) / mostLane(most);
  // The poorest window need not be the one with the largest squares.
  if (weak >= 0 && weak < FEW_WEAK) weak = WEAK_SHARE * leastSpreadOf(sums, pitch, rows, columns);
  trust.weak = weak;
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
 * Stores at `to` the sum of the magnitudes and that of the squares of `count` elements in each of `images` runs, `step` bytes apart.
 * `isSampled`, a constant: the former from one of two vectors, twice.
 */
@inline
function sumRuns(isSampled: bool, from: usize, images: i32, step: usize, count: i32, to: usize): void {
  // Chains whose sums do not wait for each other.
  let sum0 = i32x4.splat(0);
  let sum1 = sum0;
  let squares0 = sum0;
  let squares1 = sum0;
  let squares2 = sum0;
  let squares3 = sum0;
  const weight = f32x4.splat(isSampled ? 0.5 : 1);
  for (let image = 0; image < images; image++) {
    let at = from;
    const end = from + words(count);
    while (at + 64 <= end) {
      const x0 = v128.load(at);
      const x1 = v128.load(at, 16);
      const x2 = v128.load(at, 32);
      const x3 = v128.load(at, 48);
      sum0 = f32x4.add(sum0, isSampled ? f32x4.abs(x0) : f32x4.add(f32x4.abs(x0), f32x4.abs(x1)));
      sum1 = f32x4.add(sum1, isSampled ? f32x4.abs(x2) : f32x4.add(f32x4.abs(x2), f32x4.abs(x3)));
      squares0 = madd(x0, x0, squares0);
      squares1 = madd(x1, x1, squares1);
      squares2 = madd(x2, x2, squares2);
      squares3 = madd(x3, x3, squares3);
      at += 64;
    }
    while (at < end) {
      const x = loadLanes(at, min(4, (<i32>(end - at)) >> 2));
      sum0 = madd(weight, f32x4.abs(x), sum0);
      squares0 = madd(x, x, squares0);
      at += 16;
    }
    from += step;
  }
  const sum = sumLanes(f32x4.add(sum0, sum1));
  store<f32>(to, isSampled ? 2 * sum : sum);
  store<f32>(to, sumLanes(f32x4.add(f32x4.add(squares0, squares1), f32x4.add(squares2, squares3))), 4);
}

/** Elements of a channel from which on the sum of their magnitudes is estimated from half of them. */
const MANY: i32 = 2048;

/**
 * Stores at `to` the sum of the magnitudes and that of the squares of `count` elements in each of `images` runs, `step` bytes apart, of
 * a channel with `places` elements.
 */
export function sumMagnitudes(from: usize, images: i32, step: usize, count: i32, to: usize, places: i32): void {
  if (places >= MANY) sumRuns(true, from, images, step, count, to);
  else sumRuns(false, from, images, step, count, to);
}

@inline
function sumLanes(value: v128): f32 {
  const two = f32x4.add(value, v128.shuffle<i32>(value, value, 2, 3, 2, 3));
  return f32x4.extract_lane(two, 0) + f32x4.extract_lane(two, 1);
}

/** Bytes of a channel's magnitudes: their sum and that of their squares. */
export const MAGNITUDE_BYTES: usize = 8;

/** One of sumMagnitudes' two sums of a channel, over `splits` parts that are `step` bytes apart. */
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
 * `from`: sumMagnitudes of each of `splits` parts of `places` elements, `step` bytes apart. -1 if the channels must not be taken.
 */
export function leastSpread(from: usize, channels: i32, splits: i32, step: usize, places: i32, isMean: bool): f32 {
  let total: f32 = 0;
  for (let channel = 0; channel < channels; channel++) {
    total += overSplits(from + <usize>channel * MAGNITUDE_BYTES + 4, splits, step);
  }
  const least = MINOR * (total / <f32>channels);
  let spread: f32 = Infinity;
  let sum: f32 = 0;
  let count: f32 = 0;
  for (let channel = 0; channel < channels; channel++) {
    const at = from + <usize>channel * MAGNITUDE_BYTES;
    let magnitudes = overSplits(at, splits, step);
    const squares = overSplits(at + 4, splits, step);
    // Zeros make zeros; the squares of others that are lost are too small for the estimate, too.
    if (magnitudes == 0 && squares == 0) continue;
    if (isOutside(squares)) return -1;
    if (squares >= least) {
      // Less what one element among those that count twice would add.
      if (places >= MANY) magnitudes = max<f32>(0, magnitudes - sqrt<f32>(squares));
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
  const end = taps + 3 * 16;
  do {
    // Three at a time, whose sums do not wait for each other.
    const a = v128.load(taps);
    const b = v128.load(taps, 48);
    const c = v128.load(taps, 96);
    const sizeA = f32x4.abs(a);
    const sizeB = f32x4.abs(b);
    const sizeC = f32x4.abs(c);
    magnitudes = f32x4.add(magnitudes, f32x4.add(f32x4.add(sizeA, sizeB), sizeC));
    squares = f32x4.add(squares, madd(a, a, madd(b, b, f32x4.mul(c, c))));
    const belowAB = i32x4.add(f32x4.lt(sizeA, limit), f32x4.lt(sizeB, limit));
    below = i32x4.sub(below, i32x4.add(belowAB, f32x4.lt(sizeC, limit)));
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
