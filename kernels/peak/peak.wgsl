// Chains of multiply-adds in registers; the equation is in peak.ts. One thread per value of the result, twelve chains each;
// 4 bytes moved per thread, whatever the number of rounds.

struct Params {
  n: u32,
  rounds: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(workgroupSize)
fn main(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n) { return; }
  let factor = x[0];
  let term = x[1];
  var a0 = 0.0;
  var a1 = 1.0;
  var a2 = 2.0;
  var a3 = 3.0;
  var a4 = 4.0;
  var a5 = 5.0;
  var a6 = 6.0;
  var a7 = 7.0;
  var a8 = 8.0;
  var a9 = 9.0;
  var a10 = 10.0;
  var a11 = 11.0;
  for (var round = 0u; round < params.rounds; round++) {
    a0 = fma(factor, a0, term);
    a1 = fma(factor, a1, term);
    a2 = fma(factor, a2, term);
    a3 = fma(factor, a3, term);
    a4 = fma(factor, a4, term);
    a5 = fma(factor, a5, term);
    a6 = fma(factor, a6, term);
    a7 = fma(factor, a7, term);
    a8 = fma(factor, a8, term);
    a9 = fma(factor, a9, term);
    a10 = fma(factor, a10, term);
    a11 = fma(factor, a11, term);
  }
  y[i] = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7)) + ((a8 + a9) + (a10 + a11));
}
