// conv2dWeightGradient of few weights per channel of x, for GPUs: heads of one channel, depthwise convolutions. A workgroup of 64 threads
// adds up the TAP_ROWS x TAP_COLUMNS weights of one output and one source channel, over one range of the pixels; each thread keeps sums
// of its own for all of them, and walks over every 64th pixel, neighbouring threads side by side.
// A pixel is ROWS_EACH output rows, which divides their number. Where rows are one apart on both sides it is up to four, whose windows
// share WINDOW = TAP_ROWS + 3 rows of x: 22 loads for 36 multiply-adds of 3 x 3 taps. No load is under a condition, and nothing is divided in the loop. At the end threads are
// added up in workgroup memory, eight by eight, so that no chain of additions grows long.

const TAPS = TAP_ROWS * TAP_COLUMNS;
const WINDOW = TAP_ROWS + ROWS_EACH - 1;

var<workgroup> parts: array<f32, TAPS * WALK>;

@compute @workgroup_size(WALK)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let pair = workgroup.x + workgroup.y * workgroups.x;
  if (pair >= params.outChannels * insPerGroup()) {
    return;
  }
  let out = pair / insPerGroup();
  let channel = out / outsPerGroup() * insPerGroup() + pair % insPerGroup();
  let pixels = params.batch * walkSize();
  let perSplit = (pixels + workgroups.z - 1) / workgroups.z;
  let begin = min(pixels, workgroup.z * perSplit);
  let end = min(pixels, begin + perSplit);

  // Rows of the window are a stride apart where it serves several output rows, else a dilation.
  let rowStep = select(params.dilationH, 1u, ROWS_EACH > 1);
  let xChannel = (channel * params.inH - params.padH) * params.inW - params.padW;
  let gChannel = out * params.outH * params.outW;
  var pixel = pixelOf(begin + thread);
  var sums = array<f32, TAPS>();
  for (var at = begin + thread; at < end; at += WALK) {
    var gradients: array<f32, ROWS_EACH>;
    for (var i = 0u; i < ROWS_EACH; i++) {
      gradients[i] = g[pixel.g + gChannel + i * params.outW];
    }
    for (var c = 0u; c < TAP_COLUMNS; c++) {
      let column = pixel.column + c * params.dilationW - params.padW;
      var window: array<f32, WINDOW>;
      for (var r = 0u; r < WINDOW; r++) {
        let row = pixel.row + r * rowStep - params.padH;
        let value = x[pixel.x + xChannel + r * rowStep * params.inW + c * params.dilationW];
        // Rows and columns before the first are large numbers.
        window[r] = select(0.0, value, row < params.inH && column < params.inW);
      }
      for (var a = 0u; a < TAP_ROWS; a++) {
        for (var i = 0u; i < ROWS_EACH; i++) {
          sums[a * TAP_COLUMNS + c] = fma(gradients[i], window[a + i], sums[a * TAP_COLUMNS + c]);
        }
      }
    }
    pixel = walkOn(pixel);
  }

  for (var tap = 0u; tap < TAPS; tap++) {
    parts[tap * WALK + thread] = sums[tap];
  }
  workgroupBarrier();
  for (var tap = thread; tap < TAPS; tap += WALK) {
    var sum = 0.0;
    for (var i = 0u; i < WALK; i += 8) {
      var run = 0.0;
      for (var j = 0u; j < 8; j++) {
        run += parts[tap * WALK + i + j];
      }
      sum += run;
    }
    partials[partialAt(workgroup.z, out, pair % insPerGroup() * TAPS + tap)] = sum;
  }
}
