// A product of matrices over the pixels of each split, with tiles in workgroup memory: each word read serves 16 threads. A
// workgroup makes 16 output channels x 16 weights of each, one per thread, in steps of 16 pixels: 1/8 word from buffers per
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
  let splits = workgroups.z / params.groups;
  let split = workgroup.z / params.groups;
  let group = workgroup.z % params.groups;
  let taps = params.kernelH * params.kernelW;
  let ins = insPerGroup();
  let i = thread / TILE;
  let j = thread % TILE;
  let out = workgroup.y * TILE + i;
  let column = workgroup.x * TILE + j;
  let plane = params.outH * params.outW;
  let rows = rowsOf(split, splits);
  let end = rows.end * params.outW;
  var sum = 0.0;
  for (var first = rows.begin * params.outW; first < end; first += TILE) {
    // Neighbouring threads read neighbouring pixels: of g in the row of `out`, of x in that of their tile's column `i`.
    let pixel = first + j;
    let image = pixel / plane;
    let p = pixel % plane / params.outW;
    let q = pixel % params.outW;
    var a = 0.0;
    if (out < outsPerGroup() && pixel < end) {
      a = g[(image * params.outChannels + group * outsPerGroup() + out) * plane + pixel % plane];
    }
    var b = 0.0;
    let brought = workgroup.x * TILE + i;
    if (brought < ins * taps && pixel < end) {
      let h = i32(p * params.strideH + brought % taps / params.kernelW * params.dilationH) - i32(params.padH);
      let w = i32(q * params.strideW + brought % params.kernelW * params.dilationW) - i32(params.padW);
      if (h >= 0 && h < i32(params.inH) && w >= 0 && w < i32(params.inW)) {
        let channel = image * params.inChannels + group * ins + brought / taps;
        b = x[(channel * params.inH + u32(h)) * params.inW + u32(w)];
      }
    }
    tileA[thread] = a;
    tileB[thread] = b;
    workgroupBarrier();
    for (var l = 0u; l < TILE; l++) {
      sum += tileA[i * TILE + l] * tileB[j * TILE + l];
    }
    workgroupBarrier();
  }
  if (out < outsPerGroup() && column < ins * taps) {
    partials[partialAt(split, group * outsPerGroup() + out, column)] = sum;
  }
}
