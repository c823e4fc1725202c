// Which pairs of channels of a 3x3 weight gradient Winograd's algorithm must not take (winograd-weight-guard.as.ts), and the plain
// sums of those. Most of them have a channel of x with hardly an element that is not zero, as behind a relu: those elements are
// listed.
import { buffer, words } from '../shared/addresses.as';
import { fillWords } from '../shared/simd.as';
import { Conv2dParams } from './params.as';
import { TAPS } from './winograd-transforms.as';
import { areFewBits, elementsOf, isPlainPair } from './winograd-weight-guard.as';
import {
  BLOCK_OUTPUTS,
  elementsAt,
  gradientOf,
  gradientPlanOf,
  listAt,
  orderAt,
  PAIR_BYTES,
  planeAt,
  repeatOf,
  sourceOf,
} from './winograd-weight-plan.as';
import { addListed, addProducts, entryAt, listElements, padPlane } from './winograd-weight-sums.as';

/** Tasks: channels of x, then of g. How many of their elements count. */
export function conv2dWinogradElements(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const p = gradientPlanOf(params);
  const repeat = repeatOf(params);
  for (let task = begin; task < end; task++) {
    const isSource = task < p.channels;
    const plane = isSource ? sourceOf(params) : gradientOf(params);
    const from = planeAt(buffer(buffers, isSource ? 0 : 1), plane, 0, isSource ? task : task - p.channels);
    const size = plane.height * plane.width;
    const elements = elementsOf(from, p.batch, words(plane.channels * size), size);
    store<f32>(elementsAt(repeat, buffers) + words(task), elements);
  }
}

/** The outputs in the order of their elements: those that follow each other are plain for nearly the same channels. */
function orderOutputs(elements: usize, outputs: i32, order: usize): void {
  for (let output = 0; output < outputs; output++) {
    const own = load<f32>(elements + words(output));
    let place = order + words(output);
    while (place > order) {
      const before = load<i32>(place - 4);
      if (load<f32>(elements + words(before)) <= own) break;
      store<i32>(place, before);
      place -= 4;
    }
    store<i32>(place, output);
  }
}

/** Tasks: channels of x. Lists the elements of those that have a plain pair, unless there are too many; the first orders the outputs. */
export function conv2dWinogradLists(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const p = gradientPlanOf(params);
  const repeat = repeatOf(params);
  const source = sourceOf(params);
  const gradient = gradientOf(params);
  const ofSource = elementsAt(repeat, buffers);
  const ofGradient = ofSource + words(p.channels);
  const places = p.batch * gradient.height * gradient.width;
  const plane = words((source.height + 2) * (source.width + 2));
  if (begin == 0) orderOutputs(ofGradient, p.outputs, orderAt(repeat, buffers));
  let least: f32 = Infinity;
  for (let output = 0; output < p.outputs; output++) least = min<f32>(least, load<f32>(ofGradient + words(output)));
  for (let channel = begin; channel < end; channel++) {
    const elements = load<f32>(ofSource + words(channel));
    const list = listAt(repeat, buffers, channel);
    // What must not be taken may be infinite, and infinities must not meet the zeros around a plane.
    let count = elements > 0 && isPlainPair(elements, least, places) ? 0 : -1;
    for (let image = 0; image < p.batch && count >= 0; image++) {
      const from = planeAt(buffer(buffers, 0), source, image, channel);
      const padded = <usize>image * plane;
      count = listElements(from, source.height, source.width, padded, list, count, repeat.mostListed);
    }
    store<i32>(list, count);
  }
}

/** Stores a pair's nine weights: the sums of the lanes of nine vectors. */
function putProducts(totals: usize, to: usize): void {
  for (let tap = 0; tap < TAPS; tap++) {
    const sum = v128.load(totals);
    const two = f32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 2, 3));
    store<f32>(to, f32x4.extract_lane(two, 0) + f32x4.extract_lane(two, 1));
    totals += 16;
    to += 4;
  }
}

/** Stores a pair's nine weights: the lanes of three vectors, the last tap first. */
function putListed(totals: usize, to: usize): void {
  for (let row: usize = 0; row < 3; row++) {
    for (let column: usize = 0; column < 3; column++) {
      store<f32>(to + ((8 - 3 * row - column) << 2), load<f32>(totals + (row << 4) + (column << 2)));
    }
  }
}

/** The plain sums of a channel's pairs with three outputs, all products or those of its list, in `totals`. */
function sumPairs(
  params: Conv2dParams,
  buffers: usize,
  channel: i32,
  first: i32,
  second: i32,
  third: i32,
  isListed: bool,
  totals: usize,
): void {
  const repeat = repeatOf(params);
  const source = sourceOf(params);
  const gradient = gradientOf(params);
  const batch = gradientPlanOf(params).batch;
  fillWords(totals, 0, (BLOCK_OUTPUTS * <i32>PAIR_BYTES) >> 2);
  if (isListed) {
    const list = listAt(repeat, buffers, channel);
    const stride = <usize>repeat.gradientStride;
    addListed(entryAt(list, 0), load<i32>(list), totals + repeat.gradientsAt, stride, words(source.width + 2), totals);
    return;
  }
  const padded = totals + repeat.paddedAt;
  const rows = repeat.outH + 2 * repeat.dilation;
  const columns = repeat.outW + 2 * repeat.dilation;
  const g = buffer(buffers, 1);
  for (let image = 0; image < batch; image++) {
    const plane = planeAt(buffer(buffers, 0), source, image, channel);
    padPlane(plane, source.height, source.width, repeat.padH, repeat.padW, padded, rows, columns);
    const g0 = planeAt(g, gradient, image, first);
    const g1 = planeAt(g, gradient, image, second);
    const g2 = planeAt(g, gradient, image, third);
    addProducts(repeat, padded, g0, g1, g2, totals);
  }
}

/** The planes of an output as lists want them, for all images. */
function padGradients(params: Conv2dParams, buffers: usize, output: i32, to: usize): void {
  const repeat = repeatOf(params);
  const source = sourceOf(params);
  const gradient = gradientOf(params);
  const padH = 2 - repeat.padH;
  const padW = 2 - repeat.padW;
  const rows = source.height + 2;
  const columns = source.width + 2;
  for (let image = 0; image < gradientPlanOf(params).batch; image++) {
    const from = planeAt(buffer(buffers, 1), gradient, image, output);
    padPlane(from, repeat.outH, repeat.outW, padH, padW, to, rows, columns);
    to += words(rows * columns);
  }
}

/** Tasks: blocks of outputs in their order. The plain sums of their pairs with every channel with which one of them must not be taken. */
export function conv2dWinogradRepeat(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const p = gradientPlanOf(params);
  const repeat = repeatOf(params);
  const source = sourceOf(params);
  const gradient = gradientOf(params);
  const totals = buffer(buffers, 4);
  const ofSource = elementsAt(repeat, buffers);
  const ofGradient = ofSource + words(p.channels);
  const order = orderAt(repeat, buffers);
  const places = p.batch * gradient.height * gradient.width;
  const size = p.batch * source.height * source.width;
  const isAll = areFewBits(buffer(buffers, 1), places * p.outputs, buffer(buffers, 0), size * p.channels);
  for (let task = begin; task < end; task++) {
    const at = order + words(task * BLOCK_OUTPUTS);
    const outputs = min(BLOCK_OUTPUTS, p.outputs - task * BLOCK_OUTPUTS);
    const first = load<i32>(at);
    const second = load<i32>(at + words(min(1, outputs - 1)));
    const third = load<i32>(at + words(min(2, outputs - 1)));
    // The first has the fewest.
    const least = load<f32>(ofGradient + words(first));
    let arePadded = false;
    for (let channel = 0; channel < p.channels; channel++) {
      if (!isAll && !isPlainPair(load<f32>(ofSource + words(channel)), least, places)) continue;
      const isListed = least > 0 && load<i32>(listAt(repeat, buffers, channel)) >= 0;
      if (isListed && !arePadded) {
        const padded = totals + repeat.gradientsAt;
        padGradients(params, buffers, first, padded);
        padGradients(params, buffers, second, padded + repeat.gradientStride);
        padGradients(params, buffers, third, padded + 2 * <usize>repeat.gradientStride);
        arePadded = true;
      }
      sumPairs(params, buffers, channel, first, second, third, isListed, totals);
      for (let i = 0; i < outputs; i++) {
        const output = load<i32>(at + words(i));
        const to = buffer(buffers, 2) + words(TAPS * (output * p.channels + channel));
        const own = totals + <usize>i * PAIR_BYTES;
        if (isListed) putListed(own, to);
        else putProducts(own, to);
      }
    }
  }
}
