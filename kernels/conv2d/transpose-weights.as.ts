// Weights of the input gradient for correlate.as.ts: channels of x come first, and the taps are dealt out by the remainders
// of the stride whose outputs they meet.
import { behind, buffer } from '../shared/addresses.as';
import { swapBlock } from '../shared/swap-block.as';
import { Conv2dParams, Places } from './params.as';

/** Channels that are taken together: they share what the cache has fetched of the weights. */
const TRANSPOSE_BLOCK: i32 = 16;

/** to[i] = from[count - 1 - i]: all taps, the last first. */
function reverse(to: usize, from: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const words = v128.load(from + ((<usize>(count - 4 - i)) << 2));
    v128.store(to + ((<usize>i) << 2), v128.shuffle<i32>(words, words, 3, 2, 1, 0));
  }
  for (; i < count; i++) store<u32>(to + ((<usize>i) << 2), load<u32>(from + ((<usize>(count - 1 - i)) << 2)));
}

/** to[c][o] = from[o][c] for c in [begin, end), `channels` of them in a row of `from`. */
function transposeOnes(to: usize, from: usize, channels: i32, outputs: i32, begin: i32, end: i32): void {
  const rowFrom = (<usize>channels) << 2;
  const rowTo = (<usize>outputs) << 2;
  for (let c = begin; c < end; c += 4) {
    let read = from + ((<usize>c) << 2);
    let write = to + <usize>c * rowTo;
    let o = 0;
    if (c + 4 <= end) {
      for (; o + 4 <= outputs; o += 4) {
        swapBlock(write, rowTo, read, rowFrom);
        read += rowFrom << 2;
        write += 16;
      }
    }
    for (; o < outputs; o++) {
      for (let i = 0; i < min(4, end - c); i++) {
        store<u32>(write + <usize>i * rowTo, load<u32>(read + ((<usize>i) << 2)));
      }
      read += rowFrom;
      write += 4;
    }
  }
}

/**
 * to[c][o][i] = from[o][c][places[i]] for c in [begin, end) and `count` of the `taps`, whose places are in bytes. Where all
 * are asked for, the last comes first.
 */
function transposeTaps(
  to: usize,
  from: usize,
  channels: i32,
  outputs: i32,
  taps: i32,
  places: usize,
  count: i32,
  begin: i32,
  end: i32,
): void {
  const channelFrom = (<usize>taps) << 2;
  const channelTo = (<usize>(outputs * count)) << 2;
  for (let first = begin; first < end; first += TRANSPOSE_BLOCK) {
    const last = min(end, first + TRANSPOSE_BLOCK);
    for (let o = 0; o < outputs; o++) {
      let read = from + ((<usize>((o * channels + first) * taps)) << 2);
      let write = to + ((<usize>((first * outputs + o) * count)) << 2);
      for (let c = first; c < last; c++) {
        if (count == taps) reverse(write, read, taps);
        else
          for (let i = 0; i < count; i++) {
            const place = <usize>load<u32>(places + ((<usize>i) << 2));
            store<u32>(write + ((<usize>i) << 2), load<u32>(read + place));
          }
        read += channelFrom;
        write += channelTo;
      }
    }
  }
}

/**
 * Weights of the input gradient: for each pair (a, b) of remainders of the stride, [groups][c][o][taps] with the taps that
 * meet outputs of those remainders, the last tap first. Tasks: input channels.
 */
export function conv2dTransposeWeights(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const place = changetype<Places>(behind(params));
  const inChannels = params.inChannels;
  const outChannels = params.outChannels;
  const kernelH = params.kernelH;
  const kernelW = params.kernelW;
  const strideH = params.strideH;
  const strideW = params.strideW;
  const dilationH = params.dilationH;
  const dilationW = params.dilationW;
  const groups = params.groups;
  const from = buffer(buffers, 1);
  const to = buffer(buffers, place.weights);
  const places = buffer(buffers, place.scratch);
  const taps = kernelH * kernelW;
  const channels = inChannels / groups;
  const outputs = outChannels / groups;
  let weightsAt = 0;
  for (let a = 0; a < strideH; a++) {
    for (let b = 0; b < strideW; b++) {
      let count = 0;
      for (let r = kernelH - 1; r >= 0; r--) {
        if ((r * dilationH) % strideH != a) continue;
        for (let s = kernelW - 1; s >= 0; s--) {
          if ((s * dilationW) % strideW != b) continue;
          store<i32>(places + ((<usize>count) << 2), 4 * (r * kernelW + s));
          count++;
        }
      }
      let task = begin;
      while (task < end && count > 0) {
        const group = task / channels;
        const first = task - group * channels;
        const last = min(channels, first + end - task);
        const read = from + ((<usize>(group * outputs * channels * taps)) << 2);
        const write = to + ((<usize>(weightsAt + group * channels * outputs * count)) << 2);
        if (taps == 1) transposeOnes(write, read, channels, outputs, first, last);
        else transposeTaps(write, read, channels, outputs, taps, places, count, first, last);
        task += last - first;
      }
      weightsAt += inChannels * outputs * count;
    }
  }
}
