// A thread makes 8 x 8 weights in registers: 16 loads from workgroup memory for 64 multiply-adds, 1/32 word from buffers for one. A
// workgroup of 64 threads makes 64 channels x 64 weights of each over the pixels of its split; in steps of 16 pixels, thread t brings the
// words of pixel t % 16, so a pixel's geometry is worked out once. But each step divides a pixel into image, row and column, and every
// load is behind a condition, so a GPU waits for each before it asks for the next.

const TILE = 64u;
// Words from one pixel of a tile to the next: not a multiple of the banks of workgroup memory.
const PITCH = 65u;
const STEP = 16u;
const SIDE = 8u;

// Place in x of a tile's column relative to a pixel: channel offset, row and column shift. Past the end, a row outside x.
struct Place {
  channel: u32,
  row: i32,
  column: i32,
}

var<workgroup> places: array<Place, TILE>;
var<workgroup> tileA: array<f32, STEP * PITCH>;
var<workgroup> tileB: array<f32, STEP * PITCH>;

fn placeOf(column: u32, group: u32) -> Place {
  let taps = params.kernelH * params.kernelW;
  if (column >= insPerGroup() * taps) {
    return Place(0, -0x40000000, 0);
  }
  let channel = (group * insPerGroup() + column / taps) * params.inH * params.inW;
  let row = i32(column % taps / params.kernelW * params.dilationH) - i32(params.padH);
  return Place(channel, row, i32(column % params.kernelW * params.dilationW) - i32(params.padW));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let splits = workgroups.z / params.groups;
  let split = workgroup.z / params.groups;
  let group = workgroup.z % params.groups;
  let firstOut = workgroup.y * TILE;
  let firstColumn = workgroup.x * TILE;
  places[thread] = placeOf(firstColumn + thread, group);
  workgroupBarrier();

  let outPlane = params.outH * params.outW;
  let inImage = params.inChannels * params.inH * params.inW;
  let rows = rowsOf(split, splits);
  let end = rows.end * params.outW;
  let step = thread % STEP;
  let threadRow = thread / SIDE;
  let threadColumn = thread % SIDE;
  var sums: array<array<f32, SIDE>, SIDE>;
  for (var first = rows.begin * params.outW; first < end; first += STEP) {
    let pixel = first + step;
    let there = pixel < end;
    let image = pixel / outPlane;
    let row = i32(pixel % outPlane / params.outW * params.strideH);
    let column = i32(pixel % params.outW * params.strideW);
    let gStart = (image * params.outChannels + group * outsPerGroup()) * outPlane + pixel % outPlane;
    for (var i = thread / STEP; i < TILE; i += TILE / STEP) {
      var a = 0.0;
      if (there && firstOut + i < outsPerGroup()) {
        a = g[gStart + (firstOut + i) * outPlane];
      }
      tileA[step * PITCH + i] = a;
      let place = places[i];
      let r = row + place.row;
      let c = column + place.column;
      var b = 0.0;
      if (there && r >= 0 && r < i32(params.inH) && c >= 0 && c < i32(params.inW)) {
        b = x[image * inImage + place.channel + u32(r) * params.inW + u32(c)];
      }
      tileB[step * PITCH + i] = b;
    }
    workgroupBarrier();
    for (var l = 0u; l < STEP; l++) {
      var b: array<f32, SIDE>;
      for (var j = 0u; j < SIDE; j++) {
        b[j] = tileB[l * PITCH + threadColumn + j * SIDE];
      }
      for (var i = 0u; i < SIDE; i++) {
        let a = tileA[l * PITCH + threadRow * SIDE + i];
        for (var j = 0u; j < SIDE; j++) {
          sums[i][j] = fma(a, b[j], sums[i][j]);
        }
      }
    }
    workgroupBarrier();
  }

  let columns = insPerGroup() * params.kernelH * params.kernelW;
  for (var i = 0u; i < SIDE; i++) {
    let out = firstOut + threadRow * SIDE + i;
    for (var j = 0u; j < SIDE; j++) {
      let made = firstColumn + threadColumn + j * SIDE;
      if (out < outsPerGroup() && made < columns) {
        partials[partialAt(split, group * outsPerGroup() + out, made)] = sums[i][j];
      }
    }
  }
}
