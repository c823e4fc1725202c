// A shader that stores what many expressions give, and what each must give on every implementation of WGSL.

const floats = new Float32Array(1);
const bits = new Int32Array(floats.buffer);
const bitsOf = (x: number): number => {
  floats[0] = x;
  return bits[0]!;
};

type Row = readonly [expression: string, type: 'f32' | 'i32' | 'u32' | 'bool', expected: number];

/** Expressions of `one` = 1, `f` = 0.1, `i` = -7, `u` = 4294967290, `v` = (1, 2, 3, 4) as floats, none of them a constant. */
const rows: readonly Row[] = [
  ['f + 0.2', 'f32', Math.fround(Math.fround(0.1) + Math.fround(0.2))],
  ['f * f * f', 'f32', Math.fround(Math.fround(Math.fround(0.1) * Math.fround(0.1)) * Math.fround(0.1))],
  ['i / 2', 'i32', -3],
  ['i % 4', 'i32', -3],
  ['i >> 1u', 'i32', -4],
  ['i * 1000000007', 'i32', Math.imul(-7, 1000000007)],
  ['u + 10', 'u32', 4],
  ['u * 3', 'u32', Math.imul(4294967290, 3)],
  ['u / 7', 'u32', Math.floor(4294967290 / 7)],
  ['u >> 28', 'u32', 15],
  ['~u', 'u32', 5],
  ['2147483647 + i32(one)', 'i32', -2147483648],
  ['u32(i)', 'u32', -7],
  ['i32(-3.7 * f32(one))', 'i32', -3],
  ['u32(3.7 * f32(one))', 'u32', 3],
  ['f32(u)', 'f32', 4294967296],
  ['bitcast<u32>(f)', 'u32', bitsOf(0.1)],
  ['bitcast<f32>(0x40490fdb * one)', 'f32', Math.fround(Math.PI)],
  ['round(2.5 * f32(one)) + round(-3.5 * f32(one)) * 16', 'f32', 2 - 64],
  ['floor(-0.5 * f32(one)) + ceil(f) * 8 + trunc(-1.5 * f32(one)) * 64', 'f32', -1 + 8 - 64],
  ['min(i, 3) + max(i, 3) * 16 + clamp(i, -5, 5) * 256 + abs(i) * 4096', 'i32', -7 + 48 - 1280 + 28672],
  ['sign(-f) * 2 + sqrt(4 * f32(one)) + select(1.0, 100.0, i < 0)', 'f32', -2 + 2 + 100],
  ['countLeadingZeros(one) + countOneBits(u) * 64', 'u32', 31 + 30 * 64],
  ['countTrailingZeros(one << 5u) + firstLeadingBit(one * 1000) * 64', 'u32', 5 + 9 * 64],
  ['reverseBits(one)', 'u32', 1 << 31],
  ['extractBits(one * 0xabcd, 4, 8)', 'u32', 0xbc],
  ['extractBits(i, 0, 4)', 'i32', -7],
  ['insertBits(u, 3 * one, 8, 4)', 'u32', 0xfffff3fa],
  ['dot(v, v.wzyx)', 'f32', 4 + 6 + 6 + 4],
  ['dot(vec3(i, i, i), vec3(1, 2, 3))', 'i32', -42],
  ['(v.xy + v.zw * 10).y', 'f32', 42],
  ['(mat2x3<f32>(v.xyz, v.yzw) * vec2(2.0, f32(one))).z', 'f32', 10],
  ['(v.xy * mat2x2<f32>(v.xy, v.zw)).y', 'f32', 3 + 8],
  ['(mat2x2<f32>(v.xy, v.zw) * mat2x2<f32>(v.zw, v.xy))[0].x', 'f32', 3 + 12],
  ['all(v > vec4(0.0)) && !any(v > vec4(4.0))', 'bool', 1],
  ['select(v, -v, v > vec4(2.0)).z', 'f32', -3],
  ['cross(v.xyz, v.yzw).y', 'f32', 3 * 2 - 1 * 4],
  ['pack4x8unorm(v / 4)', 'u32', 0xffbf8040],
  ['pack2x16float(vec2(f32(one), -2.0))', 'u32', 0xc0003c00],
  ['unpack2x16float(0xc0003c00 * one).y', 'f32', -2],
  ['unpack4x8snorm(0x7f81 * one).x', 'f32', -1],
  ['table[one + 1] + u32(table[0] == 2)', 'u32', 6],
  ['walk(3 * one)', 'u32', 3 + 2 + 1],
  ['viaPointer()', 'i32', 11],
  ['chosen(one) + chosen(5 * one) * 16 + chosen(9 * one) * 256', 'u32', 1 + 2 * 16 + 3 * 256],
  ['collatz(27 * one)', 'u32', 111],
  ['shadowed(one)', 'u32', 21],
  ['layout(one)', 'u32', 0x0c0804],
  ['swapped()', 'f32', 21],
  ['kept++', 'i32', 5],
  ['select(0.0, 1.0, fma(1.0000001 * f32(one), 1.0000001, -1.0000002) >= 0)', 'f32', 1],
];

/** Of rows that are statements of their own. */
const own: Readonly<Record<string, string>> = {
  'kept++': 'kept += 2; kept++; let stored = kept;',
};

const text = `
struct Params { unused: u32 }
struct Inner { a: vec3<f32>, b: u32 }
struct Outer { x: u32, inner: array<Inner, 2>, last: vec2<u32> }
alias Four = vec4<f32>;

const table = array<u32, 3>(2, 3, 5);
override step: u32 = 1;
var<private> kept: i32 = 2;
var<workgroup> outer: Outer;
var<workgroup> counter: atomic<u32>;
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> words: array<i32>;

fn walk(from: u32) -> u32 {
  var sum = 0u;
  for (var i = from; i > 0; i -= step) { sum += i; }
  return sum;
}

fn add(to: ptr<function, i32>, amount: i32) { *to += amount; }

fn viaPointer() -> i32 {
  var x = array<i32, 2>(1, 10);
  add(&x[0], 3);
  add(&x[1], 4);
  let copy = x;
  x[1] = 100;
  return copy[1] - copy[0] + i32(x[1] == 100);
}

fn chosen(x: u32) -> u32 {
  switch x {
    case 1, 2: { return 1; }
    case 5: { if (x == 5) { break; } return 9; }
    default: { return 3; }
  }
  return 2;
}

fn collatz(from: u32) -> u32 {
  var n = from;
  var steps = 0u;
  loop {
    if (n == 1) { break; }
    let isOdd = (n & 1) == 1;
    if (isOdd) { n = 3 * n + 1; continue; }
    n /= 2;
    continuing { steps++; }
  }
  return steps;
}

fn shadowed(x: u32) -> u32 {
  let y = x + 1;
  {
    let x = y * 10;
    let y = x + 1;
    return y;
  }
}

/// Words before the parts of a struct, found by writing them.
fn layout(x: u32) -> u32 {
  outer.x = x;
  outer.inner[1].b = 8 * x;
  outer.inner[1].a.y = 3;
  outer.last = vec2(4 * x, 12 * x);
  let whole = outer;
  return whole.last.x + (whole.inner[1].b << 8) + (whole.last.y << 16);
}

fn swapped() -> f32 {
  var a = Four(1.0);
  var b = Four(2.0, 2.0, 2.0, 2.0);
  let before = a;
  a = b;
  b = before;
  a.x *= 10;
  b[1] = 7;
  return a.x + b.x;
}

@compute @workgroup_size(1)
fn main() {
  let one = bitcast<u32>(words[0]) + 1;
  let f = 0.1 * f32(one);
  let i = -7 * i32(one);
  let u = 4294967290 * one;
  let v = vec4(1.0, 2, 3, 4) * f32(one);
${rows
  .map(([expression, type], i) => {
    const before = own[expression];
    const value = before ? 'stored' : expression;
    const word = type === 'bool' ? `select(0, 1, ${value})` : type === 'i32' ? value : `bitcast<i32>(${value})`;
    return `  { ${before ?? ''} words[${i}] = ${word}; }`;
  })
  .join('\n')}
  atomicStore(&counter, 5);
  let before = atomicAdd(&counter, 3) + atomicMax(&counter, 20) * 16;
  words[${rows.length}] = i32(before + atomicLoad(&counter) * 256);
  words[${rows.length + 1}] = i32(arrayLength(&words));
}
`;

/** Words that the shader stores. The first is 0 before. */
export const WORDS = rows.length + 2;

export const language = {
  text,
  expected: [
    ...rows.map(([what, type, expected]) => ({ what, word: type === 'f32' ? bitsOf(expected) : expected })),
    { what: 'atomics', word: 5 + 8 * 16 + 20 * 256 },
    { what: 'arrayLength', word: WORDS },
  ],
};
