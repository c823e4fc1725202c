// Cases of the operations of engine/ops/convolution.ts.
import * as w from '../../../../engine/index.ts';
import { type Attributes, number, type Pair } from '../../golden/adapter.ts';
import { type FamilyCases, input, two } from '../case.ts';

const options = (a: Attributes) => ({
  stride: a.stride as Pair,
  padding: a.padding as Pair,
  dilation: a.dilation as Pair,
  groups: number(a, 'groups'),
});

export const convolution: FamilyCases = {
  gradients: [
    {
      operations: ['conv2d', 'convTranspose2d', 'conv2dWeightGradient'],
      inputs: [input(2, 2, 4, 5), input(3, 2, 3, 2), input(3)],
      f: (x, weight, bias) => w.conv2d(x!, weight!, bias, { stride: [2, 1], padding: [1, 1], dilation: [1, 2] }),
    },
    {
      operations: ['conv2d'],
      inputs: [input(1, 4, 3, 3), input(2, 2, 2, 2)],
      f: (x, weight) => w.conv2d(x!, weight!, undefined, { groups: 2 }),
    },
    {
      operations: ['convTranspose2d'],
      inputs: [input(1, 2, 3, 2), input(2, 2, 2, 3), input(2)],
      f: (x, weight, bias) =>
        w.convTranspose2d(x!, weight!, bias, { stride: 2, padding: [0, 1], outputPadding: [1, 0] }),
    },
    {
      operations: ['conv1d'],
      inputs: [input(2, 2, 5), input(4, 1, 2), input(4)],
      f: (x, weight, bias) => w.conv1d(x!, weight!, bias, { stride: 2, padding: 1, dilation: 2, groups: 2 }),
    },
    two('conv1d', (x, weight) => w.conv1d(x, weight, undefined, { padding: 'same' }), input(1, 2, 5), input(1, 2, 4)),
    {
      operations: ['conv2d'],
      inputs: [input(1, 2, 3, 4), input(2, 2, 2, 3)],
      f: (x, weight) => w.conv2d(x!, weight!, undefined, { padding: 'same', dilation: [1, 2] }),
    },
  ],
  golden: {
    conv2d: (t, a) => w.conv2d(t.x!, t.weight!, t.bias, options(a)),
    conv_transpose2d: (t, a) =>
      w.convTranspose2d(t.x!, t.weight!, t.bias, { ...options(a), outputPadding: a.output_padding as Pair }),
  },
};
