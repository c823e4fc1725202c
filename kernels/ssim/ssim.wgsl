// Four results per thread along each axis in turn: a value that has been loaded serves four sums, in registers.
// One workgroup per tile of the map, by tile.wgsl. Reads x and y (a tile with its margin, the margin mostly from cache) and
// writes the map: 12 bytes a position, with nothing in between in memory.
// Improves on ladder/one-per-thread.wgsl, in which every value passes through the workgroup's memory windowH times.

@group(0) @binding(4) var<storage, read_write> map: array<f32>;

fn source(plane: u32, row: i32, column: i32, centre: vec2<f32>) -> vec4<f32> {
  return productsAt(plane, row, column, centre);
}

fn finish(at: u32, moments: vec4<f32>, centre: vec2<f32>) {
  let s = similarityOf(moments, centre);
  map[at] = s.luminance * s.contrast;
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
