// Cases of the operations of engine/ops/layout.ts.
import * as w from '../../../../engine/index.ts';
import { number, numbers } from '../../golden/adapter.ts';
import { type FamilyCases, input, one } from '../case.ts';

export const layout: FamilyCases = {
  gradients: [
    one('transpose', (x) => w.transpose(x, 0, -1), input(2, 3, 2)),
    one('narrow', (x) => w.narrow(x, 1, 1, 2), input(2, 4)),
    one('permute', (x) => w.permute(x, [2, 0, 1]), input(2, 3, 2)),
    one('flip', (x) => w.flip(x, [0, 2]), input(2, 3, 2)),
    one('slice', (x) => w.slice(x, [null, [1, null, 2]]), input(2, 5)),
    one('embed', (x) => w.pad(x, [1, 2, 0, 1], 'constant', 0.5), input(2, 2)),
    one('pad', (x) => w.pad(x, [2, 1, 1, 1], 'reflect'), input(1, 3, 4)),
    one('pad', (x) => w.pad(x, [2, 1, -1, 1], 'constant'), input(3, 4)),
    one('pixelShuffle', (x) => w.pixelShuffle(x, 2), input(1, 4, 2, 1)),
  ],
  golden: {
    permute: (t, a) => w.permute(t.x!, numbers(a, 'axes')),
    transpose: (t, a) => w.transpose(t.x!, number(a, 'axis0'), number(a, 'axis1')),
    slice: (t, a) => w.slice(t.x!, a.slices as w.SliceSpec),
    pad: (t, a) => w.pad(t.x!, numbers(a, 'pad'), a.mode as w.PadMode, (a.value as number | null) ?? 0),
    flip: (t, a) => w.flip(t.x!, numbers(a, 'axes')),
    pixel_shuffle: (t, a) => w.pixelShuffle(t.x!, number(a, 'factor')),
  },
};
