// conv2d and conv2dInputGradient to few channels, for GPUs: heads of one channel, gradients of images, depthwise convolutions.
// A thread makes four targets below each other of CHANNELS channels of one group, over one range of sources, whose parts sum-splits.wgsl
// joins; neighbouring threads take neighbouring columns, then the next four rows and images. Per column of taps and source it loads the
// 3 + ROW_TAPS words that four targets see through ROW_TAPS taps, and uses each for all of these and every channel: 6 loads for 12
// multiply-adds of one channel and 3 x 3 taps, 48 of four. All threads of a workgroup use the same weights at the same time. No load is
// under a condition, those of SOURCES sources are under way at a time, and nothing is divided in the loop.

const TARGETS = 4u;
// Source words of a column that the targets see through ROW_TAPS taps. More than one tap wants rows one apart on both sides.
const WINDOW = TARGETS + ROW_TAPS - 1;
const SOURCES = 4u;
// Sources whose sums join those before them, so that no chain of additions grows long.
const CHAIN = 32u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = depthOf(workgroup.z, workgroups.z);
  let group = at.group;
  let rows = rowAxis(at.phase);
  let columns = columnAxis(at.phase);
  let channels = channelsOf(group);
  let tiles = (channels.targets + CHANNELS - 1) / CHANNELS;
  let tile = workgroup.x + workgroup.y * workgroups.x;
  let firstTarget = tile % tiles * CHANNELS;
  let quads = (rows.count + TARGETS - 1) / TARGETS;
  let perImage = quads * columns.count;
  let spot = tile / tiles * 64 + thread;
  if (perImage == 0 || spot >= params.batch * perImage) {
    return;
  }
  let image = spot / perImage;
  let firstRow = spot % perImage / columns.count * TARGETS;
  let column = spot % columns.count;
  let perSplit = (channels.sources + at.splits - 1) / at.splits;
  let begin = min(channels.sources, at.split * perSplit);
  let end = min(channels.sources, begin + perSplit);

  let plane = rows.sourceSize * columns.sourceSize;
  let imageStart = (image * channels.sourceTotal + group * channels.sources) * plane;
  // Taps that read upwards: the window begins with the row that the last one sees.
  let top = rows.start + i32(firstRow) * rows.stride + min(rows.shift, 0) * i32(ROW_TAPS - 1);
  let left = columns.start + i32(column) * columns.stride;
  var sums: array<array<f32, TARGETS>, CHANNELS>;
  for (var a = 0u; a < rows.taps; a += ROW_TAPS) {
    for (var b = 0u; b < columns.taps; b++) {
      let sourceColumn = left + i32(b) * columns.shift;
      let columnInside = sourceColumn >= 0 && sourceColumn < i32(columns.sourceSize);
      var inside: array<bool, WINDOW>;
      var place: array<u32, WINDOW>;
      for (var j = 0u; j < WINDOW; j++) {
        let row = top + i32(a) * rows.shift + i32(j) * rows.stride;
        inside[j] = columnInside && row >= 0 && row < i32(rows.sourceSize);
        place[j] = imageStart + u32(row) * columns.sourceSize + u32(sourceColumn);
      }
      let tapStart = (rows.firstTap + a * rows.tapStep) * params.kernelW + columns.firstTap + b * columns.tapStep;
      let weightStart = channels.weightStart + tapStart;
      for (var chain = begin; chain < end; chain += CHAIN) {
        var run = array<array<f32, TARGETS>, CHANNELS>();
        let chainEnd = min(end, chain + CHAIN);
        for (var first = chain; first < chainEnd; first += SOURCES) {
          var values: array<array<f32, WINDOW>, SOURCES>;
          for (var s = 0u; s < SOURCES; s++) {
            for (var j = 0u; j < WINDOW; j++) {
              values[s][j] = source[place[j] + (first + s) * plane];
            }
          }
          for (var s = 0u; s < SOURCES; s++) {
            let isThere = first + s < end;
            var window: array<f32, WINDOW>;
            for (var j = 0u; j < WINDOW; j++) { window[j] = select(0.0, values[s][j], inside[j] && isThere); }
            for (var t = 0u; t < CHANNELS; t++) {
              let made = min(firstTarget + t, channels.targets - 1);
              let weightsOf = weightStart + made * channels.weightPerTarget + min(first + s, end - 1) * channels.weightPerSource;
              for (var tap = 0u; tap < ROW_TAPS; tap++) {
                let weight = select(0.0, weights[weightsOf + tap * rows.tapStep * params.kernelW], isThere);
                for (var i = 0u; i < TARGETS; i++) {
                  run[t][i] = fma(weight, window[i + select(tap, ROW_TAPS - 1 - tap, adjoint)], run[t][i]);
                }
              }
            }
          }
        }
        for (var t = 0u; t < CHANNELS; t++) {
          for (var i = 0u; i < TARGETS; i++) { sums[t][i] += run[t][i]; }
        }
      }
    }
  }

  for (var t = 0u; t < CHANNELS; t++) {
    let channel = group * channels.targets + firstTarget + t;
    let isMade = firstTarget + t < channels.targets;
    let start = ((at.split * params.batch + image) * channels.targetTotal + channel) * rows.targetSize;
    let added = select(0.0, biasOf(channel), at.split == 0);
    for (var i = 0u; i < TARGETS; i++) {
      if (isMade && firstRow + i < rows.count) {
        let targetRow = rows.phase + (firstRow + i) * rows.phases;
        result[(start + targetRow) * columns.targetSize + columns.phase + column * columns.phases] = sums[t][i] + added;
      }
    }
  }
}
