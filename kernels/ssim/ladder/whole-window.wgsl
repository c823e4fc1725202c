// Start: one thread per position walks the whole window. It reads windowH x windowW values of x and y, all but the first
// from cache, and does as many products.

override workgroupSize: u32;

@group(0) @binding(4) var<storage, read_write> map: array<f32>;

@compute @workgroup_size(workgroupSize)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * grid.x) * workgroupSize + lane;
  let line = at / params.outW;
  let plane = line / params.outH;
  if (plane >= params.planes) { return; }
  let centre = centreOf(plane);
  let top = i32(line % params.outH) - i32(params.padH);
  let left = i32(at % params.outW) - i32(params.padW);
  var moments = vec4(0.0);
  for (var k = 0u; k < params.windowH; k++) {
    for (var l = 0u; l < params.windowW; l++) {
      let weight = window[k] * window[params.windowH + l];
      moments += weight * productsAt(plane, top + i32(k), left + i32(l), centre);
    }
  }
  let s = similarityOf(moments, centre);
  map[at] = s.luminance * s.contrast;
}
