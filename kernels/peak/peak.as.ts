// Chains of multiply-adds for the WASM device, twelve vectors in registers; the equation is in peak.ts. A task is one vector
// of the result. Calls nothing inside the loop, so that V8 keeps the chains in registers.
import { madd, storeLanes } from '../shared/simd.as';
import { MultiplyAddsParams } from './params.as';

function chains(factor: v128, term: v128, rounds: i32): v128 {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(1);
  let a2 = f32x4.splat(2);
  let a3 = f32x4.splat(3);
  let a4 = f32x4.splat(4);
  let a5 = f32x4.splat(5);
  let a6 = f32x4.splat(6);
  let a7 = f32x4.splat(7);
  let a8 = f32x4.splat(8);
  let a9 = f32x4.splat(9);
  let a10 = f32x4.splat(10);
  let a11 = f32x4.splat(11);
  for (let round = 0; round < rounds; round++) {
    a0 = madd(factor, a0, term);
    a1 = madd(factor, a1, term);
    a2 = madd(factor, a2, term);
    a3 = madd(factor, a3, term);
    a4 = madd(factor, a4, term);
    a5 = madd(factor, a5, term);
    a6 = madd(factor, a6, term);
    a7 = madd(factor, a7, term);
    a8 = madd(factor, a8, term);
    a9 = madd(factor, a9, term);
    a10 = madd(factor, a10, term);
    a11 = madd(factor, a11, term);
  }
  a0 = f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3));
  a4 = f32x4.add(f32x4.add(a4, a5), f32x4.add(a6, a7));
  a8 = f32x4.add(f32x4.add(a8, a9), f32x4.add(a10, a11));
  return f32x4.add(f32x4.add(a0, a4), a8);
}

export function multiplyAdds(params: MultiplyAddsParams, buffers: usize, begin: i32, end: i32): void {
  const n = params.n;
  const rounds = params.rounds;
  const x = <usize>load<u32>(buffers);
  const y = <usize>load<u32>(buffers, 4);
  const factor = v128.load32_splat(x);
  const term = v128.load32_splat(x, 4);
  for (let i = 4 * begin; i < 4 * end; i += 4) {
    storeLanes(y + ((<usize>i) << 2), chains(factor, term, rounds), min(4, n - i));
  }
}
