// The weight gradient of a 1x1 convolution with few output channels: dot products of planes of x and of g as they stand, where
// turning x to channels last would cost more than its products. Float32 sums of at most 128 in a lane are added up per task.
import { buffer, words } from '../addresses.wasm';
import { madd } from '../simd.wasm';

/** What the planner worked out (weight-gradient.ts). */
@unmanaged
class Plan {
  batch: i32;
  groups: i32;
  /** Output channels and input channels of a group. */
  rows: i32;
  channels: i32;
  /** Elements of a plane. */
  size: i32;
  /** Input channels of a task. */
  taskChannels: i32;
  splits: i32;
}

const PARAM_BYTES: usize = 80;
/** Elements whose sums are added in one go. */
const RUN: i32 = 512;

@inline
function sumLanes(value: v128): f32 {
  const low = f32x4.extract_lane(value, 0) + f32x4.extract_lane(value, 1);
  return low + (f32x4.extract_lane(value, 2) + f32x4.extract_lane(value, 3));
}

/** Sum of n products. */
function dot(x: usize, g: usize, n: i32): f32 {
  let s0 = i32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    s0 = madd(v128.load(x), v128.load(g), s0);
    s1 = madd(v128.load(x, 16), v128.load(g, 16), s1);
    s2 = madd(v128.load(x, 32), v128.load(g, 32), s2);
    s3 = madd(v128.load(x, 48), v128.load(g, 48), s3);
    x += 64;
    g += 64;
  }
  let sum = sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  for (; i < n; i++) {
    sum += load<f32>(x) * load<f32>(g);
    x += 4;
    g += 4;
  }
  return sum;
}

/** Tasks: (split of the images, group, block of input channels), the last fastest. */
export function conv2dWeightDots(params: usize, buffers: usize, begin: i32, end: i32): void {
  const p = changetype<Plan>(params + PARAM_BYTES);
  const x = buffer(buffers, 0);
  const g = buffer(buffers, 1);
  const target = p.splits > 1 ? buffer(buffers, 3) : buffer(buffers, 2);
  const blocks = (p.channels + p.taskChannels - 1) / p.taskChannels;
  const weights = p.groups * p.rows * p.channels;
  for (let task = begin; task < end; task++) {
    const firstChannel = (task % blocks) * p.taskChannels;
    const endChannel = min(p.channels, firstChannel + p.taskChannels);
    const group = (task / blocks) % p.groups;
    const split = task / (blocks * p.groups);
    const firstImage = (split * p.batch) / p.splits;
    const endImage = ((split + 1) * p.batch) / p.splits;
    for (let row = 0; row < p.rows; row++) {
      const output = group * p.rows + row;
      const to = target + words(split * weights + output * p.channels);
      for (let channel = firstChannel; channel < endChannel; channel++) {
        let total: f32 = 0;
        for (let image = firstImage; image < endImage; image++) {
          const from = x + words((image * p.groups * p.channels + group * p.channels + channel) * p.size);
          const gradient = g + words((image * p.groups * p.rows + output) * p.size);
          for (let at = 0; at < p.size; at += RUN)
            total += dot(from + words(at), gradient + words(at), min(RUN, p.size - at));
        }
        store<f32>(to + words(channel), total);
      }
    }
  }
}
