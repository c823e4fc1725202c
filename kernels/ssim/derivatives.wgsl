// First pass of SSIM's gradient: the moments as in ssim.wgsl, and from them and g the four factors of the gradient at each
// position of the window: of 1 for gx and for gy, of the deviation of the same image, of that of the other image.
// Tiles of the map, one workgroup each. Reads 12 bytes and writes 16 a position.

@group(0) @binding(4) var<storage, read> g: array<f32>;
@group(0) @binding(5) var<storage, read_write> factors: array<vec4<f32>>;

fn source(plane: u32, row: i32, column: i32, centre: vec2<f32>) -> vec4<f32> {
  return productsAt(plane, row, column, centre);
}

fn finish(at: u32, moments: vec4<f32>, centre: vec2<f32>) {
  let s = similarityOf(moments, centre);
  let twice = 2.0 * g[at];
  let byOther = twice * s.luminance / s.spread;
  let byOwn = -byOther * s.contrast;
  // 2 contrast (my - luminance mx) / brightness for x, its large terms taken out by hand, and the same for y.
  let share = twice * s.contrast * s.slope * ((s.mean.yx * (s.mean.x + s.mean.y) + params.c1) / s.brightness);
  let cross = byOwn * moments.xy + byOther * moments.yx;
  let base = planeBegin * params.outH * params.outW;
  factors[at - base] = vec4(vec2(share.x, -share.y) - cross, byOwn, byOther);
}

@compute @workgroup_size(workgroupSize)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let place = placeOf(group.x + group.y * grid.x, params.outH, params.outW);
  if (!place.isNeeded) { return; }
  filterTile(lane, place, params.outH, params.outW, -vec2<i32>(vec2(params.padH, params.padW)), false);
}
