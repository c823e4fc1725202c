// conv2d and conv2dInputGradient as a product by tiles (product-tiles.wgsl) of matrices that are never stored whole, for GPUs: on the
// left the weights [targets, sources x taps], on the right the source words under each pixel [sources x taps, pixels]. A workgroup of
// THREADS = ROWS COLUMNS / 64 threads makes ROWS target channels of COLUMNS pixels of one group and phase (geometry.wgsl), or their
// part over one range of sources x taps, which sum-splits.wgsl joins.
// Which word an inner index stands for is written to a table in workgroup memory for CHAIN of them at a time, so nothing is divided
// in the loop. Per step a thread brings LEFT_EACH quads of weights, four targets each, and RIGHT_EACH quads of source words, of the
// same four neighbouring pixels each: their places are worked out once, and a bit for each tap says where it falls on padding. No
// load is under a condition: a word of padding is loaded from somewhere and counts as zero, targets and pixels past the end repeat the
// last one and are not stored. Without padding, steps and taps the four pixels are one quad, and this is a product of plain matrices.

// Inner indices in the table: a chain, and the step after it, which is brought during the chain's last one.
const TABLED = CHAIN + STEP;
// Bits of an inner index: that of its tap's row, that of its column 16 higher. Pixels have the bits of all rows and columns inside.
const COLUMN_BIT = 16u;
const NEVER_INSIDE = 1u << 15;

// Of inner indices from the chain's first on: the place of the source word relative to that of the first tap, and the bits.
var<workgroup> places: array<vec2<u32>, TABLED>;
// And the place of the weight relative to the target's first.
var<workgroup> weightPlaces: array<u32, TABLED>;

fn insideBits(start: i32, axis: Axis) -> u32 {
  var bits = 0u;
  for (var tap = 0u; tap < axis.taps; tap++) {
    let at = start + i32(tap) * axis.shift;
    bits |= select(0u, 1u << tap, at >= 0 && at < i32(axis.sourceSize));
  }
  return bits;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let depth = depthOf(workgroup.z, workgroups.z);
  let group = depth.group;
  let rows = rowAxis(depth.phase);
  let columns = columnAxis(depth.phase);
  let channels = channelsOf(group);
  // Channel tiles vary fastest, so that workgroups at work together read the same pixels.
  let tiles = (channels.targets + ROWS - 1) / ROWS;
  let tile = workgroup.x + workgroup.y * workgroups.x;
  let firstTarget = tile % tiles * ROWS;
  let firstPixel = tile / tiles * COLUMNS;
  let perImage = rows.count * columns.count;
  let total = params.batch * perImage;
  if (firstPixel >= total) {
    return;
  }
  let taps = rows.taps * columns.taps;
  let inner = channels.sources * taps;
  let perSplit = (inner + STEP * depth.splits - 1) / (STEP * depth.splits) * STEP;
  let begin = min(inner, depth.split * perSplit);
  let end = min(inner, begin + perSplit);

  // The thread's pixels, and which inner indices of a step it brings: from `rightInner` on, THREADS / RIGHT_QUADS apart.
  let rightQuad = thread % RIGHT_QUADS;
  let rightInner = thread / RIGHT_QUADS;
  let pixel = min(firstPixel + 4 * rightQuad + vec4(0u, 1, 2, 3), vec4(total - 1));
  let row = rows.start + vec4<i32>(pixel % perImage / columns.count) * rows.stride;
  let column = columns.start + vec4<i32>(pixel % columns.count) * columns.stride;
  let plane = rows.sourceSize * columns.sourceSize;
  let image = (pixel / perImage * channels.sourceTotal + group * channels.sources) * plane;
  let fromSource = image + vec4<u32>(row) * columns.sourceSize + vec4<u32>(column);
  var inside: vec4<u32>;
  for (var j = 0u; j < 4; j++) {
    inside[j] = insideBits(row[j], rows) | (insideBits(column[j], columns) << COLUMN_BIT);
  }
  // Its targets: neighbouring threads take neighbouring ones where their weights are neighbours, else neighbouring inner indices.
  let isTargetDense = channels.weightPerTarget == 1;
  let leftQuad = select(thread / STEP, thread % LEFT_QUADS, isTargetDense);
  let leftInner = select(thread % STEP, thread / LEFT_QUADS, isTargetDense);
  let leftQuadStep = select(THREADS / STEP, 0, isTargetDense);
  let leftInnerStep = select(0, THREADS / LEFT_QUADS, isTargetDense);
  var fromWeight: array<vec4<u32>, LEFT_EACH>;
  for (var i = 0u; i < LEFT_EACH; i++) {
    let first = firstTarget + 4 * (leftQuad + i * leftQuadStep);
    let made = min(first + vec4(0u, 1, 2, 3), vec4(channels.targets - 1));
    fromWeight[i] = channels.weightStart + made * channels.weightPerTarget;
  }

  var nextLeft: array<vec4<f32>, LEFT_EACH>;
  var nextRight: array<vec4<f32>, RIGHT_EACH>;
  var nextInside: array<vec4<bool>, RIGHT_EACH>;
  var totals = Block();
  for (var chain = begin; chain < end; chain += CHAIN) {
    for (var i = thread; i < TABLED; i += THREADS) {
      let k = chain + i;
      let tap = k % taps;
      let a = tap / columns.taps;
      let b = tap % columns.taps;
      let shift = i32(a) * rows.shift * i32(columns.sourceSize) + i32(b) * columns.shift;
      let bits = select(NEVER_INSIDE, (1u << a) | (1u << (b + COLUMN_BIT)), k < end);
      places[i] = vec2(k / taps * plane + u32(shift), bits);
      let weightTap = (rows.firstTap + a * rows.tapStep) * params.kernelW + columns.firstTap + b * columns.tapStep;
      weightPlaces[i] = k / taps * channels.weightPerSource + weightTap;
    }
    workgroupBarrier();
    if (chain == begin) {
      for (var i = 0u; i < LEFT_EACH; i++) {
        nextLeft[i] = quadOfWeights(fromWeight[i] + weightPlaces[leftInner + i * leftInnerStep]);
      }
      for (var i = 0u; i < RIGHT_EACH; i++) {
        let place = places[rightInner + i * (THREADS / RIGHT_QUADS)];
        nextRight[i] = quadOfSource(fromSource + place.x);
        nextInside[i] = (inside & vec4(place.y)) == vec4(place.y);
      }
    }

    // With a value, since a bare declaration in a loop keeps the last one's in some compilers.
    var sums = Block();
    let length = min(end - chain, CHAIN);
    for (var first = 0u; first < length; first += STEP) {
      for (var i = 0u; i < LEFT_EACH; i++) {
        let l = leftInner + i * leftInnerStep;
        leftTile[l * LEFT_PITCH + leftQuad + i * leftQuadStep] = select(vec4<f32>(), nextLeft[i], first + l < length);
      }
      for (var i = 0u; i < RIGHT_EACH; i++) {
        rightTile[(rightInner + i * (THREADS / RIGHT_QUADS)) * RIGHT_PITCH + rightQuad] = select(vec4<f32>(), nextRight[i], nextInside[i]);
      }
      workgroupBarrier();
      let next = first + STEP;
      for (var i = 0u; i < LEFT_EACH; i++) {
        nextLeft[i] = quadOfWeights(fromWeight[i] + weightPlaces[next + leftInner + i * leftInnerStep]);
      }
      for (var i = 0u; i < RIGHT_EACH; i++) {
        let place = places[next + rightInner + i * (THREADS / RIGHT_QUADS)];
        nextRight[i] = quadOfSource(fromSource + place.x);
        nextInside[i] = (inside & vec4(place.y)) == vec4(place.y);
      }
      multiply(&sums, thread);
      workgroupBarrier();
    }
    join(&totals, &sums);
  }

  let targetPlane = rows.targetSize * columns.targetSize;
  for (var h = 0u; h < 2; h++) {
    let first = firstPixel + columnOfBlock(thread, h);
    let made = min(first + vec4(0u, 1, 2, 3), vec4(total - 1));
    let targetRow = rows.phase + made % perImage / columns.count * rows.phases;
    let targetColumn = columns.phase + made % columns.count * columns.phases;
    let offset = (depth.split * params.batch + made / perImage) * channels.targetTotal * targetPlane + targetRow * columns.targetSize + targetColumn;
    for (var i = 0u; i < 8; i++) {
      let t = firstTarget + rowOfBlock(thread, i);
      if (t < channels.targets) {
        let channel = group * channels.targets + t;
        let added = select(0.0, bias[channel], params.bias == 1 && depth.split == 0);
        storeQuad(offset + channel * targetPlane, totals[i][h] + added, total - min(total, first));
      }
    }
  }
}
