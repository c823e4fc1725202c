// How a workgroup lays a separable window over a tile of tileW x tileH results, put before modules that say what is read
// (`source`) and what becomes of a result (`finish`). Each thread filters four neighbours along W in registers, for all rows
// that the tile needs, into the workgroup's memory, and then four neighbours along H from there: every value is loaded
// 1 + (window - 1) / 4 times along an axis instead of `window` times.
// Grid: x and y are folded, a workgroup is (tile of the plane, plane), planes outermost.

override workgroupSize: u32;
override tileW: u32;
override tileH: u32;
/// The planes of this pass: all, unless they are told.
override planeBegin: u32 = 0u;
override planeCount: u32 = 0xffffffffu;

/// (tileH + windowH - 1) rows of tileW. Its size is fixed, lest every size of window needs a pipeline of its own.
var<workgroup> rows: array<vec4<f32>, 1024>;

/// Filters the tile at `place` of a height x width map. Its element (row, column) is the sum of what `source` gives from
/// (row, column) + shift on, under the window or, for its adjoint, under the window turned around.
fn filterTile(lane: u32, place: Place, height: u32, width: u32, shift: vec2<i32>, isAdjoint: bool) {
  let centre = centreOf(place.plane);
  const RUN = 4u;
  let runs = tileW / RUN;
  let rowCount = tileH + params.windowH - 1u;
  for (var item = lane; item < rowCount * runs; item += workgroupSize) {
    let row = item / runs;
    let column = item % runs * RUN;
    let start = vec2<i32>(vec2(place.row + row, place.column + column)) + shift;
    var v0 = source(place.plane, start.x, start.y, centre);
    var v1 = source(place.plane, start.x, start.y + 1, centre);
    var v2 = source(place.plane, start.x, start.y + 2, centre);
    var v3 = source(place.plane, start.x, start.y + 3, centre);
    var s0 = vec4(0.0);
    var s1 = vec4(0.0);
    var s2 = vec4(0.0);
    var s3 = vec4(0.0);
    for (var k = 0u; k < params.windowW; k++) {
      let weight = window[params.windowH + select(k, params.windowW - 1u - k, isAdjoint)];
      s0 += weight * v0;
      s1 += weight * v1;
      s2 += weight * v2;
      s3 += weight * v3;
      v0 = v1;
      v1 = v2;
      v2 = v3;
      v3 = source(place.plane, start.x, start.y + i32(k) + 4, centre);
    }
    let at = row * tileW + column;
    rows[at] = s0;
    rows[at + 1u] = s1;
    rows[at + 2u] = s2;
    rows[at + 3u] = s3;
  }
  workgroupBarrier();
  for (var item = lane; item < tileW * (tileH / RUN); item += workgroupSize) {
    let column = item % tileW;
    let row = item / tileW * RUN;
    if (place.column + column >= width || place.row + row >= height) { continue; }
    var at = row * tileW + column;
    var v0 = rows[at];
    var v1 = rows[at + tileW];
    var v2 = rows[at + 2u * tileW];
    var v3 = rows[at + 3u * tileW];
    var s0 = vec4(0.0);
    var s1 = vec4(0.0);
    var s2 = vec4(0.0);
    var s3 = vec4(0.0);
    at += 3u * tileW;
    for (var k = 0u; k < params.windowH; k++) {
      let weight = window[select(k, params.windowH - 1u - k, isAdjoint)];
      s0 += weight * v0;
      s1 += weight * v1;
      s2 += weight * v2;
      s3 += weight * v3;
      v0 = v1;
      v1 = v2;
      v2 = v3;
      at += tileW;
      // The row behind the last is loaded and not used.
      v3 = rows[min(at, rowCount * tileW - 1u)];
    }
    let to = (place.plane * height + place.row + row) * width + place.column + column;
    let left = height - place.row - row;
    finish(to, s0, centre);
    if (left > 1u) { finish(to + width, s1, centre); }
    if (left > 2u) { finish(to + 2u * width, s2, centre); }
    if (left > 3u) { finish(to + 3u * width, s3, centre); }
  }
}

/// Where a tile begins, and whether this workgroup has one.
struct Place {
  isNeeded: bool,
  plane: u32,
  row: u32,
  column: u32,
}

fn placeOf(group: u32, height: u32, width: u32) -> Place {
  let across = (width + tileW - 1u) / tileW;
  let tiles = across * ((height + tileH - 1u) / tileH);
  let tile = group % tiles;
  let plane = group / tiles;
  let isNeeded = plane < min(planeCount, params.planes - planeBegin);
  return Place(isNeeded, planeBegin + plane, tile / across * tileH, tile % across * tileW);
}
