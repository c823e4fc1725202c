// Chains of multiply-adds in registers; the equation is in peak.ts. One thread per four values of the result, twelve chains
// of four lanes each; 16 bytes moved per thread, whatever the number of rounds.

override workgroupSize: u32;

struct Params {
  n: u32,
  rounds: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(workgroupSize)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = 4u * ((group.x + group.y * grid.x) * workgroupSize + lane);
  if (first >= params.n) { return; }
  let factor = vec4(x[0]);
  let term = vec4(x[1]);
  var a0 = vec4(0.0);
  var a1 = vec4(1.0);
  var a2 = vec4(2.0);
  var a3 = vec4(3.0);
  var a4 = vec4(4.0);
  var a5 = vec4(5.0);
  var a6 = vec4(6.0);
  var a7 = vec4(7.0);
  var a8 = vec4(8.0);
  var a9 = vec4(9.0);
  var a10 = vec4(10.0);
  var a11 = vec4(11.0);
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
  let sum = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7)) + ((a8 + a9) + (a10 + a11));
  for (var i = 0u; i < min(4u, params.n - first); i++) { y[first + i] = sum[i]; }
}
