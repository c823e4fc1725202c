// Sort along the middle axis of [outer, n, inner] for the WASM device: a task is a line, sorted by merging runs that double in
// length. Keys are whole numbers in the order of the values, so that a comparison is one instruction and NaN needs no case of
// its own. Scratch of a thread: keys and places, twice, of the longest line.
import { SortParams } from './params.as';

/** Elements of the first runs, which are sorted by insertion. */
const RUN: i32 = 16;

/** Unsigned, and rising with the value: negative floats have their bits turned over, NaN is above all, -0 is 0. */
@inline
function keyOf(bits: u32, descending: i32): u32 {
  let key: u32;
  if ((bits & 0x7fffffff) > 0x7f800000) key = 0xffffffff;
  else if (bits == 0x80000000) key = 0x80000000;
  else key = bits >> 31 ? ~bits : bits | 0x80000000;
  return descending ? ~key : key;
}

@inline
function at(base: usize, i: i32): usize {
  return base + ((<usize>i) << 2);
}

function insertRun(keys: usize, places: usize, first: i32, last: i32): void {
  for (let i = first + 1; i < last; i++) {
    const key = load<u32>(at(keys, i));
    const place = load<u32>(at(places, i));
    let to = i;
    while (to > first && load<u32>(at(keys, to - 1)) > key) {
      store<u32>(at(keys, to), load<u32>(at(keys, to - 1)));
      store<u32>(at(places, to), load<u32>(at(places, to - 1)));
      to--;
    }
    store<u32>(at(keys, to), key);
    store<u32>(at(places, to), place);
  }
}

/** Runs [first, middle) and [middle, last) of one pair of arrays as one run of the other. The left one wins ties. */
function mergeRuns(
  keys: usize,
  places: usize,
  toKeys: usize,
  toPlaces: usize,
  first: i32,
  middle: i32,
  last: i32,
): void {
  let left = first;
  let right = middle;
  for (let to = first; to < last; to++) {
    const isLeft = left < middle && (right == last || load<u32>(at(keys, left)) <= load<u32>(at(keys, right)));
    const from = isLeft ? left++ : right++;
    store<u32>(at(toKeys, to), load<u32>(at(keys, from)));
    store<u32>(at(toPlaces, to), load<u32>(at(places, from)));
  }
}

export function sort(p: SortParams, buffers: usize, begin: i32, end: i32): void {
  const x = <usize>load<u32>(buffers);
  const values = <usize>load<u32>(buffers, 4);
  const indices = <usize>load<u32>(buffers, 8);
  const scratch = <usize>load<u32>(buffers, 16);
  const bytes = (<usize>p.n) << 2;
  const step = (<usize>p.inner) << 2;
  for (let line = begin; line < end; line++) {
    const o = line / p.inner;
    const start = (<usize>o * p.n * p.inner + (line - o * p.inner)) << 2;
    let keys = scratch;
    let places = scratch + bytes;
    let otherKeys = scratch + 2 * bytes;
    let otherPlaces = scratch + 3 * bytes;
    for (let k = 0; k < p.n; k++) {
      store<u32>(at(keys, k), keyOf(load<u32>(x + start + <usize>k * step), p.descending));
      store<u32>(at(places, k), k);
    }
    for (let first = 0; first < p.n; first += RUN) insertRun(keys, places, first, min(p.n, first + RUN));
    for (let run = RUN; run < p.n; run *= 2) {
      for (let first = 0; first < p.n; first += 2 * run) {
        const middle = min(p.n, first + run);
        mergeRuns(keys, places, otherKeys, otherPlaces, first, middle, min(p.n, middle + run));
      }
      const usedKeys = keys;
      const usedPlaces = places;
      keys = otherKeys;
      places = otherPlaces;
      otherKeys = usedKeys;
      otherPlaces = usedPlaces;
    }
    for (let k = 0; k < p.n; k++) {
      const place = load<u32>(at(places, k));
      const to = start + <usize>k * step;
      store<u32>(indices + to, place);
      store<u32>(values + to, load<u32>(x + start + <usize>place * step));
    }
  }
}
