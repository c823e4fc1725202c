// What the shaders of matmul share; placed before each of them: parameters, and the strides of op(A) and op(B).

struct Params {
  batch: u32,
  m: u32,
  n: u32,
  k: u32,
  transposeA: u32,
  transposeB: u32,
  batchedA: u32,
  batchedB: u32,
  bias: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// op(A)[i][l] = a[start + i outer + l inner], op(B)[l][j] = b[start + j outer + l inner].
struct Strides {
  start: u32,
  outer: u32,
  inner: u32,
}

fn stridesA(entry: u32) -> Strides {
  let start = entry * params.batchedA * params.m * params.k;
  if (params.transposeA == 1) {
    return Strides(start, 1, params.m);
  }
  return Strides(start, params.k, 1);
}

fn stridesB(entry: u32) -> Strides {
  let start = entry * params.batchedB * params.k * params.n;
  if (params.transposeB == 1) {
    return Strides(start, params.k, 1);
  }
  return Strides(start, 1, params.n);
}

