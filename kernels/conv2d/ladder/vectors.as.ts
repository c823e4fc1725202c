// Four pixels at a time: for each weight, a row of x is multiplied and added to a row of y. The ends of the rows are worked out
// once per tap, so nothing is compared inside; 8 flops for one instruction, but 48 bytes to load and store for them, since y
// does not stay in registers.
import { buffer, words } from '../../shared/addresses.as';
import { loadStrided, madd } from '../../shared/simd.as';
import { Conv2dParams } from '../params.as';

/** to[q] += weight from[q stride] for q in 0..count. */
@inline
function addRow(to: usize, from: usize, weight: f32, stride: i32, count: i32): void {
  const weights = f32x4.splat(weight);
  const step = words(stride);
  let q = 0;
  if (stride == 1) {
    for (; q + 4 <= count; q += 4) {
      const at = to + words(q);
      v128.store(at, madd(weights, v128.load(from + words(q)), v128.load(at)));
    }
  } else {
    for (; q + 4 <= count; q += 4) {
      const at = to + words(q);
      v128.store(at, madd(weights, loadStrided(from + <usize>q * step, step), v128.load(at)));
    }
  }
  for (; q < count; q++) {
    const at = to + words(q);
    store<f32>(at, load<f32>(at) + weight * load<f32>(from + <usize>q * step));
  }
}

/** Smallest q >= 0 with q stride >= value. */
@inline
function firstAbove(value: i32, stride: i32): i32 {
  return value > 0 ? (value + stride - 1) / stride : 0;
}

/** Parameters as in conv2d.ts. */
export function conv2dVectors(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
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
  const padH = params.padH;
  const padW = params.padW;
  const dilationH = params.dilationH;
  const dilationW = params.dilationW;
  const groups = params.groups;
  const hasBias = params.bias;
  const ins = inChannels / groups;
  for (let image = 0; image < batch; image++) {
    for (let o = 0; o < outChannels; o++) {
      const firstChannel = image * inChannels + (o / (outChannels / groups)) * ins;
      const start: f32 = hasBias ? load<f32>(buffer(buffers, 2) + words(o)) : 0;
      const weights = buffer(buffers, 1) + words(o * ins * kernelH * kernelW);
      for (let p = 0; p < outH; p++) {
        const to = buffer(buffers, 2 + hasBias) + words(((image * outChannels + o) * outH + p) * outW);
        for (let q = 0; q < outW; q++) store<f32>(to + words(q), start);
        for (let c = 0; c < ins; c++) {
          for (let r = 0; r < kernelH; r++) {
            const h = p * strideH - padH + r * dilationH;
            if (h < 0 || h >= inH) continue;
            const row = buffer(buffers, 0) + words(((firstChannel + c) * inH + h) * inW);
            for (let s = 0; s < kernelW; s++) {
              const shift = s * dilationW - padW;
              const first = firstAbove(-shift, strideW);
              const last = min(outW, firstAbove(inW - shift, strideW));
              if (first >= last) continue;
              const weight = load<f32>(weights + words((c * kernelH + r) * kernelW + s));
              const from = row + words(first * strideW + shift);
              addRow(to + words(first), from, weight, strideW, last - first);
            }
          }
        }
      }
    }
  }
}
