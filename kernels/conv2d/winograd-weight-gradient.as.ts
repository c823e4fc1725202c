// The weight gradient of a 3x3 convolution of stride 1, dilated or not, by Winograd's F(3x3, 4x4): 36 products make what the
// plain sum needs 144 for. A task is a split of the sum over images and tiles, a block of output channels and one of input
// channels: it transforms some tiles of x and of g with the channels last, V[product][tile][c] and Y[product][tile][o], adds
// Y' V to its sums M[product][panel of eight c][o][8], and at the end turns those to weights, w[o][c] = G' M G. Splits are
// added in order. Pairs of channels that are too uneven or too sparse for that or have infinities or NaN are left to plain sums
// (winograd-weight-repeat.as.ts), and so are all where they are so simple that a plain sum would be exact.
import { buffer, words } from '../shared/addresses.as';
import { ceilDivide } from '../shared/integers.as';
import { fillWords } from '../shared/simd.as';
import { NoSums } from './channels-last.as';
import { Conv2dParams, TileWatch } from './params.as';
import { turnImage } from './winograd-image.as';
import { PANEL, sumPanel } from './panel-tiles.as';
import { GradientLine, INPUTS, PRODUCTS, SourceLine, TAPS, turnSums } from './winograd-transforms.as';
import { gradientOf, gradientPlanOf, sourceOf, weightGridOf } from './winograd-weight-plan.as';

/** Stores lane `lane` of nine vectors in a row. */
@inline
function putTaps(from: usize, to: usize, lane: usize): void {
  for (let k = 0; k < TAPS; k++) store<u32>(to + words(k), load<u32>(from + ((<usize>k) << 4) + (lane << 2)));
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
  const grid = weightGridOf(params);
  const source = sourceOf(params);
  const gradient = gradientOf(params);
  const p = gradientPlanOf(params);
  const x = buffer(buffers, 0);
  const g = buffer(buffers, 1);
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
