// What sorts, scans, norms, contractions, sampling and losses of distributions take and refuse.
import { alongAxis, badAxes, config, f, image, overAxes, type Refusals, shape } from './refusal-rows.ts';

const scan = (): Refusals => ({ good: alongAxis().good, rows: badAxes((axis) => [f(2, 3), axis]) });
const counts = [-1, 4, 0.5, NaN].flatMap((k) => shape('k', () => [f(2, 3), k, 1]));

/** By the name of the exported function. */
export const ofFace: Readonly<Record<string, Refusals>> = {
  cumsum: scan(),
  cumprod: scan(),
  prod: overAxes(),
  norm: {
    good: overAxes().good,
    rows: [...overAxes().rows, ...config('p', () => [f(2, 3), 1, { p: NaN }])],
  },
  sort: { good: () => [f(2, 3), 1, { descending: true }], rows: badAxes((axis) => [f(2, 3), axis]) },
  topk: {
    good: () => [f(2, 3), 2, 1],
    rows: [...counts, ...badAxes((axis) => [f(2, 3), 1, axis])],
  },
  einsum: {
    good: () => ['ij,jk->ik', [f(2, 3), f(3, 2)]],
    rows: [
      ...config(
        'equation',
        () => ['ij->ij->ij', [f(2, 3)]],
        () => ['i1->i', [f(2, 3)]],
        () => ['ij,jk', [f(2, 3)]],
        () => ['ij->ik', [f(2, 3)]],
        () => ['ij->ii', [f(2, 3)]],
        () => ['i.j->i', [f(2, 3, 4)]],
      ),
      ...config('tensors', () => ['', []]),
      ...shape(
        'tensors[0]',
        () => ['ijk->i', [f(2, 3)]],
        () => ['i->i', [f(2, 3)]],
        () => ['ijk...->i', [f(2, 3)]],
        () => ['ii->i', [f(2, 3)]],
      ),
      ...shape('tensors[1]', () => ['ij,jk->ik', [f(2, 3), f(2, 3)]]),
    ],
  },
  conv1d: {
    good: () => [f(1, 4, 6), f(2, 4, 3), f(2)],
    rows: [
      ...shape('x', () => [f(4, 6), f(2, 4, 3)]),
      ...shape('weight', () => [f(1, 4, 6), f(2, 4)]),
      ...[0, 1.5, NaN].flatMap((stride) => shape('stride', () => [f(1, 4, 6), f(2, 4, 3), undefined, { stride }])),
      ...[-1, 0.5].flatMap((padding) => shape('padding', () => [f(1, 4, 6), f(2, 4, 3), undefined, { padding }])),
      ...shape('padding', () => [f(1, 4, 6), f(2, 4, 3), undefined, { padding: 'valid' }]),
      ...[0, 1.5].flatMap((dilation) => shape('dilation', () => [f(1, 4, 6), f(2, 4, 3), undefined, { dilation }])),
      ...[0, 1.5].flatMap((groups) => shape('groups', () => [f(1, 4, 6), f(2, 4, 3), undefined, { groups }])),
    ],
  },
  gridSample: {
    good: () => [image(), f(1, 2, 3, 2)],
    rows: [
      ...shape(
        'x',
        () => [f(4, 5, 6), f(1, 2, 3, 2)],
        () => [f(1, 4, 0, 6), f(1, 2, 3, 2)],
      ),
      ...shape(
        'grid',
        () => [image(), f(1, 2, 3, 3)],
        () => [image(), f(2, 2, 3, 2)],
        () => [image(), f(2, 3, 2)],
      ),
      ...config('mode', () => [image(), f(1, 2, 3, 2), { mode: 'bicubic' }]),
      ...config('paddingMode', () => [image(), f(1, 2, 3, 2), { paddingMode: 'mirror' }]),
    ],
  },
  scaledDotProductAttention: {
    good: () => [f(2, 3, 4), f(2, 5, 4), f(2, 5, 6), { attnMask: f(3, 5), isCausal: true, scale: 0.5, chunk: 2 }],
    rows: [
      ...shape('q', () => [f(4), f(5, 4), f(5, 6)]),
      ...shape(
        'k',
        () => [f(2, 3, 4), f(2, 5, 3), f(2, 5, 6)],
        () => [f(2, 3, 4), f(5, 4), f(2, 5, 6)],
      ),
      ...shape(
        'v',
        () => [f(2, 3, 4), f(2, 5, 4), f(2, 4, 6)],
        () => [f(2, 3, 4), f(2, 5, 4), f(6)],
      ),
      ...shape(
        'attnMask',
        () => [f(2, 3, 4), f(2, 5, 4), f(2, 5, 6), { attnMask: f(3, 4) }],
        () => [f(2, 3, 4), f(2, 5, 4), f(2, 5, 6), { attnMask: f(1, 1, 3, 5) }],
      ),
      ...[NaN, Infinity].flatMap((scale) => config('scale', () => [f(3, 4), f(5, 4), f(5, 6), { scale }])),
      ...[0, 1.5].flatMap((chunk) => config('chunk', () => [f(3, 4), f(5, 4), f(5, 6), { chunk }])),
    ],
  },
  prelu: {
    good: () => [f(2, 3, 4), f(3)],
    rows: shape(
      'weight',
      () => [f(2, 3, 4), f(4)],
      () => [f(2, 3, 4), f(3, 1)],
      () => [f(3), f(3)],
    ),
  },
  instanceNorm: {
    good: () => [f(2, 3, 4), { weight: f(3), bias: f(3), eps: 1e-3 }],
    rows: [
      ...shape(
        'x',
        () => [f(3)],
        () => [f(2, 3, 1)],
      ),
      ...shape('weight', () => [f(2, 3, 4), { weight: f(4) }]),
      ...shape('bias', () => [f(2, 3, 4), { bias: f(4) }]),
      ...config('eps', () => [f(2, 3, 4), { eps: -1 }]),
    ],
  },
  klDivLoss: {
    good: () => [f(2, 3), f(2, 3), { reduction: 'batchmean', logTarget: true }],
    rows: [
      ...shape('target', () => [f(2, 3), f(3)]),
      ...config('reduction', () => [f(2, 3), f(2, 3), { reduction: 'median' }]),
    ],
  },
};
