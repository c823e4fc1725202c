// A thread makes 8 channels x 8 pixels in registers: 16 loads from workgroup memory for 64 multiply-adds, 1/32 word from buffers for one. A
// workgroup of 64 threads makes 64 channels x 64 pixels; in steps of 16 along sources x taps, thread t brings column t of both tiles to
// workgroup memory, so a pixel's geometry is worked out once. But every word brought costs four divisions, and every load is behind a
// condition, so a GPU waits for each before it asks for the next.

const TILE = 64u;
const STEP = 16u;
const SIDE = 8u;

var<workgroup> tileA: array<f32, STEP * TILE>;
var<workgroup> tileB: array<f32, STEP * TILE>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let group = workgroup.z % params.groups;
  let rows = rowAxis(workgroup.z / params.groups);
  let columns = columnAxis(workgroup.z / params.groups);
  let channels = channelsOf(group);
  // Channel tiles vary fastest, so that workgroups at work together read the same pixels.
  let tiles = (channels.targets + TILE - 1) / TILE;
  let at = workgroup.x + workgroup.y * workgroups.x;
  let firstTarget = at % tiles * TILE;
  let firstPixel = at / tiles * TILE;
  let perImage = rows.count * columns.count;
  let total = params.batch * perImage;
  if (firstPixel >= total) {
    return;
  }

  // What this thread brings in: pixel and channel number `thread` of the tile, or zeros past the end.
  let pixel = firstPixel + thread;
  let pixelThere = pixel < total;
  let targetThere = firstTarget + thread < channels.targets;
  let near = min(pixel, total - 1);
  let sourcePlane = rows.sourceSize * columns.sourceSize;
  let sourceStart = (near / perImage * channels.sourceTotal + group * channels.sources) * sourcePlane;
  let row = rows.start + i32(near % perImage / columns.count) * rows.stride;
  let column = columns.start + i32(near % columns.count) * columns.stride;
  let weightStart = channels.weightStart + (firstTarget + thread) * channels.weightPerTarget;

  // What it makes: rows (channels) from 8 threadRow and columns (pixels) threadColumn, threadColumn + 8, ...
  let threadRow = thread / SIDE;
  let threadColumn = thread % SIDE;
  var sums: array<array<f32, SIDE>, SIDE>;
  let taps = rows.taps * columns.taps;
  let inner = channels.sources * taps;
  for (var first = 0u; first < inner; first += STEP) {
    for (var l = 0u; l < STEP; l++) {
      var a = 0.0;
      var b = 0.0;
      let k = first + l;
      if (k < inner) {
        let s = k / taps;
        let tapRow = k % taps / columns.taps;
        let tapColumn = k % columns.taps;
        if (targetThere) {
          let kernelRow = rows.firstTap + tapRow * rows.tapStep;
          let kernelColumn = columns.firstTap + tapColumn * columns.tapStep;
          a = weights[weightStart + s * channels.weightPerSource + kernelRow * params.kernelW + kernelColumn];
        }
        let r = row + i32(tapRow) * rows.shift;
        let c = column + i32(tapColumn) * columns.shift;
        if (pixelThere && r >= 0 && r < i32(rows.sourceSize) && c >= 0 && c < i32(columns.sourceSize)) {
          b = source[sourceStart + s * sourcePlane + u32(r) * columns.sourceSize + u32(c)];
        }
      }
      tileA[l * TILE + thread] = a;
      tileB[l * TILE + thread] = b;
    }
    workgroupBarrier();
    for (var l = 0u; l < STEP; l++) {
      var b: array<f32, SIDE>;
      for (var j = 0u; j < SIDE; j++) {
        b[j] = tileB[l * TILE + threadColumn + j * SIDE];
      }
      for (var i = 0u; i < SIDE; i++) {
        let a = tileA[l * TILE + threadRow * SIDE + i];
        for (var j = 0u; j < SIDE; j++) {
          sums[i][j] = fma(a, b[j], sums[i][j]);
        }
      }
    }
    workgroupBarrier();
  }

  let targetPlane = rows.targetSize * columns.targetSize;
  for (var j = 0u; j < SIDE; j++) {
    let made = firstPixel + threadColumn + j * SIDE;
    if (made >= total) {
      break;
    }
    let targetRow = rows.phase + made % perImage / columns.count * rows.phases;
    let targetColumn = columns.phase + made % columns.count * columns.phases;
    let offset = targetRow * columns.targetSize + targetColumn;
    for (var i = 0u; i < SIDE; i++) {
      let t = firstTarget + threadRow * SIDE + i;
      if (t < channels.targets) {
        let channel = group * channels.targets + t;
        result[(made / perImage * channels.targetTotal + channel) * targetPlane + offset] = sums[i][j] + biasOf(channel);
      }
    }
  }
}
