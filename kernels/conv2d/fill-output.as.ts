// The elements of an input gradient that no tap reaches (a 1x1 kernel of stride 2 leaves out three of four): whole planes are
// filled first, in runs, and the correlations that have taps then write theirs.
import { buffer, CONVOLUTION_BYTES } from '../shared/addresses.as';
import { fillWords } from '../shared/simd.as';

/** Behind the parameters. `bias`, `output`: places in the table of buffers, bias -1 if there is none; sizes in elements. */
@unmanaged
class Plan {
  bias: i32;
  output: i32;
  channels: i32;
  plane: i32;
}

/** output[image][channel][...] = bias[channel], or zero. Tasks: planes. */
export function conv2dFillOutput(params: usize, buffers: usize, begin: i32, end: i32): void {
  const p = changetype<Plan>(params + CONVOLUTION_BYTES);
  let to = buffer(buffers, p.output) + ((<usize>(begin * p.plane)) << 2);
  for (let plane = begin; plane < end; plane++) {
    const channel = plane % p.channels;
    const word = p.bias < 0 ? 0 : load<u32>(buffer(buffers, p.bias) + ((<usize>channel) << 2));
    fillWords(to, word, p.plane);
    to += (<usize>p.plane) << 2;
  }
}
