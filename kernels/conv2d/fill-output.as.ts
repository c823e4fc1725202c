// The elements of an input gradient that no tap reaches (a 1x1 kernel of stride 2 leaves out three of four): whole planes are
// filled first, in runs, and the correlations that have taps then write theirs.
import { behind, buffer } from '../shared/addresses.as';
import { fillWords } from '../shared/simd.as';
import { Conv2dParams, FillOutputPlan } from './params.as';

/** output[image][channel][...] = bias[channel], or zero. Tasks: planes. */
export function conv2dFillOutput(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const p = changetype<FillOutputPlan>(behind(params));
  let to = buffer(buffers, p.output) + ((<usize>(begin * p.plane)) << 2);
  for (let plane = begin; plane < end; plane++) {
    const channel = plane % p.channels;
    const word = p.bias < 0 ? 0 : load<u32>(buffer(buffers, p.bias) + ((<usize>channel) << 2));
    fillWords(to, word, p.plane);
    to += (<usize>p.plane) << 2;
  }
}
