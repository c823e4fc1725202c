// Draws that the generators of pictures share.
import type { Random } from '../../../engine/index.ts';

/** Uniform from `low` to `high`. */
export const between = (stream: Random, low: number, high: number): number => low + (high - low) * stream.uniform();
