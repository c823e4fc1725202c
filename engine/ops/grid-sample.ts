// Sampling an image at given places, as torch's grid_sample: a weighted sum of gathered neighbours.
import { oneOf } from '../checks.ts';
import { ShapeError, showShape } from '../errors.ts';
import { defineComposite } from '../operation.ts';
import { flag, float, optionsWith, text } from '../signature.ts';
import { noGrad } from '../grad-mode.ts';
import type { Tensor } from '../tensor.ts';
import { add, eq, ge, le, mul, sub, where } from './binary.ts';
import { expand } from './expand.ts';
import { gather } from './indexing.ts';
import { narrow } from './layout.ts';
import { reshape } from './reshape.ts';
import { abs, affine, cast, clamp, floor, round } from './unary.ts';

/** Options of `gridSample`. */
export interface GridSampleOptions {
  /** Default 'bilinear'. */
  mode?: 'bilinear' | 'nearest';
  /** What lies outside: zeros (default), the nearest border, or the mirrored image. */
  paddingMode?: 'zeros' | 'border' | 'reflection';
  /** -1 and 1 are the centres of the corner pixels, not the outer edges of the image. Default false. */
  alignCorners?: boolean;
}

/** Positions in pixels, mirrored at the edges of the image: at the centres of the outer pixels, or half a pixel beyond. */
function reflect(position: Tensor, size: number, aligned: boolean): Tensor {
  const low = aligned ? 0 : -0.5;
  const span = aligned ? size - 1 : size;
  if (span === 0) return affine(position, 0, 0);
  const distance = abs(affine(position, 1, -low));
  const { flips, isOdd } = noGrad(() => {
    const flips = floor(affine(distance, 1 / span, 0));
    return { flips, isOdd: eq(sub(flips, affine(floor(affine(flips, 0.5, 0)), 2, 0)), 1) };
  });
  const rest = sub(distance, affine(flips, span, 0));
  return affine(where(isOdd, affine(rest, -1, span), rest), 1, low);
}

/** Coordinates from -1 to 1 as positions in pixels, within the image unless zeros lie outside. */
function positionsOf(coordinate: Tensor, size: number, { paddingMode, alignCorners }: Required<GridSampleOptions>) {
  const scale = alignCorners ? (size - 1) / 2 : size / 2;
  const position = affine(coordinate, scale, (size - 1) / 2);
  if (paddingMode === 'zeros') return position;
  const inside = paddingMode === 'reflection' ? reflect(position, size, alignCorners) : position;
  return clamp(inside, { min: 0, max: size - 1 });
}

/** Whole positions along one axis and how much each counts: nothing outside of the image. */
interface Neighbour {
  index: Tensor;
  weight: Tensor;
}

function neighboursOf(position: Tensor, size: number, mode: 'bilinear' | 'nearest'): Neighbour[] {
  const at = (place: Tensor, share: Tensor | number): Neighbour => ({
    index: noGrad(() => cast(clamp(place, { min: 0, max: size - 1 }), 'int32')),
    weight: where(
      noGrad(() => where(ge(place, 0), le(place, size - 1), 0)),
      share,
      0,
    ),
  });
  if (mode === 'nearest') {
    const nearest = noGrad(() => round(position));
    return [at(nearest, affine(nearest, 0, 1))];
  }
  const before = noGrad(() => floor(position));
  const share = sub(position, before);
  return [
    at(before, affine(share, -1, 1)),
    at(
      noGrad(() => affine(before, 1, 1)),
      share,
    ),
  ];
}

function check(x: Tensor, grid: Tensor): void {
  const refuse = (argument: string, expected: string, given: Tensor): never => {
    const details = { operation: 'gridSample', argument, expected, given: showShape(given.shape) };
    throw new ShapeError('shapes do not fit', details);
  };
  if (x.rank !== 4 || x.shape[2] === 0 || x.shape[3] === 0) refuse('x', '(N, C, H, W) with H and W from 1', x);
  if (grid.rank !== 4 || grid.shape[0] !== x.shape[0] || grid.shape[3] !== 2) {
    refuse('grid', `[${x.shape[0]}, h, w, 2]`, grid);
  }
}

/**
 * x (N, C, H, W) at the places of grid (N, h, w, 2), which are (column, row) from -1 to 1: (N, C, h, w). Differentiable in both;
 * with `nearest` the gradient of the grid is 0.
 */
export const gridSample = defineComposite(
  'gridSample',
  (x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor => {
    const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = options;
    oneOf('gridSample', 'mode', mode, ['bilinear', 'nearest']);
    oneOf('gridSample', 'paddingMode', paddingMode, ['zeros', 'border', 'reflection']);
    check(x, grid);
    const [n, c, height, width] = x.shape as [number, number, number, number];
    const [, h, w] = grid.shape as [number, number, number];
    const rule = { mode, paddingMode, alignCorners };
    const along = (part: 0 | 1, size: number): Neighbour[] => {
      const coordinate = reshape(narrow(grid, 3, part, 1), [n, 1, h * w]);
      return neighboursOf(positionsOf(coordinate, size, rule), size, mode);
    };
    const flat = reshape(x, [n, c, height * width]);
    const columns = along(0, width);
    const terms = along(1, height).flatMap((row) =>
      columns.map((column) => {
        const index = noGrad(() => {
          const place = add(affine(cast(row.index, 'float32'), width, 0), cast(column.index, 'float32'));
          return expand(cast(place, 'int32'), [n, c, h * w]);
        });
        return mul(gather(flat, 2, index), mul(row.weight, column.weight));
      }),
    );
    return reshape(
      terms.reduce((sum, term) => add(sum, term)),
      [n, c, h, w],
    );
  },
  {
    family: 'grid-sample',
    signature: {
      x: float,
      grid: float,
      options: optionsWith<GridSampleOptions>({ mode: text, paddingMode: text, alignCorners: flag }),
    },
  },
);
