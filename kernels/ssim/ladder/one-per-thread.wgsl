// The sums along W stay in the memory of a workgroup, which has a tile of 16 x 16 positions, one for each thread. Nothing
// but x, y and the map is in memory; a value of the workgroup's memory is loaded windowH times.

const SIDE = 16u;

/// (SIDE + windowH - 1) rows.
var<workgroup> rows: array<vec4<f32>, 1024>;

@group(0) @binding(4) var<storage, read_write> map: array<f32>;

@compute @workgroup_size(SIDE * SIDE)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let across = (params.outW + SIDE - 1u) / SIDE;
  let tiles = across * ((params.outH + SIDE - 1u) / SIDE);
  let index = group.x + group.y * grid.x;
  let plane = index / tiles;
  if (plane >= params.planes) { return; }
  let centre = centreOf(plane);
  let firstRow = index % tiles / across * SIDE;
  let column = index % across * SIDE + lane % SIDE;
  for (var row = lane / SIDE; row < SIDE + params.windowH - 1u; row += SIDE) {
    var sum = vec4(0.0);
    for (var l = 0u; l < params.windowW; l++) {
      let place = vec2<i32>(vec2(firstRow + row, column + l)) - vec2<i32>(vec2(params.padH, params.padW));
      sum += window[params.windowH + l] * productsAt(plane, place.x, place.y, centre);
    }
    rows[row * SIDE + lane % SIDE] = sum;
  }
  workgroupBarrier();
  let row = firstRow + lane / SIDE;
  if (row >= params.outH || column >= params.outW) { return; }
  var sum = vec4(0.0);
  for (var k = 0u; k < params.windowH; k++) { sum += window[k] * rows[lane + k * SIDE]; }
  let s = similarityOf(sum, centre);
  map[(plane * params.outH + row) * params.outW + column] = s.luminance * s.contrast;
}
