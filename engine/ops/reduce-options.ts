// What the reductions over any axes share: their options and what they take.
import { axes, flag, float, optional, optionsWith } from '../signature.ts';

/** Options of reductions over any axes. */
export interface ReduceOptions {
  /** Keep the reduced axes with size 1. */
  keepdim?: boolean;
}

export const keep = { keepdim: flag };
export const overAxes = { x: float, axes: optional(axes), options: optionsWith<ReduceOptions>(keep) };
