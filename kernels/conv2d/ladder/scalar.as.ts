// Start: the definition of the convolution, one product at a time. 2 flops for the 8 bytes that are loaded, and two
// comparisons per tap to stay inside the image.
import { buffer, words } from '../../shared/addresses.as';

/** Parameters as in conv2d.ts. */
export function conv2dScalar(params: usize, buffers: usize, begin: i32, end: i32): void {
  const batch = load<i32>(params);
  const inChannels = load<i32>(params, 4);
  const inH = load<i32>(params, 8);
  const inW = load<i32>(params, 12);
  const outChannels = load<i32>(params, 16);
  const outH = load<i32>(params, 20);
  const outW = load<i32>(params, 24);
  const kernelH = load<i32>(params, 28);
  const kernelW = load<i32>(params, 32);
  const strideH = load<i32>(params, 36);
  const strideW = load<i32>(params, 40);
  const padH = load<i32>(params, 44);
  const padW = load<i32>(params, 48);
  const dilationH = load<i32>(params, 52);
  const dilationW = load<i32>(params, 56);
  const groups = load<i32>(params, 60);
  const hasBias = load<i32>(params, 64);
  const x = buffer(buffers, 0);
  const w = buffer(buffers, 1);
  const ins = inChannels / groups;
  let to = buffer(buffers, 2 + hasBias);
  for (let image = 0; image < batch; image++) {
    for (let o = 0; o < outChannels; o++) {
      const firstChannel = image * inChannels + (o / (outChannels / groups)) * ins;
      for (let p = 0; p < outH; p++) {
        for (let q = 0; q < outW; q++) {
          let sum: f32 = hasBias ? load<f32>(buffer(buffers, 2) + words(o)) : 0;
          let weight = w + words(o * ins * kernelH * kernelW);
          for (let c = 0; c < ins; c++) {
            for (let r = 0; r < kernelH; r++) {
              for (let s = 0; s < kernelW; s++) {
                const h = p * strideH - padH + r * dilationH;
                const v = q * strideW - padW + s * dilationW;
                if (h >= 0 && h < inH && v >= 0 && v < inW) {
                  sum += load<f32>(weight) * load<f32>(x + words(((firstChannel + c) * inH + h) * inW + v));
                }
                weight += 4;
              }
            }
          }
          store<f32>(to, sum);
          to += 4;
        }
      }
    }
  }
}
