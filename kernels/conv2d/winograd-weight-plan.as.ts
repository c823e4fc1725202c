// Where what the planner of Winograd's weight gradients worked out (winograd-weight-gradient.wasm.ts) stands behind the packed
// parameters: the grid of tiles, the planes of x and of the gradient g, the plan, and what the plain sums need.
import { behind, buffer, words } from '../shared/addresses.as';
import { Conv2dParams, Plane, TileGrid, WeightRepeat, WinogradGradientPlan } from './params.as';

@inline
export function weightGridOf(params: Conv2dParams): TileGrid {
  return changetype<TileGrid>(behind(params));
}

@inline
export function sourceOf(params: Conv2dParams): Plane {
  return changetype<Plane>(behind(weightGridOf(params)));
}

@inline
export function gradientOf(params: Conv2dParams): Plane {
  return changetype<Plane>(behind(sourceOf(params)));
}

@inline
export function gradientPlanOf(params: Conv2dParams): WinogradGradientPlan {
  return changetype<WinogradGradientPlan>(behind(gradientOf(params)));
}

@inline
export function repeatOf(params: Conv2dParams): WeightRepeat {
  return changetype<WeightRepeat>(behind(gradientPlanOf(params)));
}

/** How many elements count of every channel of x, then of g, see elementsOf. */
@inline
export function elementsAt(p: WeightRepeat, buffers: usize): usize {
  return buffer(buffers, 3) + p.elementsAt;
}

/** The outputs in an order, see orderOutputs. */
@inline
export function orderAt(p: WeightRepeat, buffers: usize): usize {
  return buffer(buffers, 3) + p.orderAt;
}

/** The list of a channel of x: how many elements it has, -1 if there is none, and its elements, see listElements. */
@inline
export function listAt(p: WeightRepeat, buffers: usize, channel: i32): usize {
  return buffer(buffers, 3) + p.listsAt + <usize>channel * <usize>p.listStride;
}

/** Bytes of the sums of the nine weights of a pair of channels, a vector each. */
export const PAIR_BYTES: usize = 144;

/** Output channels whose plain sums are made together. */
export const BLOCK_OUTPUTS: i32 = 3;

/** Where a plane of `channel` of an image stands. */
@inline
export function planeAt(image: usize, plane: Plane, index: i32, channel: i32): usize {
  return image + words((index * plane.channels + channel) * plane.height * plane.width);
}
