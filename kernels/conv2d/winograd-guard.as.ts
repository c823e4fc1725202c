// Which tiles and filters Winograd's algorithm may take, by the error model of ../shared/error-model.ts: the argument stands there.
// A tile is described by the number of weak taps that a filter may have at most; a filter by how many it has. Both also know
// how many bits their numbers need, since whole numbers and masks must come out as exact as a plain sum leaves them.
// winograd-tile-guard.as.ts describes tiles, winograd-filter-guard.as.ts filters, winograd-weight-guard.as.ts the channels of a
// weight gradient.
import { words } from '../shared/addresses.as';

/** Sums of squares between which neither the transforms nor the products overflow or lose digits to denormal numbers. */
export const LEAST_SQUARES: f32 = 7.888609052210118e-31;
export const MOST_SQUARES: f32 = 1.2676506002282294e30;

/** Bits of a float32 significand. */
export const SIGNIFICAND: i32 = 24;

/** What describes a tile, or the filters of a panel. */
@unmanaged
export class Trust {
  /** Weak taps that a filter may have; that a filter has. -1 for a tile and infinity for a filter that must not be taken. */
  weak: f32;
  /** The share of a tile's squares that its poorest window holds, see SHARE_TERMS; a filter's evenness. Their product is 1 at least. */
  spread: f32;
  bits: i32;
  unused: i32;
}

/** Bytes of a Trust. */
export const TRUST_BYTES: usize = 16;

@inline
export function isTrusted(tile: usize, filters: usize): bool {
  const own = changetype<Trust>(tile);
  const other = changetype<Trust>(filters);
  return other.weak <= own.weak && other.spread * own.spread >= 1 && own.bits + other.bits > SIGNIFICAND;
}

/** Whether no number of squares between the limits is meant: too small, too large or no number at all. */
@inline
export function isOutside(squares: f32): bool {
  return !(squares >= LEAST_SQUARES && squares <= MOST_SQUARES);
}

/** Bits from the first to the last one of a significand, of the words that `set` is the union of. */
@inline
export function significantBits(set: u32): i32 {
  return SIGNIFICAND - <i32>ctz<u32>(set | 0x00800000);
}

/** The union of `count` words, or of the first of them if their last bit is set: all bits of a significand are needed then. */
export function unionOf(from: usize, count: i32): u32 {
  const last = i32x4.splat(1);
  let set = i32x4.splat(0);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    set = v128.or(set, v128.load(from + words(i)));
    if (v128.any_true(v128.and(set, last))) break;
  }
  const two = v128.or(set, v128.shuffle<i32>(set, set, 2, 3, 2, 3));
  let union = (<u32>i32x4.extract_lane(two, 0)) | (<u32>i32x4.extract_lane(two, 1));
  for (; i < count && !(union & 1); i++) union |= load<u32>(from + words(i));
  return union;
}
