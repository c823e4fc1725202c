// What operations on images take and refuse: convolution, pooling, resizing, normalisation, dropout and losses.
import type * as w from '../../engine/index.ts';
import {
  b,
  badSizes,
  config,
  f,
  i,
  image,
  type Arguments,
  type Refusal,
  type Refusals,
  shape,
} from './refusal-rows.ts';

const convolution = (weight: () => w.Tensor, channels: number): Refusals => {
  const withOption = (name: string) => (size: unknown) => [image(), weight(), undefined, { [name]: size }];
  return {
    good: () => [image(), weight(), f(channels), { stride: 2, padding: [1, 0] }],
    rows: [
      ...shape('x', () => [f(4, 5, 6), weight()]),
      ...shape(
        'weight',
        () => [image(), f(4, 4, 3)],
        () => [image(), f(5, 3, 2, 2)],
        () => [image(), f(4, 4, 0, 2)],
        () => [image(), weight(), undefined, { groups: 3 }],
      ),
      ...shape(
        'bias',
        () => [image(), weight(), f(channels + 1)],
        () => [image(), weight(), f(1, channels)],
      ),
      ...badSizes('stride', 1, withOption('stride')),
      ...badSizes('padding', 0, withOption('padding')),
      ...badSizes('dilation', 1, withOption('dilation')),
      ...[0, -1, 1.5].flatMap((groups) => shape('groups', () => [image(), weight(), undefined, { groups }])),
    ],
  };
};

const pool = (): Refusals => ({
  good: () => [image(), 2, { stride: 1, padding: 1 }],
  rows: [
    ...shape('x', () => [f(5, 6), 2]),
    ...badSizes('kernel', 1, (kernel) => [image(), kernel]),
    ...shape('kernel', () => [image(), 7]),
    ...badSizes('stride', 1, (stride) => [image(), 2, { stride }]),
    ...badSizes('padding', 0, (padding) => [image(), 4, { padding }]),
    ...shape('padding', () => [image(), 2, { padding: 2 }]),
  ],
});
const adaptivePool = (): Refusals => ({
  good: () => [image(), [2, 3]],
  rows: [
    ...shape(
      'x',
      () => [f(5, 6), 2],
      () => [f(1, 2, 0, 3), 2],
    ),
    ...badSizes('outputSize', 1, (size) => [image(), size]),
  ],
});

const reduction = config('reduction', () => [f(2, 4), f(2, 4), { reduction: 'median' }]);
const sameShapes = shape('target', () => [f(2, 4), f(4)]);
const loss = (...rows: Refusal[]): Refusals => ({
  good: () => [f(2, 4), f(2, 4)],
  rows: [...sameShapes, ...reduction, ...rows],
});
const classified = (...rows: Refusal[]): Refusals => ({
  good: () => [f(2, 3, 4), i(2, 4), { weight: f(3) }],
  rows: [
    ...shape('x', () => [f(3), i(3)]),
    ...shape(
      'target',
      () => [f(2, 3, 4), i(2, 3)],
      () => [f(2, 3), i(2, 1)],
    ),
    ...shape('weight', () => [f(2, 3, 4), i(2, 4), { weight: f(4) }]),
    ...config('reduction', () => [f(2, 3), i(2), { reduction: 'median' }]),
    ...rows,
  ],
});
const images = (...rows: Refusal[]): Refusals => ({
  good: () => [image(), image()],
  rows: [
    ...shape(
      'x',
      () => [f(5, 6), f(5, 6)],
      () => [f(1, 1, 0, 3), f(1, 1, 0, 3)],
    ),
    ...shape('target', () => [image(), f(1, 4, 6, 5)]),
    ...rows,
  ],
});
const ssim = (): Refusals => {
  const { good, rows } = images(
    ...[0, -1, 2.5, NaN].flatMap((filterSize) => config('filterSize', () => [image(), image(), { filterSize }])),
    ...shape('filterSize', () => [image(), image(), { filterSize: 6 }]),
    ...config('sigma', () => [image(), image(), { filterSize: 3, sigma: 0 }]),
    ...config('maxValue', () => [image(), image(), { filterSize: 3, maxValue: -1 }]),
    ...config('window', () => [image(), image(), { filterSize: 3, window: 'round' }]),
    ...config('padding', () => [image(), image(), { filterSize: 3, padding: 1 }]),
    ...config('filterSize', () => [image(), image(), { filterSize: 4, padding: 'same' }]),
    ...config('k1', () => [image(), image(), { filterSize: 3, k1: -1 }]),
    ...config('k2', () => [image(), image(), { filterSize: 3, k2: NaN }]),
  );
  return { good: () => [...good(), { filterSize: 3 }], rows };
};
const boxes = (...rows: Refusal[]): Refusals => ({
  good: () => [f(2, 4), f(2, 4)],
  rows: [
    ...sameShapes,
    ...reduction,
    ...shape(
      'x',
      () => [f(4), f(4)],
      () => [f(2, 3), f(2, 3)],
    ),
    ...config('eps', () => [f(2, 4), f(2, 4), { eps: -1 }]),
    ...rows,
  ],
});
const dropped = (...rows: Refusal[]): Refusals => ({
  good: () => [f(2, 3), { p: 0.4 }],
  rows: [
    ...[-0.1, 1.1, NaN].flatMap((p) => config('p', () => [f(2, 3), { p }])),
    ...config('stream', () => [f(2, 3), { training: true }]),
    ...rows,
  ],
});

const convolve = convolution(() => f(6, 4, 3, 2), 6);
const transposed = convolution(() => f(4, 6, 3, 2), 6);
const imageOperations: Record<string, Refusals> = {
  conv2d: { ...convolve, rows: [...convolve.rows, ...shape('weight', () => [image(), f(6, 4, 6, 2)])] },
  convTranspose2d: {
    ...transposed,
    rows: [
      ...transposed.rows,
      ...badSizes('outputPadding', 0, (outputPadding) => [image(), f(4, 6, 3, 2), undefined, { outputPadding }]),
      ...shape('outputPadding', () => [image(), f(4, 6, 3, 2), undefined, { stride: 2, outputPadding: 2 }]),
      ...shape('padding', () => [image(), f(4, 6, 3, 2), undefined, { padding: 4 }]),
    ],
  },
  maxPool2d: {
    ...pool(),
    rows: [...pool().rows, ...badSizes('dilation', 1, (dilation) => [image(), 2, { dilation }])],
  },
  avgPool2d: pool(),
  adaptiveAvgPool2d: adaptivePool(),
  adaptiveMaxPool2d: adaptivePool(),
  pyramidPool2d: {
    good: () => [image(), [1, 2], { rule: 'fixedKernel' }],
    rows: [
      ...shape(
        'x',
        () => [f(5, 6), [1]],
        () => [f(1, 2, 0, 3), [1]],
      ),
      ...config(
        'bins',
        () => [image(), []],
        () => [image(), 3],
        () => [image(), [1, 2, 3, 4, 5, 6, 7, 8]],
      ),
      ...[0, 1.5, -1].flatMap((bin) => shape('bins', () => [image(), [1, bin]])),
      ...shape('bins', () => [image(), [1, 6], { rule: 'fixedKernel' }]),
      ...config('rule', () => [image(), [1], { rule: 'nearest' }]),
    ],
  },
  maxUnpool2d: {
    good: () => [f(1, 1, 2, 2), i(1, 1, 2, 2), [4, 4]],
    rows: [
      ...shape('x', () => [f(2, 2), i(2, 2), [4, 4]]),
      ...shape('indices', () => [f(1, 1, 2, 2), i(1, 1, 2, 1), [4, 4]]),
      ...badSizes('outputSize', 1, (size) => [f(1, 1, 2, 2), i(1, 1, 2, 2), size]),
    ],
  },
  interpolate: {
    good: () => [image(), { size: 3 }],
    rows: [
      ...shape(
        'x',
        () => [f(5, 6), { size: 3 }],
        () => [f(1, 1, 0, 3), { size: 3 }],
      ),
      ...badSizes('size', 1, (size) => [image(), { size }]),
      ...config(
        'size',
        () => [image(), {}],
        () => [image(), { size: 3, scaleFactor: 2 }],
      ),
      ...config(
        'scaleFactor',
        () => [image(), { scaleFactor: 0 }],
        () => [image(), { scaleFactor: [2, NaN] }],
      ),
      ...shape('scaleFactor', () => [image(), { scaleFactor: 0.01 }]),
      ...config('mode', () => [image(), { size: 3, mode: 'bicubic' }]),
    ],
  },
};

const channelValues = ['weight', 'bias', 'runningMean', 'runningVar'];
const statistics = () => ({ runningMean: f(4), runningVar: f(4) });
const affineRows = (call: (options: object) => Arguments): Refusal[] => [
  ...['weight', 'bias'].flatMap((name) => shape(name, () => call({ [name]: f(3) }))),
  ...config('eps', () => call({ eps: -1 })),
];
const normalization: Record<string, Refusals> = {
  batchNorm: {
    good: () => [image(), { weight: f(4), bias: f(4), ...statistics() }],
    rows: [
      ...shape(
        'x',
        () => [f(4), statistics()],
        () => [f(1, 4), { training: true }],
      ),
      ...channelValues.flatMap((name) => shape(name, () => [image(), { ...statistics(), [name]: f(3) }])),
      ...config('runningMean', () => [image(), {}]),
      ...config('runningVar', () => [image(), { runningMean: f(4) }]),
      ...config('eps', () => [image(), { ...statistics(), eps: -1 }]),
      ...config('momentum', () => [image(), { ...statistics(), momentum: 1.5 }]),
      ...config('correction', () => [image(), { ...statistics(), correction: 2 }]),
    ],
  },
  batchStatistics: { good: () => [image()], rows: shape('x', () => [f(4)]) },
  layerNorm: {
    good: () => [f(2, 4), [4], { weight: f(4), bias: f(4) }],
    rows: [
      ...shape(
        'normalizedShape',
        () => [f(2, 4), [2]],
        () => [f(2, 4), []],
        () => [f(2, 4), [-4]],
        () => [f(2, 4), [1, 2, 4]],
      ),
      ...affineRows((options) => [f(2, 4), [4], options]),
    ],
  },
  groupNorm: {
    good: () => [image(), 2, { weight: f(4), bias: f(4) }],
    rows: [
      ...shape('x', () => [f(4), 2]),
      ...[0, -1, 1.5, 3].flatMap((groups) => shape('groups', () => [image(), groups])),
      ...affineRows((options) => [image(), 2, options]),
    ],
  },
  dropout: dropped(),
  dropout2d: dropped(...shape('x', () => [f(3)])),
};

const losses: Record<string, Refusals> = {
  mseLoss: loss(),
  l1Loss: loss(),
  huberLoss: loss(...config('delta', () => [f(2, 4), f(2, 4), { delta: 0 }])),
  smoothL1Loss: loss(...config('beta', () => [f(2, 4), f(2, 4), { beta: -1 }])),
  bceWithLogits: {
    good: () => [f(2, 4), f(2, 4), { weight: f(4), posWeight: f(4) }],
    rows: [
      ...sameShapes,
      ...reduction,
      ...['weight', 'posWeight'].flatMap((name) => shape(name, () => [f(2, 4), f(2, 4), { [name]: f(3) }])),
    ],
  },
  nllLoss: classified(),
  crossEntropy: classified(
    ...[-0.1, 1.1].flatMap((labelSmoothing) => config('labelSmoothing', () => [f(2, 3), i(2), { labelSmoothing }])),
    ...[0.5, NaN, 2 ** 31].flatMap((ignoreIndex) => config('ignoreIndex', () => [f(2, 3), i(2), { ignoreIndex }])),
    ...shape('x', () => [f(2, 0), i(2)]),
  ),
  maskedMse: {
    good: () => [f(2, 4), f(2, 4), b(2, 4)],
    rows: [...shape('target', () => [f(2, 4), f(4), b(2, 4)]), ...shape('mask', () => [f(2, 4), f(2, 4), b(4)])],
  },
  maskedCrossEntropy: {
    good: () => [f(2, 3, 4), i(2, 4), b(2, 4)],
    rows: [
      ...shape('x', () => [f(3), i(3), b(3)]),
      ...shape('target', () => [f(2, 3, 4), i(2, 3), b(2, 4)]),
      ...shape('mask', () => [f(2, 3, 4), i(2, 4), b(4)]),
    ],
  },
  silog: {
    good: () => [f(2, 4), f(2, 4), { mask: b(2, 4) }],
    rows: [
      ...sameShapes,
      ...shape('mask', () => [f(2, 4), f(2, 4), { mask: b(4) }]),
      ...config('lambda', () => [f(2, 4), f(2, 4), { lambda: NaN }]),
      ...config('scale', () => [f(2, 4), f(2, 4), { scale: Infinity }]),
    ],
  },
  imageGradients: {
    good: () => [image()],
    rows: shape(
      'x',
      () => [f(5, 6)],
      () => [f(1, 1, 0, 3)],
    ),
  },
  imageGradientLoss: images(),
  ssim: ssim(),
  ssimLoss: ssim(),
  ssimMap: ssim(),
  diouLoss: boxes(...config('centerDistance', () => [f(2, 4), f(2, 4), { centerDistance: 'manhattan' }])),
  giouLoss: boxes(),
  uncertaintyWeighting: {
    good: () => [f(2), f(2), ['regression', 'classification']],
    rows: [
      ...shape('losses', () => [f(2, 1), f(2), ['regression', 'classification']]),
      ...shape('s', () => [f(2), f(3), ['regression', 'classification']]),
      ...shape('kinds', () => [f(2), f(2), ['regression']]),
      ...config('kinds[1]', () => [f(2), f(2), ['regression', 'ranking']]),
      ...config('variant', () => [f(1), f(1), ['regression'], 'exp(s)']),
    ],
  },
};

export const ofImages: Readonly<Record<string, Refusals>> = { ...imageOperations, ...normalization, ...losses };
