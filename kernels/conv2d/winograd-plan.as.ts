// What the planner of Winograd's convolutions worked out (winograd.wasm.ts), behind the packed parameters: the grid of tiles, the
// plane of the source, the watch over its tiles and the places and steps of everything else.
import { CONVOLUTION_BYTES } from '../shared/addresses.as';
import { TileWatch } from './winograd-tile-guard.as';
import { Plane, TileGrid } from './winograd-image.as';

/**
 * What the planner worked out (winograd.wasm.ts). Places and strides in bytes.
 */
@unmanaged
export class WinogradPlan {
  weights: i32;
  bias: i32;
  output: i32;
  scratch: i32;
  channels: i32;
  outputs: i32;
  height: i32;
  width: i32;
  units: i32;
  taskUnits: i32;
  /** From one filter to the next, and from one of its channels to the next. */
  filterStep: i32;
  channelStep: i32;
  /** The first tap of a filter, and the step to the next tap. */
  firstTap: i32;
  tapStep: i32;
  /** 1: filters are transformed by the tasks, in the thread's scratch. */
  isOwn: i32;
  /** Panels of a task, and tasks that share their units. */
  blockPanels: i32;
  blocks: i32;
  filtersAt: i32;
  filterStride: i32;
  valuesAt: i32;
  valueStride: i32;
  productsAt: i32;
  productStride: i32;
  turnedAt: i32;
  /** What the plain loop needs: a unit, its correlation and its filters. */
  repeatAt: i32;
  /** Descriptions of the worst of the task's tiles and of its panels. */
  trustAt: i32;
}

@inline
export function gridOf(params: usize): TileGrid {
  return changetype<TileGrid>(params + CONVOLUTION_BYTES);
}

@inline
export function planeOf(grid: TileGrid): Plane {
  return changetype<Plane>(changetype<usize>(grid) + offsetof<TileGrid>());
}

@inline
export function watchOf(grid: TileGrid): TileWatch {
  return changetype<TileWatch>(changetype<usize>(planeOf(grid)) + offsetof<Plane>());
}

@inline
export function planOf(params: usize): WinogradPlan {
  return changetype<WinogradPlan>(changetype<usize>(watchOf(gridOf(params))) + offsetof<TileWatch>());
}
