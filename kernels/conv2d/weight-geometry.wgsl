// What the shaders of conv2dWeightGradient share; placed before each of them.
//
//   w'[o][c][r][s] = sum over n, p, q of g[n][o][p][q] x[n][c][p strideH - padH + r dilationH][q strideW - padW + s dilationW]
//
// The sum runs over batch x outH x outW pixels, far more than there are weights, so it is split: each workgroup adds up one
// run of output rows into its part of `partials` [splits, weights], and sum-splits.wgsl adds the parts in order. No split
// depends on the number of threads or on timing, so the bits do not either. With one split `partials` is w' itself.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;

// Output rows [begin, end) of batch x outH that a split adds up.
struct Rows {
  begin: u32,
  end: u32,
}

fn rowsOf(split: u32, splits: u32) -> Rows {
  let total = params.batch * params.outH;
  let perSplit = (total + splits - 1) / splits;
  return Rows(min(split * perSplit, total), min((split + 1) * perSplit, total));
}

fn insPerGroup() -> u32 {
  return params.inChannels / params.groups;
}

fn outsPerGroup() -> u32 {
  return params.outChannels / params.groups;
}

// Index in `partials` of weight `column` (source channel and tap) of output channel `out`.
fn partialAt(split: u32, out: u32, column: u32) -> u32 {
  return (split * params.outChannels + out) * insPerGroup() * params.kernelH * params.kernelW + column;
}

