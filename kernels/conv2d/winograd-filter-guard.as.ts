// The filters of a panel as the guard of Winograd's convolutions sees them (winograd-guard.as.ts).
import { words } from '../shared/addresses.as';
import { madd } from '../shared/simd.as';
import { isOutside, SIGNIFICAND, significantBits, Trust } from './winograd-guard.as';
import { TAPS } from './winograd-transforms.as';

/** Taps below this part of the root mean square of their filter are weak. */
const WEAK_TAP: f32 = 1.0 / 256.0;
/** Of a filter: (sum of magnitudes)^2 / (taps x sum of squares), at least. */
const LEAST_EVENNESS: f32 = 1.0 / 8.0;

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

/** The union of the words of a filter; ends where a last bit is set. */
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
