// conv2dWeightGradient as a product by tiles (product-tiles.wgsl) of matrices that are never stored whole, for GPUs: on the left g
// [output channels, pixels], on the right the words of x under each pixel [pixels, source channels x taps]. A workgroup of THREADS = ROWS
// COLUMNS / 64 threads makes ROWS output channels of COLUMNS weights over one of num_workgroups.z / groups ranges of the pixels, all images
// after each other.
// Per step thread t brings pixel t % STEP, neighbouring threads neighbouring pixels: LEFT_EACH quads of g, four channels each, and
// RIGHT_EACH quads of x, the words under four weights. Where these lie relative to a pixel is worked out once; the pixel itself walks
// on by STEP, carrying into rows and images, so nothing is divided in the loop. No load is under a condition: words of padding and
// pixels past the end count as zero, channels and weights past the end repeat the last one and are not stored.

// Four weights: their rows and columns of x relative to a pixel's, and the same as one offset, which includes their channels.
struct Places {
  offset: vec4<u32>,
  row: vec4<i32>,
  column: vec4<i32>,
}

fn placesOf(weight: vec4<u32>, group: u32) -> Places {
  let taps = params.kernelH * params.kernelW;
  let row = vec4<i32>(weight % taps / params.kernelW * params.dilationH) - i32(params.padH);
  let column = vec4<i32>(weight % params.kernelW * params.dilationW) - i32(params.padW);
  let channel = group * insPerGroup() + weight / taps;
  return Places((channel * params.inH + vec4<u32>(row)) * params.inW + vec4<u32>(column), row, column);
}

fn quadOfG(at: vec4<u32>) -> vec4<f32> {
  return vec4(g[at.x], g[at.y], g[at.z], g[at.w]);
}

fn quadOfX(at: vec4<u32>) -> vec4<f32> {
  return vec4(x[at.x], x[at.y], x[at.z], x[at.w]);
}

fn isInside(pixel: Pixel, places: Places) -> vec4<bool> {
  let row = pixel.row + vec4<u32>(places.row);
  let column = pixel.column + vec4<u32>(places.column);
  return (row < vec4(params.inH)) & (column < vec4(params.inW));
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let splits = workgroups.z / params.groups;
  let split = workgroup.z / params.groups;
  let group = workgroup.z % params.groups;
  let firstOut = workgroup.y * ROWS;
  let firstWeight = workgroup.x * COLUMNS;
  let weights = insPerGroup() * params.kernelH * params.kernelW;
  let plane = params.outH * params.outW;
  let pixels = params.batch * plane;
  let perSplit = (pixels + STEP * splits - 1) / (STEP * splits) * STEP;
  let begin = min(pixels, split * perSplit);
  let end = min(pixels, begin + perSplit);

  // What the thread brings: one pixel of a step, and quads from `quad` on, THREADS / STEP apart.
  let step = thread % STEP;
  let quad = thread / STEP;
  var pixel = pixelOf(begin + step);
  var fromG: array<vec4<u32>, LEFT_EACH>;
  var nextG: array<vec4<f32>, LEFT_EACH>;
  for (var i = 0u; i < LEFT_EACH; i++) {
    let out = firstOut + 4 * (quad + i * (THREADS / STEP)) + vec4(0u, 1, 2, 3);
    fromG[i] = (group * outsPerGroup() + min(out, vec4(outsPerGroup() - 1))) * plane;
    nextG[i] = quadOfG(fromG[i] + pixel.g);
  }
  var places: array<Places, RIGHT_EACH>;
  var nextX: array<vec4<f32>, RIGHT_EACH>;
  var nextInside: array<vec4<bool>, RIGHT_EACH>;
  for (var i = 0u; i < RIGHT_EACH; i++) {
    let weight = firstWeight + 4 * (quad + i * (THREADS / STEP)) + vec4(0u, 1, 2, 3);
    places[i] = placesOf(min(weight, vec4(weights - 1)), group);
    nextX[i] = quadOfX(places[i].offset + pixel.x);
    nextInside[i] = isInside(pixel, places[i]);
  }

  var totals = Block();
  for (var chain = begin; chain < end; chain += CHAIN) {
    // With a value, since a bare declaration in a loop keeps the last one's in some compilers.
    var sums = Block();
    let chainEnd = min(end, chain + CHAIN);
    for (var first = chain; first < chainEnd; first += STEP) {
      let isThere = vec4(first + step < end);
      for (var i = 0u; i < LEFT_EACH; i++) {
        leftTile[step * LEFT_PITCH + quad + i * (THREADS / STEP)] = select(vec4<f32>(), nextG[i], isThere);
      }
      for (var i = 0u; i < RIGHT_EACH; i++) {
        let values = select(vec4<f32>(), nextX[i], isThere & nextInside[i]);
        rightTile[step * RIGHT_PITCH + quad + i * (THREADS / STEP)] = values;
      }
      workgroupBarrier();
      pixel = walkOn(pixel);
      for (var i = 0u; i < LEFT_EACH; i++) {
        nextG[i] = quadOfG(fromG[i] + pixel.g);
      }
      for (var i = 0u; i < RIGHT_EACH; i++) {
        nextX[i] = quadOfX(places[i].offset + pixel.x);
        nextInside[i] = isInside(pixel, places[i]);
      }
      multiply(&sums, thread);
      workgroupBarrier();
    }
    join(&totals, &sums);
  }

  for (var i = 0u; i < 8; i++) {
    let out = firstOut + rowOfBlock(thread, i);
    for (var h = 0u; h < 2; h++) {
      let first = firstWeight + columnOfBlock(thread, h);
      for (var j = 0u; j < 4; j++) {
        if (out < outsPerGroup() && first + j < weights) {
          partials[partialAt(split, group * outsPerGroup() + out, first + j)] = totals[i][h][j];
        }
      }
    }
  }
}
