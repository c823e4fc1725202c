// Start: the definition of the convolution, one product at a time. 2 flops for the 8 bytes that are loaded, and two
// comparisons per tap to stay inside the image.
import { buffer, words } from '../../shared/addresses.as';
import { Conv2dParams } from '../params.as';

/** Parameters as in conv2d.ts. */
export function conv2dScalar(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
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
