// Cases of the operations of engine/ops/ssim.ts.
import * as w from '../../../../engine/index.ts';
import { type Attributes, number } from '../../golden/adapter.ts';
import { type FamilyCases, positive, two } from '../case.ts';

const options = (a: Attributes) => ({
  maxValue: number(a, 'max_val'),
  filterSize: number(a, 'filter_size'),
  sigma: number(a, 'sigma'),
  k1: number(a, 'k1'),
  k2: number(a, 'k2'),
});

export const ssim: FamilyCases = {
  gradients: [
    two('ssim', (x, y) => w.ssim(x, y, { filterSize: 3 }), positive(2, 1, 4, 4), positive(2, 1, 4, 4)),
    {
      operations: ['ssimMap', 'ssimMapBackward'],
      inputs: [positive(1, 2, 5, 4), positive(1, 2, 5, 4)],
      f: (x, y) => w.ssimMap(x!, y!, { filterSize: [4, 3] }),
    },
    two(
      'ssimMap',
      (x, y) => w.ssimMap(x, y, { filterSize: [5, 3], padding: 'same', window: 'uniform', maxValue: 10 }),
      positive(1, 1, 3, 4),
      positive(1, 1, 3, 4),
    ),
    two('ssimLoss', (x, y) => w.ssimLoss(x, y, { filterSize: 3 }), positive(1, 2, 3, 4), positive(1, 2, 3, 4)),
  ],
  golden: {
    ssim: (t, a) => w.ssim(t.x!, t.target!, options(a)),
    ssim_loss: (t, a) => w.ssimLoss(t.x!, t.target!, options(a)),
  },
};
