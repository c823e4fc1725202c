// Cases of the operations of engine/ops/pooling.ts.
import * as w from '../../../../engine/index.ts';
import type { Attributes, Pair } from '../../golden/adapter.ts';
import { distinct, type FamilyCases, indices, input, one } from '../case.ts';

const options = (a: Attributes) => ({
  stride: a.stride as Pair,
  padding: a.padding as Pair,
  ceilMode: a.ceil_mode as boolean,
});
const pooled = ({ values, indices }: { values: w.Tensor; indices: w.Tensor }) => ({ y: values, indices });

export const pooling: FamilyCases = {
  gradients: [
    {
      operations: ['maxPool2d', 'maxPool2dBackward'],
      inputs: [distinct(1, 2, 4, 5)],
      f: (x) => w.maxPool2d(x!, 3, { stride: 2, padding: 1 }),
    },
    one('avgPool2d', (x) => w.avgPool2d(x, 2, { stride: 1, padding: 1, countIncludePad: false }), input(1, 2, 3, 4)),
    one(
      'avgPool2dBackward',
      (x) => w.grad(w.avgPool2d(x, 2), [x], { createGraph: true, gradOutputs: [w.avgPool2d(x, 2)] })[0]!,
      input(1, 1, 4, 4),
    ),
    one('adaptiveAvgPool2d', (x) => w.adaptiveAvgPool2d(x, [2, 3]), input(1, 2, 3, 4)),
    one(
      'adaptiveAvgPool2dBackward',
      (x) => {
        const y = w.adaptiveAvgPool2d(x, 2);
        return w.grad(y, [x], { createGraph: true, gradOutputs: [w.square(y)] })[0]!;
      },
      input(1, 1, 3, 4),
    ),
    { operations: ['adaptiveMaxPool2d'], inputs: [distinct(1, 2, 4, 3)], f: (x) => w.adaptiveMaxPool2d(x!, 2) },
    {
      operations: ['maxUnpool2d'],
      inputs: [input(1, 1, 2, 2), indices([1, 1, 2, 2], [0, 3, 9, 14])],
      f: (x, index) => w.maxUnpool2d(x!, index!, [4, 4]),
    },
  ],
  golden: {
    max_pool2d: (t, a) =>
      pooled(w.maxPool2d(t.x!, a.kernel as Pair, { ...options(a), dilation: a.dilation as Pair, returnIndices: true })),
    max_unpool2d: (t, a) => w.maxUnpool2d(t.x!, t.indices!, a.output_size as Pair),
    avg_pool2d: (t, a) =>
      w.avgPool2d(t.x!, a.kernel as Pair, { ...options(a), countIncludePad: a.count_include_pad as boolean }),
    adaptive_avg_pool2d: (t, a) => w.adaptiveAvgPool2d(t.x!, a.output_size as Pair),
    adaptive_max_pool2d: (t, a) => pooled(w.adaptiveMaxPool2d(t.x!, a.output_size as Pair, { returnIndices: true })),
  },
};
