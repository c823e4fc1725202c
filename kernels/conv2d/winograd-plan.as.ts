// Where what the planner of Winograd's convolutions worked out (winograd-plan.wasm.ts) stands behind the packed parameters: the grid
// of tiles, the plane of the source, the watch over its tiles and the places and steps of everything else.
import { behind } from '../shared/addresses.as';
import { Conv2dParams, Plane, TileGrid, TileWatch, WinogradPlan } from './params.as';

@inline
export function gridOf(params: Conv2dParams): TileGrid {
  return changetype<TileGrid>(behind(params));
}

@inline
export function planeOf(grid: TileGrid): Plane {
  return changetype<Plane>(behind(grid));
}

@inline
export function watchOf(grid: TileGrid): TileWatch {
  return changetype<TileWatch>(behind(planeOf(grid)));
}

@inline
export function planOf(params: Conv2dParams): WinogradPlan {
  return changetype<WinogradPlan>(behind(watchOf(gridOf(params))));
}
