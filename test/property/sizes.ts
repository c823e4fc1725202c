// Sizes and shapes that tests of tiled kernels need: none, one, few, primes, and one around each tile of the plans
// (vectors of 4 and 8, tiles of 16, 32, 64 and 128, workgroups of 256).
import fc from 'fast-check';
import { sizeOf } from '../../engine/shape.ts';

const tiles = [4, 8, 16, 32, 64, 128, 256];
export const aroundTiles = tiles.flatMap((tile) => [tile - 1, tile, tile + 1]);

/** From 1: mostly few. */
export const size = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 7 }) },
  { weight: 2, arbitrary: fc.constantFrom(...aroundTiles) },
  { weight: 1, arbitrary: fc.constantFrom(11, 13, 37, 101) },
);

/** Seldom 0. */
export const sizeOrNone = fc.oneof({ weight: 9, arbitrary: size }, { weight: 1, arbitrary: fc.constant(0) });

/** Shapes of at most `most` elements. */
export const shapes = (ranks: { min: number; max: number }, most = 6000, along = sizeOrNone): fc.Arbitrary<number[]> =>
  fc
    .array(along, { minLength: ranks.min, maxLength: ranks.max })
    .map((shape) => shape.reduce<number[]>((kept, n) => [...kept, sizeOf(kept) * n <= most ? n : 1 + (n % 3)], []))
    .filter((shape) => sizeOf(shape) <= 2 * most);

/** One truth value per axis. */
export const subsetOf = (shape: readonly number[]): fc.Arbitrary<boolean[]> =>
  fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length });
