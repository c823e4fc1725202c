// Cases of the operations of engine/ops/grid-sample.ts.
import * as w from '../../../../engine/index.ts';
import { type FamilyCases, input, type InputSpec, two } from '../case.ts';

/** Places between pixels, within the image and outside. */
const places: InputSpec = { shape: [1, 2, 2, 2], values: [-0.3, 0.2, 0.55, -0.71, 0.13, 0.43, -1.2, 1.37] };

export const gridSample: FamilyCases = {
  gradients: [
    two('gridSample', (x, grid) => w.gridSample(x, grid), input(1, 2, 3, 4), places),
    two(
      'gridSample',
      (x, grid) => w.gridSample(x, grid, { paddingMode: 'reflection', alignCorners: true }),
      input(1, 1, 3, 4),
      places,
    ),
    two('gridSample', (x, grid) => w.gridSample(x, grid, { paddingMode: 'border' }), input(1, 1, 3, 4), places),
  ],
};
