// A product of matrices that are never stored whole, with tiles in workgroup memory: each word read serves 16 threads. A
// workgroup makes 16 channels x 16 pixels, one per thread, in steps of 16 along sources x taps: 1/8 word from buffers per
// multiply-add (4 flops a byte), but two loads from workgroup memory for one, and the geometry of each word anew.

const TILE = 16u;

var<workgroup> tileA: array<f32, TILE * TILE>;
var<workgroup> tileB: array<f32, TILE * TILE>;

@compute @workgroup_size(TILE * TILE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let group = workgroup.z % params.groups;
  let rows = rowAxis(workgroup.z / params.groups);
  let columns = columnAxis(workgroup.z / params.groups);
  let channels = channelsOf(group);
  let tiles = (channels.targets + TILE - 1) / TILE;
  let at = workgroup.x + workgroup.y * workgroups.x;
  let perImage = rows.count * columns.count;
  let total = params.batch * perImage;
  let firstPixel = at / tiles * TILE;
  if (firstPixel >= total) {
    return;
  }
  let i = thread / TILE;
  let j = thread % TILE;
  let made = at % tiles * TILE + i;
  let pixel = firstPixel + j;
  let near = min(pixel, total - 1);
  let plane = rows.sourceSize * columns.sourceSize;
  let sourceStart = (near / perImage * channels.sourceTotal + group * channels.sources) * plane;
  let row = rows.start + i32(near % perImage / columns.count) * rows.stride;
  let column = columns.start + i32(near % columns.count) * columns.stride;
  let taps = rows.taps * columns.taps;
  let inner = channels.sources * taps;
  var sum = 0.0;
  for (var first = 0u; first < inner; first += TILE) {
    var a = 0.0;
    if (made < channels.targets && first + j < inner) {
      let tap = (first + j) % taps;
      let kernelRow = rows.firstTap + tap / columns.taps * rows.tapStep;
      let kernelColumn = columns.firstTap + tap % columns.taps * columns.tapStep;
      let start = channels.weightStart + made * channels.weightPerTarget + (first + j) / taps * channels.weightPerSource;
      a = weights[start + kernelRow * params.kernelW + kernelColumn];
    }
    var b = 0.0;
    if (pixel < total && first + i < inner) {
      let tap = (first + i) % taps;
      let r = row + i32(tap / columns.taps) * rows.shift;
      let c = column + i32(tap % columns.taps) * columns.shift;
      if (r >= 0 && r < i32(rows.sourceSize) && c >= 0 && c < i32(columns.sourceSize)) {
        b = source[sourceStart + (first + i) / taps * plane + u32(r) * columns.sourceSize + u32(c)];
      }
    }
    tileA[thread] = a;
    tileB[thread] = b;
    workgroupBarrier();
    for (var l = 0u; l < TILE; l++) {
      sum += tileA[i * TILE + l] * tileB[l * TILE + j];
    }
    workgroupBarrier();
  }
  if (made < channels.targets && pixel < total) {
    let channel = group * channels.targets + made;
    let targetRow = rows.phase + pixel % perImage / columns.count * rows.phases;
    let targetColumn = columns.phase + pixel % columns.count * columns.phases;
    let image = (pixel / perImage * channels.targetTotal + channel) * rows.targetSize;
    result[(image + targetRow) * columns.targetSize + targetColumn] = sum + biasOf(channel);
  }
}
