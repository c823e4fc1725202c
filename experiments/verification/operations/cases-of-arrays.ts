// Gradient cases of scans, sorts, norms, contractions, sampling and losses of distributions.
import * as w from '../../../engine/index.ts';
import { constant, distinct, type GradientCase, input, type InputSpec, one, positive, two } from './case.ts';

export const scans: GradientCase[] = [
  one('cumsum', (x) => w.cumsum(x, 1), input(2, 4, 2)),
  { operations: ['cumprod', 'recurrence'], inputs: [input(2, 4, 2)], f: (x) => w.cumprod(x!, 1) },
  one('cumprod', (x) => w.cumprod(x, 0), { shape: [4], values: [1.5, 0, -0.5, 2] }),
  one('prod', (x) => w.prod(x, [0, 2]), input(2, 3, 2)),
  { operations: ['sort'], inputs: [distinct(3, 4)], f: (x) => w.sort(x!, 0, { descending: true }).values },
  { operations: ['topk'], inputs: [distinct(3, 4)], f: (x) => w.topk(x!, 2, 1, { largest: false }).values },
  one('norm', (x) => w.norm(x, 1), input(2, 3)),
  one('norm', (x) => w.norm(x, [0, 2], { p: 3, keepdim: true }), input(2, 2, 3)),
  one('norm', (x) => w.norm(x, 1, { p: -1.5 }), positive(2, 3)),
  one('norm', (x) => w.norm(x, 0, { p: Infinity }), distinct(3, 2)),
];

export const contractions: GradientCase[] = [
  {
    operations: ['einsum'],
    inputs: [input(2, 3, 4), input(4, 2, 2), input(3)],
    f: (a, b, c) => w.einsum('bik,kbj,i->jb', [a!, b!, c!]),
  },
  one('einsum', (x) => w.einsum('ii...->...i', [x]), input(3, 3, 2)),
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
];

/** Places between pixels, within the image and outside. */
const places: InputSpec = { shape: [1, 2, 2, 2], values: [-0.3, 0.2, 0.55, -0.71, 0.13, 0.43, -1.2, 1.37] };

export const sampled: GradientCase[] = [
  two('gridSample', (x, grid) => w.gridSample(x, grid), input(1, 2, 3, 4), places),
  two(
    'gridSample',
    (x, grid) => w.gridSample(x, grid, { paddingMode: 'reflection', alignCorners: true }),
    input(1, 1, 3, 4),
    places,
  ),
  two('gridSample', (x, grid) => w.gridSample(x, grid, { paddingMode: 'border' }), input(1, 1, 3, 4), places),
  two('prelu', w.prelu, input(2, 3, 2), input(3)),
  two('prelu', w.prelu, input(4), input(1)),
];

export const distributions: GradientCase[] = [
  two('klDivLoss', (x, y) => w.klDivLoss(x, y, { reduction: 'batchmean' }), input(2, 3), positive(2, 3)),
  two('klDivLoss', (x, y) => w.klDivLoss(x, y, { logTarget: true }), input(2, 3), input(2, 3)),
  {
    operations: ['logSoftmax'],
    inputs: [input(2, 3, 2), positive(2, 3, 2), constant([0.7, 1.1, 0.4])],
    f: (x, target, weight) => w.crossEntropy(x!, target!, { weight, labelSmoothing: 0.1 }),
  },
];
