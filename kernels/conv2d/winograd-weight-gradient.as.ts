// The weight gradient of a 3x3 convolution of stride 1, dilated or not, by Winograd's F(3x3, 4x4): 36 products make what the
// plain sum needs 144 for. A task is a split of the sum over images and tiles, a block of output channels and one of input
// channels: it transforms some tiles of x and of g with the channels last, V[product][tile][c] and Y[product][tile][o], adds
// Y' V to its sums M[product][panel of eight c][o][8], and at the end turns those to weights, w[o][c] = G' M G. Splits are
// added in order. Where x or g is too uneven or too sparse for that, has infinities or NaN, or is so simple that a plain sum would
// be exact, the whole gradient is computed by the plain sum (winograd-guard.as.ts).
import { buffer, CONVOLUTION_BYTES, words } from '../shared/addresses.as';
import { conv2dSumPartials, conv2dWeightChannelsLast } from './weight-gradient.as';
import { NoSums } from './channels-last.as';
import { areFewBits, leastSpread, MAGNITUDE_BYTES, spreadsMeet, sumMagnitudes, TileWatch } from './winograd-guard.as';
import { Plane, TileGrid, turnImage } from './winograd-image.as';
import { ceilDivide } from '../shared/integers.as';
import { fillWords } from '../shared/simd.as';
import { GradientLine, INPUTS, PRODUCTS, SourceLine, turnSums } from './winograd-transforms.as';
import { PANEL, sumPanel } from './winograd-tiles.as';
import { Conv2dParams } from './params.as';

/** What the planner worked out, behind the grid of tiles and the planes of x and g. Places and strides in bytes. */
@unmanaged
class Plan {
  channels: i32;
  outputs: i32;
  /** Output channels and input channels of a task. */
  taskOutputs: i32;
  taskChannels: i32;
  units: i32;
  /** Units whose tiles are transformed at once. */
  blockUnits: i32;
  splits: i32;
  /** Of the shared scratch: the magnitudes of the channels of x and of g (sumMagnitudes) in each split. */
  magnitudesAt: i32;
  sumsAt: i32;
  sumStride: i32;
  valuesAt: i32;
  valueStride: i32;
  gradientsAt: i32;
  gradientStride: i32;
  batch: i32;
}

const TAPS: i32 = 9;

@inline
function planOf(params: usize): Plan {
  return changetype<Plan>(params + CONVOLUTION_BYTES + offsetof<TileGrid>() + 2 * offsetof<Plane>());
}

/** Stores lane `lane` of nine vectors in a row. */
@inline
function putTaps(from: usize, to: usize, lane: usize): void {
  for (let k = 0; k < TAPS; k++) store<u32>(to + words(k), load<u32>(from + ((<usize>k) << 4) + (lane << 2)));
}

/** Magnitudes of a split: those of the channels of x, then of g. */
@inline
function magnitudesOf(p: Plan, buffers: usize, split: i32): usize {
  return buffer(buffers, 3) + p.magnitudesAt + <usize>(split * (p.channels + p.outputs)) * MAGNITUDE_BYTES;
}

/** Magnitudes of some channels of an image in a split's share of every plane, to `magnitudes` of all channels. */
function sumChannels(
  p: Plan,
  plane: Plane,
  image: usize,
  magnitudes: usize,
  firstChannel: i32,
  channels: i32,
  split: i32,
): void {
  const size = plane.height * plane.width;
  const first = <i32>((<i64>split * size) / p.splits);
  const count = <i32>((<i64>(split + 1) * size) / p.splits) - first;
  const step = words(plane.channels * size);
  for (let channel = firstChannel; channel < firstChannel + channels; channel++) {
    const from = image + words(channel * size + first);
    const to = magnitudes + <usize>channel * MAGNITUDE_BYTES;
    sumMagnitudes(from, p.batch, step, count, to, p.batch * size);
  }
}

/** Weights of one output and of four input channels from their sums. */
function turnWeights(sums: usize, stride: usize, turned: usize, to: usize): void {
  const taps = turned + 3 * INPUTS * 16;
  for (let j = 0; j < INPUTS; j++)
    turnSums(sums + <usize>j * stride, INPUTS * stride, turned + ((<usize>j) << 4), INPUTS * 16);
  for (let i: usize = 0; i < 3; i++) turnSums(turned + INPUTS * 16 * i, 16, taps + 48 * i, 16);
  for (let lane = 0; lane < 4; lane++) putTaps(taps, to + words(TAPS * lane), lane);
}

/** Tasks: (split, block of output channels, block of input channels), the last fastest. */
export function conv2dWinogradWeights(params: usize, buffers: usize, begin: i32, end: i32): void {
  const grid = changetype<TileGrid>(params + CONVOLUTION_BYTES);
  const source = changetype<Plane>(params + CONVOLUTION_BYTES + offsetof<TileGrid>());
  const gradient = changetype<Plane>(params + CONVOLUTION_BYTES + offsetof<TileGrid>() + offsetof<Plane>());
  const p = planOf(params);
  const scratch = buffer(buffers, 4);
  const target = p.splits > 1 ? buffer(buffers, 3) : buffer(buffers, 2);
  const sums = scratch + p.sumsAt;
  const values = scratch + p.valuesAt;
  const gradients = scratch + p.gradientsAt;
  const none = changetype<TileWatch>(0);
  const outputBlocks = ceilDivide(p.outputs, p.taskOutputs);
  const channelBlocks = ceilDivide(p.channels, p.taskChannels);
  for (let task = begin; task < end; task++) {
    const firstChannel = (task % channelBlocks) * p.taskChannels;
    const channels = min(p.taskChannels, p.channels - firstChannel);
    const panels = ceilDivide(channels, PANEL);
    const firstOutput = ((task / channelBlocks) % outputBlocks) * p.taskOutputs;
    const outputs = min(p.taskOutputs, p.outputs - firstOutput);
    const split = task / (channelBlocks * outputBlocks);
    const endUnit = ((split + 1) * p.units) / p.splits;
    fillWords(sums, 0, (PRODUCTS * p.sumStride) >> 2);
    // One task of several looks at each channel.
    const own = magnitudesOf(p, buffers, split);
    if (firstOutput == 0) sumChannels(p, source, buffer(buffers, 0), own, firstChannel, channels, split);
    if (firstChannel == 0) {
      const ofGradient = own + <usize>p.channels * MAGNITUDE_BYTES;
      sumChannels(p, gradient, buffer(buffers, 1), ofGradient, firstOutput, outputs, split);
    }
    for (let unit = (split * p.units) / p.splits; unit < endUnit; unit += p.blockUnits) {
      const last = min(endUnit, unit + p.blockUnits);
      const x = buffer(buffers, 0);
      const g = buffer(buffers, 1);
      turnImage<SourceLine, NoSums>(
        grid,
        source,
        x,
        firstChannel,
        channels,
        scratch,
        values,
        p.valueStride,
        unit,
        last,
        none,
      );
      const to = gradients;
      const stride = p.gradientStride;
      const tiles = turnImage<GradientLine, NoSums>(
        grid,
        gradient,
        g,
        firstOutput,
        outputs,
        scratch,
        to,
        stride,
        unit,
        last,
        none,
      );
      for (let k = 0; k < PRODUCTS; k++) {
        const left = gradients + <usize>(k * p.gradientStride);
        for (let panel = 0; panel < panels; panel++) {
          const right = values + <usize>(k * p.valueStride) + words(PANEL * panel);
          const sum = sums + <usize>(k * p.sumStride) + words(PANEL * panel * p.taskOutputs);
          sumPanel(left, words(outputs), right, words(channels), tiles, sum, outputs, scratch);
        }
      }
    }
    for (let o = 0; o < outputs; o++) {
      const to = target + words(TAPS * (p.channels * (split * p.outputs + firstOutput + o) + firstChannel));
      for (let c = 0; c < channels; c += 4) {
        const from = sums + words((c / PANEL) * PANEL * p.taskOutputs + PANEL * o + (c & 4));
        turnWeights(from, p.sumStride, scratch, to + words(TAPS * c));
      }
    }
  }
}

/** Whether the gradient is one that Winograd's algorithm must not compute. */
function isRefused(params: usize, buffers: usize): bool {
  const p = planOf(params);
  const source = changetype<Plane>(params + CONVOLUTION_BYTES + offsetof<TileGrid>());
  const gradient = changetype<Plane>(changetype<usize>(source) + offsetof<Plane>());
  const all = magnitudesOf(p, buffers, 0);
  const step = <usize>(p.channels + p.outputs) * MAGNITUDE_BYTES;
  const ofGradients = all + <usize>p.channels * MAGNITUDE_BYTES;
  const places = p.batch * source.height * source.width;
  const plane = p.batch * gradient.height * gradient.width;
  for (let i = 0; i < 2; i++) {
    const isMean = i == 1;
    const x = leastSpread(all, p.channels, p.splits, step, places, isMean);
    const g = leastSpread(ofGradients, p.outputs, p.splits, step, plane, isMean);
    if (!spreadsMeet(x, g, plane, isMean)) return true;
  }
  return areFewBits(buffer(buffers, 1), plane * p.outputs, buffer(buffers, 0), places * p.channels);
}

/** The plain sum's parameters stand behind the plan. */
@inline
function plainParams(params: usize): Conv2dParams {
  return changetype<Conv2dParams>(params + offsetof<TileGrid>() + 2 * offsetof<Plane>() + offsetof<Plan>());
}

/** The plain sum, where it is needed. Tasks: those of conv2dWeightChannelsLast. */
export function conv2dWinogradRepeat(params: usize, buffers: usize, begin: i32, end: i32): void {
  if (isRefused(params, buffers)) conv2dWeightChannelsLast(plainParams(params), buffers, begin, end);
}

/** Its splits. Tasks: those of conv2dSumPartials. */
export function conv2dWinogradRepeatSum(params: usize, buffers: usize, begin: i32, end: i32): void {
  if (isRefused(params, buffers)) conv2dSumPartials(plainParams(params), buffers, begin, end);
}
