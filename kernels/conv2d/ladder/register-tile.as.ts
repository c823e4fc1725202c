// Four channels by eight pixels stay in registers over all sources and taps. The images of a group are copied first, with
// their padding, so that no tap is tested: 64 flops for the 48 bytes that are loaded per tap, and one store per pixel; but a
// whole image passes by for every four channels, whether it fits the cache or not.
import { buffer, words } from '../../shared/addresses.as';
import { loadStrided, madd, storeLanes } from '../../shared/simd.as';
import { Conv2dParams } from '../params.as';

/** Copies `channels` images of inH x inW into frames of height x width, padH rows and padW columns inside, zero elsewhere. */
function pad(
  to: usize,
  from: usize,
  channels: i32,
  inH: i32,
  inW: i32,
  height: i32,
  width: i32,
  padH: i32,
  padW: i32,
): void {
  for (let c = 0; c < channels; c++) {
    for (let h = 0; h < height; h++) {
      const row = from + words((c * inH + h - padH) * inW);
      for (let v = 0; v < width; v++) {
        const inside = h >= padH && h < inH + padH && v >= padW && v < inW + padW;
        store<f32>(to, inside ? load<f32>(row + words(v - padW)) : 0);
        to += 4;
      }
    }
  }
  // What the last loads read beyond.
  for (let i = 0; i < 16; i++) store<f32>(to + words(i), 0);
}

/** Four pixels from `at` on. */
@inline
function pixels(at: usize, stride: i32): v128 {
  return stride == 1 ? v128.load(at) : loadStrided(at, words(stride));
}

/** Parameters as in conv2d.ts. */
export function conv2dRegisterTile(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const batch = params.batch;
  const inChannels = params.inChannels;
  const inH = params.inH;
  const inW = params.inW;
  const outChannels = params.outChannels;
  const outH = params.outH;
  const outW = params.outW;
  const kernelH = params.kernelH;
  const kernelW = params.kernelW;
  const strideH = params.strideH;
  const strideW = params.strideW;
  const dilationH = params.dilationH;
  const dilationW = params.dilationW;
  const groups = params.groups;
  const hasBias = params.bias;
  if (outH == 0 || outW == 0) return;
  const ins = inChannels / groups;
  const outs = outChannels / groups;
  const height = (outH - 1) * strideH + (kernelH - 1) * dilationH + 1;
  const width = (outW - 1) * strideW + (kernelW - 1) * dilationW + 1;
  const padded = buffer(buffers, 4 + hasBias);
  for (let image = 0; image < batch; image++) {
    for (let group = 0; group < groups; group++) {
      const from = buffer(buffers, 0) + words((image * inChannels + group * ins) * inH * inW);
      pad(padded, from, ins, inH, inW, height, width, params.padH, params.padW);
      for (let first = 0; first < outs; first += 4) {
        const channel = group * outs + first;
        const count = min(4, outs - first);
        const w0 = buffer(buffers, 1) + words(channel * ins * kernelH * kernelW);
        const y = buffer(buffers, 2 + hasBias) + words((image * outChannels + channel) * outH * outW);
        const bias = hasBias ? buffer(buffers, 2) + words(channel) : 0;
        for (let p = 0; p < outH; p++) {
          for (let q = 0; q < outW; q += 8) {
            const at = padded + words(p * strideH * width + q * strideW);
            const to = y + words(p * outW + q);
            tile(
              at,
              w0,
              words(min(1, count - 1) * ins * kernelH * kernelW),
              words(min(2, count - 1) * ins * kernelH * kernelW),
              words(min(3, count - 1) * ins * kernelH * kernelW),
              ins,
              kernelH,
              kernelW,
              words(height * width),
              words(dilationH * width),
              words(dilationW),
              strideW,
              bias,
              to,
              words(outH * outW),
              count,
              min(8, outW - q),
            );
          }
        }
      }
    }
  }
}

/** One tile. w1 to w3: bytes from the weights of its first channel to those of the others. */
function tile(
  x: usize,
  w: usize,
  w1: usize,
  w2: usize,
  w3: usize,
  ins: i32,
  kernelH: i32,
  kernelW: i32,
  plane: usize,
  row: usize,
  column: usize,
  stride: i32,
  bias: usize,
  y: usize,
  ldy: usize,
  channels: i32,
  count: i32,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  const next = words(4 * stride);
  for (let c = 0; c < ins; c++) {
    let line = x;
    for (let r = 0; r < kernelH; r++) {
      let at = line;
      for (let s = 0; s < kernelW; s++) {
        const x0 = pixels(at, stride);
        const x1 = pixels(at + next, stride);
        let weight = v128.load32_splat(w);
        c00 = madd(weight, x0, c00);
        c01 = madd(weight, x1, c01);
        weight = v128.load32_splat(w + w1);
        c10 = madd(weight, x0, c10);
        c11 = madd(weight, x1, c11);
        weight = v128.load32_splat(w + w2);
        c20 = madd(weight, x0, c20);
        c21 = madd(weight, x1, c21);
        weight = v128.load32_splat(w + w3);
        c30 = madd(weight, x0, c30);
        c31 = madd(weight, x1, c31);
        w += 4;
        at += column;
      }
      line += row;
    }
    x += plane;
  }
  const left = min(4, count);
  const right = count - left;
  finish(y, c00, c01, bias, left, right);
  if (channels > 1) finish(y + ldy, c10, c11, bias ? bias + 4 : 0, left, right);
  if (channels > 2) finish(y + 2 * ldy, c20, c21, bias ? bias + 8 : 0, left, right);
  if (channels > 3) finish(y + 3 * ldy, c30, c31, bias ? bias + 12 : 0, left, right);
}

@inline
function finish(y: usize, low: v128, high: v128, bias: usize, left: i32, right: i32): void {
  const start = bias ? v128.load32_splat(bias) : f32x4.splat(0);
  storeLanes(y, f32x4.add(low, start), left);
  if (right > 0) storeLanes(y + 16, f32x4.add(high, start), right);
}
