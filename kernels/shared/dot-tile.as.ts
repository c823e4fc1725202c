// The register tile of inner products: up to three rows of G against three rows of X, all contiguous. Each sum has four
// parts, one per lane, which are added at the end, so the length and the segments alone decide how it is rounded.
import { madd } from './simd.as';

@inline
function sumOf(s: v128): f32 {
  const half = f32x4.add(s, v128.shuffle<f32>(s, s, 2, 3, 2, 3));
  return f32x4.extract_lane(half, 0) + f32x4.extract_lane(half, 1);
}

@inline
function put(out: usize, s0: v128, s1: v128, s2: v128, columns: i32, add: bool): void {
  store<f32>(out, add ? load<f32>(out) + sumOf(s0) : sumOf(s0));
  if (columns > 1) store<f32>(out, add ? load<f32>(out, 4) + sumOf(s1) : sumOf(s1), 4);
  if (columns > 2) store<f32>(out, add ? load<f32>(out, 8) + sumOf(s2) : sumOf(s2), 8);
}

/** `rows` is a constant, 1 to 3. */
@inline
function dotRows(
  rows: i32,
  g: usize,
  ldg: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  length: i32,
  segments: i32,
  segmentG: usize,
  segmentX: usize,
  out: usize,
  ldo: usize,
  columns: i32,
  add: bool,
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
  const bytes = (<usize>length) << 2;
  for (let segment = 0; segment < segments; segment++) {
    let p0 = g;
    let p1 = g + ldg;
    let p2 = p1 + ldg;
    let a = x0;
    let b = x1;
    let c = x2;
    const end = g + bytes;
    while (p0 < end) {
      const xa = v128.load(a);
      const xb = v128.load(b);
      const xc = v128.load(c);
      const g0 = v128.load(p0);
      s00 = madd(g0, xa, s00);
      s01 = madd(g0, xb, s01);
      s02 = madd(g0, xc, s02);
      if (rows > 1) {
        const g1 = v128.load(p1);
        s10 = madd(g1, xa, s10);
        s11 = madd(g1, xb, s11);
        s12 = madd(g1, xc, s12);
        p1 += 16;
      }
      if (rows > 2) {
        const g2 = v128.load(p2);
        s20 = madd(g2, xa, s20);
        s21 = madd(g2, xb, s21);
        s22 = madd(g2, xc, s22);
        p2 += 16;
      }
      p0 += 16;
      a += 16;
      b += 16;
      c += 16;
    }
    g += segmentG;
    x0 += segmentX;
    x1 += segmentX;
    x2 += segmentX;
  }
  put(out, s00, s01, s02, columns, add);
  if (rows > 1) put(out + ldo, s10, s11, s12, columns, add);
  if (rows > 2) put(out + 2 * ldo, s20, s21, s22, columns, add);
}

/**
 * out[i][j] = (add: +=) sum over `segments` and `length` (a multiple of four) of g row i times x row j, for `rows` of g and
 * `columns` of x, 1 to 3 each; x rows that are not asked for must be readable all the same. ld*, segment*: bytes.
 */
export function dotTile(
  rows: i32,
  g: usize,
  ldg: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  length: i32,
  segments: i32,
  segmentG: usize,
  segmentX: usize,
  out: usize,
  ldo: usize,
  columns: i32,
  add: bool,
): void {
  if (rows == 3) dotRows(3, g, ldg, x0, x1, x2, length, segments, segmentG, segmentX, out, ldo, columns, add);
  else if (rows == 2) dotRows(2, g, ldg, x0, x1, x2, length, segments, segmentG, segmentX, out, ldo, columns, add);
  else dotRows(1, g, ldg, x0, x1, x2, length, segments, segmentG, segmentX, out, ldo, columns, add);
}
