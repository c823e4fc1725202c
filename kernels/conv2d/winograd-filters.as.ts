// The filters of Winograd's convolutions: U[panel][product][channel][8] and a description of each panel for the guard, and the same
// filters in the order that the plain loop reads.
import { buffer, words } from '../shared/addresses.as';
import { loadStrided } from '../shared/simd.as';
import { swapBlock } from '../shared/swap-block.as';
import { Conv2dParams, WinogradPlan } from './params.as';
import { addTaps, describeFilters, FILTER_SUMS_BYTES, FilterSums } from './winograd-filter-guard.as';
import { Trust } from './winograd-guard.as';
import { planOf } from './winograd-plan.as';
import { PANEL } from './panel-tiles.as';
import { INPUTS, PRODUCTS, TAPS, turnTaps } from './winograd-transforms.as';

/** Bytes of a transformed panel: its filters and their description. */
@inline
export function panelBytes(p: WinogradPlan): usize {
  return PRODUCTS * <usize>p.filterStride + 64;
}

/** Where the description of a transformed panel stands. */
@inline
export function trustOf(p: WinogradPlan, filters: usize): usize {
  return filters + PRODUCTS * <usize>p.filterStride;
}

/** U of four filters `lane` bytes apart; `tapStep`, 4 or -4: bytes between taps, the first of which stand at `from`. */
function turnFilters(from: usize, lane: usize, tapStep: usize, turned: usize, to: usize, stride: usize): void {
  const taps = turned + 3 * INPUTS * 16;
  const step: usize = tapStep << 2;
  const lowest = tapStep == 4 ? from : from - 4 * (TAPS - 1);
  const first = tapStep == 4 ? taps : taps + 16 * (TAPS - 1);
  swapBlock(first, step, lowest, lane);
  swapBlock(first + 4 * step, step, lowest + 16, lane);
  v128.store(first + 8 * step, loadStrided(lowest + 32, lane));
  for (let j: usize = 0; j < 48; j += 16) turnTaps(taps + j, 48, turned + j, 48);
  for (let i = 0; i < INPUTS; i++) {
    turnTaps(turned, 16, to, stride);
    turned += 48;
    to += INPUTS * stride;
  }
}

/** U of one panel, and its description. */
export function turnFilterPanel(p: WinogradPlan, weights: usize, panel: i32, turned: usize, filters: usize): void {
  const lane = <usize>p.filterStep;
  const tapStep = <usize>p.tapStep;
  const outputs = min(PANEL, p.outputs - panel * PANEL);
  const first = weights + <usize>p.firstTap + <usize>(panel * PANEL) * lane;
  const taps = turned + 3 * INPUTS * 16;
  const sums = taps + TAPS * 16;
  let from = first;
  let to = filters;
  for (let channel = 0; channel < p.channels; channel++) {
    turnFilters(from, lane, tapStep, turned, to, p.filterStride);
    addTaps(taps, changetype<FilterSums>(sums), channel == 0);
    if (outputs > 4) {
      turnFilters(from + 4 * lane, lane, tapStep, turned, to + 16, p.filterStride);
      addTaps(taps, changetype<FilterSums>(sums + FILTER_SUMS_BYTES), channel == 0);
    } else for (let k = 0; k < PRODUCTS; k++) v128.store(to + <usize>(k * p.filterStride), i32x4.splat(0), 16);
    from += <usize>p.channelStep;
    to += words(PANEL);
  }
  const lowest = first + <usize>min(0, (TAPS - 1) * p.tapStep);
  const trust = changetype<Trust>(trustOf(p, filters));
  describeFilters(trust, lowest, lane, <usize>p.channelStep, outputs, p.channels, sums);
}

/** The filters of one panel as the plain loop wants them, [filter][channel][tap]. Returns where those of panel 0 would stand. */
export function orderFilters(p: WinogradPlan, weights: usize, panel: i32, ordered: usize): usize {
  let to = ordered;
  for (let filter = panel * PANEL; filter < min(p.outputs, (panel + 1) * PANEL); filter++) {
    for (let channel = 0; channel < p.channels; channel++) {
      const from = weights + <usize>(p.firstTap + filter * p.filterStep + channel * p.channelStep);
      for (let tap = 0; tap < TAPS; tap++) {
        store<u32>(to, load<u32>(from + <usize>(tap * p.tapStep)));
        to += 4;
      }
    }
  }
  return ordered - words(panel * PANEL * p.channels * TAPS);
}

/** Tasks: panels of filters. */
export function conv2dWinogradFilters(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const p = planOf(params);
  const weights = buffer(buffers, p.weights);
  const filters = buffer(buffers, p.scratch - 1) + p.filtersAt;
  const turned = buffer(buffers, p.scratch);
  for (let panel = begin; panel < end; panel++) {
    turnFilterPanel(p, weights, panel, turned, filters + <usize>panel * panelBytes(p));
  }
}
