// Cases of the operations of engine/ops/resize.ts.
import * as w from '../../../../engine/index.ts';
import type { Pair } from '../../golden/adapter.ts';
import { type FamilyCases, input, one } from '../case.ts';

export const resize: FamilyCases = {
  gradients: [
    one(
      'interpolate',
      (x) => w.interpolate(x, { mode: 'bilinear', size: [5, 4], alignCorners: false }),
      input(1, 2, 3, 3),
    ),
    one(
      'interpolate',
      (x) => w.interpolate(x, { mode: 'bilinear', size: [2, 5], alignCorners: true }),
      input(1, 1, 3, 3),
    ),
    one('interpolate', (x) => w.interpolate(x, { mode: 'nearest', size: [5, 2] }), input(1, 1, 3, 3)),
    one(
      'interpolateBackward',
      (x) => {
        const y = w.interpolate(x, { mode: 'bilinear', size: [3, 5], alignCorners: false });
        return w.grad(y, [x], { createGraph: true, gradOutputs: [w.square(y)] })[0]!;
      },
      input(1, 1, 2, 3),
    ),
  ],
  golden: {
    interpolate: (t, a) =>
      w.interpolate(t.x!, {
        mode: a.mode as 'nearest' | 'bilinear',
        size: a.size as Pair | null,
        scaleFactor: a.scale_factor as Pair | null,
        alignCorners: a.align_corners as boolean | null,
      }),
  },
};
