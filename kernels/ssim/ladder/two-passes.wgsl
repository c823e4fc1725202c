// The window is taken apart: one pass along W, one along H, with the four sums between them in memory. One thread per
// position of either pass; windowH + windowW products instead of windowH x windowW, for 32 bytes more a position.

override workgroupSize: u32;

@group(0) @binding(4) var<storage, read_write> filtered: array<vec4<f32>>;

@group(0) @binding(4) var<storage, read> moments: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> map: array<f32>;

@compute @workgroup_size(workgroupSize)
fn alongW(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * grid.x) * workgroupSize + lane;
  let line = at / params.outW;
  let height = params.outH + params.windowH - 1u;
  let plane = line / height;
  if (plane >= params.planes) { return; }
  let centre = centreOf(plane);
  let row = i32(line % height) - i32(params.padH);
  let left = i32(at % params.outW) - i32(params.padW);
  var sum = vec4(0.0);
  for (var l = 0u; l < params.windowW; l++) {
    sum += window[params.windowH + l] * productsAt(plane, row, left + i32(l), centre);
  }
  filtered[at] = sum;
}

@compute @workgroup_size(workgroupSize)
fn alongH(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * grid.x) * workgroupSize + lane;
  let line = at / params.outW;
  let plane = line / params.outH;
  if (plane >= params.planes) { return; }
  let centre = centreOf(plane);
  let top = plane * (params.outH + params.windowH - 1u) + line % params.outH;
  var sum = vec4(0.0);
  for (var k = 0u; k < params.windowH; k++) {
    sum += window[k] * moments[(top + k) * params.outW + at % params.outW];
  }
  let s = similarityOf(sum, centre);
  map[at] = s.luminance * s.contrast;
}
