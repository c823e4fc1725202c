// Second pass of SSIM's gradient: the window's adjoint over the four factors of derivatives.wgsl, combined with x and y.
// Tiles of the image, one workgroup each. Reads 24 bytes and writes 8 a position, both gradients at once.

@group(0) @binding(4) var<storage, read> factors: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> gx: array<f32>;
@group(0) @binding(6) var<storage, read_write> gy: array<f32>;

fn source(plane: u32, row: i32, column: i32, centre: vec2<f32>) -> vec4<f32> {
  if (row < 0 || row >= i32(params.outH) || column < 0 || column >= i32(params.outW)) { return vec4(0.0); }
  return factors[((plane - planeBegin) * params.outH + u32(row)) * params.outW + u32(column)];
}

fn finish(at: u32, sums: vec4<f32>, centre: vec2<f32>) {
  let d = vec2(x[at], y[at]) - centre;
  let gradient = sums.xy + sums.z * d + sums.w * d.yx;
  gx[at] = gradient.x;
  gy[at] = gradient.y;
}

@compute @workgroup_size(workgroupSize)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let place = placeOf(group.x + group.y * grid.x, params.inH, params.inW);
  if (!place.isNeeded) { return; }
  let shift = vec2<i32>(vec2(params.padH, params.padW)) - vec2<i32>(vec2(params.windowH, params.windowW)) + 1;
  filterTile(lane, place, params.inH, params.inW, shift, true);
}
