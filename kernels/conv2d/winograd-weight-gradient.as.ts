// The weight gradient of a 3x3 convolution of stride 1, dilated or not, by Winograd's F(3x3, 4x4): 36 products make what the
// plain sum needs 144 for. A task is a split of the sum over images and tiles, a block of output channels and one of input
// channels: it transforms some tiles of x and of g with the channels last, V[product][tile][c] and Y[product][tile][o], adds
// Y' V to its sums M[product][panel of eight c][o][8], and at the end turns those to weights, w[o][c] = G' M G. Splits are
// added in order. Channels of x or g that are too uneven or too sparse for that or have infinities or NaN are left to plain sums
// (winograd-weight-guard.as.ts), and so are all where they are so simple that a plain sum would be exact.
import { behind, buffer, words } from '../shared/addresses.as';
import { ceilDivide } from '../shared/integers.as';
import { fillWords } from '../shared/simd.as';
import { NoSums } from './channels-last.as';
import { Conv2dParams, Plane, TileGrid, TileWatch, WeightRepeat, WinogradGradientPlan } from './params.as';
import { turnImage } from './winograd-image.as';
import { PANEL, sumPanel } from './winograd-tiles.as';
import { GradientLine, INPUTS, PRODUCTS, SourceLine, TAPS, turnSums } from './winograd-transforms.as';
import { areFewBits, elementsOf, findLimits, Limits, sumChannel } from './winograd-weight-guard.as';
import { addProducts, padPlane, putTotals } from './winograd-weight-repeat.as';

/** Bytes of the sums of a pair of channels. */
const TOTALS_BYTES: usize = 16 * TAPS;

@inline
function gridOf(params: Conv2dParams): TileGrid {
  return changetype<TileGrid>(behind(params));
}

@inline
function sourceOf(params: Conv2dParams): Plane {
  return changetype<Plane>(behind(gridOf(params)));
}

@inline
function gradientOf(params: Conv2dParams): Plane {
  return changetype<Plane>(behind(sourceOf(params)));
}

@inline
function planOf(params: Conv2dParams): WinogradGradientPlan {
  return changetype<WinogradGradientPlan>(behind(gradientOf(params)));
}

/** Stores lane `lane` of nine vectors in a row. */
@inline
function putTaps(from: usize, to: usize, lane: usize): void {
  for (let k = 0; k < TAPS; k++) store<u32>(to + words(k), load<u32>(from + ((<usize>k) << 4) + (lane << 2)));
}

/** Of a split: sums of the magnitudes and of the squares of each channel of x, then of each of g. */
@inline
function sumsOf(p: WinogradGradientPlan, buffers: usize, split: i32): usize {
  return buffer(buffers, 3) + p.magnitudesAt + words(2 * split * (p.channels + p.outputs));
}

/** How many elements of each channel count, first of x, then of g. */
@inline
function elementsAt(p: WinogradGradientPlan, buffers: usize): usize {
  return sumsOf(p, buffers, p.splits);
}

/**
 * Adds up a split's share of every plane of some channels, see sumChannel. `sums`: where those of the `all` channels stand, `vectors`:
 * of four.
 */
function sumChannels(
  p: WinogradGradientPlan,
  plane: Plane,
  image: usize,
  sums: usize,
  firstChannel: i32,
  channels: i32,
  split: i32,
  vectors: i32,
): void {
  const size = plane.height * plane.width;
  const first = <i32>((<i64>split * size) / p.splits);
  const count = <i32>((<i64>(split + 1) * size) / p.splits) - first;
  for (let channel = firstChannel; channel < firstChannel + channels; channel++) {
    const from = image + words(channel * size + first);
    sumChannel(from, p.batch, words(plane.channels * size), count, vectors, sums + words(2 * channel));
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
export function conv2dWinogradWeights(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const grid = gridOf(params);
  const source = sourceOf(params);
  const gradient = gradientOf(params);
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
    const own = sumsOf(p, buffers, split);
    const ofGradient = own + words(2 * p.channels);
    const x = buffer(buffers, 0);
    const g = buffer(buffers, 1);
    if (firstOutput == 0) sumChannels(p, source, x, own, firstChannel, channels, split, p.sourceVectors);
    if (firstChannel == 0) {
      sumChannels(p, gradient, g, ofGradient, firstOutput, outputs, split, p.gradientVectors);
    }
    for (let unit = (split * p.units) / p.splits; unit < endUnit; unit += p.blockUnits) {
      const last = min(endUnit, unit + p.blockUnits);
      const valueStride = p.valueStride;
      turnImage<SourceLine, NoSums>(
        grid,
        source,
        x,
        firstChannel,
        channels,
        scratch,
        values,
        valueStride,
        unit,
        last,
        none,
      );
      const stride = p.gradientStride;
      const tiles = turnImage<GradientLine, NoSums>(
        grid,
        gradient,
        g,
        firstOutput,
        outputs,
        scratch,
        gradients,
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

/** Lower bounds of the numbers of elements that count, of `channels` channels whose sums stand at `sums` in the first split. */
function boundElements(p: WinogradGradientPlan, sums: usize, channels: i32, to: usize): void {
  const step = words(2 * (p.channels + p.outputs));
  for (let channel = 0; channel < channels; channel++) {
    let magnitudes: f32 = 0;
    let squares: f32 = 0;
    let from = sums + words(2 * channel);
    for (let split = 0; split < p.splits; split++) {
      magnitudes += load<f32>(from);
      squares += load<f32>(from, 4);
      from += step;
    }
    // Squares of 0 may be those of tiny numbers.
    store<f32>(to + words(channel), elementsOf(magnitudes, squares, false));
  }
}

/** Tasks: channels of x, then of g. How many of their elements count, exactly where a lower bound does not suffice. */
export function conv2dWinogradElements(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const p = planOf(params);
  const source = sourceOf(params);
  const gradient = gradientOf(params);
  const limits = changetype<Limits>(buffer(buffers, 4));
  const own = buffer(buffers, 4) + words(2);
  const bounds = buffer(buffers, 4) + words(4);
  const sums = sumsOf(p, buffers, 0);
  boundElements(p, sums, p.channels, bounds);
  boundElements(p, sums + words(2 * p.channels), p.outputs, bounds + words(p.channels));
  findLimits(limits, bounds, p.channels, p.outputs, p.batch * gradient.height * gradient.width);
  for (let task = begin; task < end; task++) {
    let elements = load<f32>(bounds + words(task));
    const isSource = task < p.channels;
    if (!(elements >= (isSource ? limits.x : limits.g))) {
      const plane = isSource ? source : gradient;
      const size = plane.height * plane.width;
      const from = buffer(buffers, isSource ? 0 : 1) + words((isSource ? task : task - p.channels) * size);
      sumChannel(from, p.batch, words(plane.channels * size), size, 4, own);
      elements = elementsOf(load<f32>(own), load<f32>(own, 4), load<f32>(own) == 0);
    }
    store<f32>(elementsAt(p, buffers) + words(task), elements);
  }
}

/** Tasks: input channels. The plain sums of all outputs if the channel must not be taken, or else of the outputs that must not be. */
export function conv2dWinogradRepeat(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const p = planOf(params);
  const source = sourceOf(params);
  const gradient = gradientOf(params);
  const repeat = changetype<WeightRepeat>(behind(p));
  const limits = changetype<Limits>(buffer(buffers, 4));
  const totals = buffer(buffers, 4) + 16;
  const padded = totals + <usize>p.outputs * TOTALS_BYTES;
  const elements = elementsAt(p, buffers);
  const ofGradients = elements + words(p.channels);
  const x = buffer(buffers, 0);
  const g = buffer(buffers, 1);
  const size = source.height * source.width;
  const plane = gradient.height * gradient.width;
  findLimits(limits, elements, p.channels, p.outputs, p.batch * plane);
  const areAll = areFewBits(g, p.batch * plane * p.outputs, x, p.batch * size * p.channels);
  let isAny = areAll;
  for (let output = 0; output < p.outputs && !isAny; output++) {
    isAny = !(load<f32>(ofGradients + words(output)) >= limits.g);
  }
  for (let channel = begin; channel < end; channel++) {
    const isWhole = areAll || !(load<f32>(elements + words(channel)) >= limits.x);
    if (!isWhole && !isAny) continue;
    fillWords(totals, 0, (p.outputs * <i32>TOTALS_BYTES) >> 2);
    for (let image = 0; image < p.batch; image++) {
      padPlane(repeat, x + words((image * p.channels + channel) * size), padded);
      for (let output = 0; output < p.outputs; output++) {
        if (!isWhole && load<f32>(ofGradients + words(output)) >= limits.g) continue;
        const from = g + words((image * p.outputs + output) * plane);
        addProducts(repeat, padded, from, totals + <usize>output * TOTALS_BYTES);
      }
    }
    for (let output = 0; output < p.outputs; output++) {
      if (!isWhole && load<f32>(ofGradients + words(output)) >= limits.g) continue;
      const to = buffer(buffers, 2) + words(TAPS * (output * p.channels + channel));
      putTotals(totals + <usize>output * TOTALS_BYTES, to);
    }
  }
}
