// What operations on tensors of any shape take and refuse: elementwise, layout, indexing, reductions and products.
import { alongAxis, b, badAxes, config, dtype, f, i, overAxes, type Refusals, shape } from './refusal-rows.ts';

const one = (): Refusals => ({ good: () => [f(2, 3)], rows: [] });
const constant = (argument: string, good: number, ...bad: number[]): Refusals => ({
  good: () => [f(2, 3), good],
  rows: [...bad, NaN, Infinity].flatMap((value) => config(argument, () => [f(2, 3), value])),
});
/** Two operands that broadcast. */
const two = (): Refusals => ({
  good: () => [f(2, 3), f(3)],
  rows: shape('b', () => [f(2, 3), f(2)]),
});
const operator = (): Refusals => ({
  good: () => [f(2, 3), f(3)],
  rows: [...shape('b', () => [f(2, 3), f(2)]), ...dtype('a', () => [1, 2])],
});

const scattered = (): Refusals => ({
  good: () => [f(2, 3), 1, i(2, 3), 5],
  rows: [
    ...badAxes((axis) => [f(2, 3), axis, i(2, 3), 5]),
    ...shape('index', () => [f(2, 3), 1, i(3), 5]),
    ...[-1, 0.5, NaN].flatMap((size) => shape('size', () => [f(2, 3), 1, i(2, 3), size])),
  ],
});
const elementwise: Record<string, Refusals> = {
  ...Object.fromEntries(
    'neg exp log sqrt rsqrt abs sign relu sigmoid silu tanh reciprocal square sin cos erf erfc log1p floor ceil round zerosLike onesLike'
      .split(' ')
      .map((name) => [name, one()]),
  ),
  affine: { good: () => [f(2, 3), 2, 1], rows: [] },
  leakyRelu: constant('negativeSlope', 0.1),
  elu: constant('alpha', 1),
  powScalar: { good: () => [f(2, 3), 2], rows: [] },
  softplus: constant('beta', 1, 0, -1),
  gelu: { good: () => [f(2, 3), 'tanh'], rows: config('approximate', () => [f(2, 3), 'erf']) },
  clamp: {
    good: () => [f(2, 3), { min: 0 }],
    rows: [...config('min', () => [f(2, 3), { min: NaN }]), ...config('max', () => [f(2, 3), { max: '1' }])],
  },
  cast: { good: () => [f(2, 3), 'float32'], rows: config('dtype', () => [f(2, 3), 'float16']) },
  ...Object.fromEntries(
    'add sub mul div maximum minimum pow eq ne lt le gt ge'.split(' ').map((name) => [name, operator()]),
  ),
  ...Object.fromEntries(
    'reluGrad leakyReluGrad sigmoidGrad tanhGrad logRatio addScaled'.split(' ').map((name) => [name, two()]),
  ),
  where: {
    good: () => [b(2, 3), f(3), f(2, 1)],
    rows: [
      ...shape('b', () => [b(2, 3), f(2, 3), f(2)]),
      ...shape('condition', () => [b(2), f(2, 3), f(3)]),
      ...dtype('b', () => [b(3), f(3), i(3)]),
    ],
  },
};

const layout: Record<string, Refusals> = {
  expand: {
    good: () => [f(3, 1), [3, 1]],
    rows: shape(
      'shape',
      () => [f(3, 1), [3]],
      () => [f(3, 1), [2, 4]],
      () => [f(3, 1), [3, -2]],
      () => [f(3, 1), [3, 1.5]],
      () => [f(3, 1), [-1, 3, 1]],
    ),
  },
  sumTo: {
    good: () => [f(2, 3), [2, 3]],
    rows: shape(
      'shape',
      () => [f(2, 3), [2]],
      () => [f(2, 3), [1, 2, 3]],
      () => [f(2, 3), [-1, 3]],
    ),
  },
  reshape: {
    good: () => [f(2, 3), [2, 3]],
    rows: shape(
      'shape',
      () => [f(2, 3), [7]],
      () => [f(2, 3), [-1, -1]],
      () => [f(2, 3), [-6, -1]],
      () => [f(2, 3), [4, -1]],
      () => [f(2, 3), [1.5, 4]],
      () => [f(2, 3), 6],
    ),
  },
  flatten: {
    good: () => [f(2, 3), 1],
    rows: shape(
      'start',
      () => [f(2, 3), 2],
      () => [f(2, 3), 0.5],
    ),
  },
  unsqueeze: {
    good: () => [f(2, 3), 2],
    rows: shape(
      'axis',
      () => [f(2, 3), 3],
      () => [f(2, 3), -4],
      () => [f(2, 3), 0.5],
    ),
  },
  squeeze: {
    good: () => [f(2, 1), 1],
    rows: [...badAxes((axis) => [f(2, 1), axis]), ...shape('axis', () => [f(2, 1), 0])],
  },
  permute: {
    good: () => [f(2, 3), [0, 1]],
    rows: shape(
      'axes',
      () => [f(2, 3), [0]],
      () => [f(2, 3), [0, 0]],
      () => [f(2, 3), [0, 2]],
      () => [f(2, 3), [0, 0.5]],
    ),
  },
  transpose: {
    good: () => [f(2, 3), 0, 0],
    rows: [...shape('axis0', () => [f(2, 3), 2, 0]), ...shape('axis1', () => [f(2, 3), 0, -3])],
  },
  flip: { good: () => [f(2, 3), [0]], rows: overAxes().rows },
  slice: {
    good: () => [f(2, 3), []],
    rows: shape(
      'slices',
      () => [f(2, 3), [null, null, null]],
      () => [f(2, 3), [[0, 2, 0]]],
      () => [f(2, 3), [[0, 2, -1]]],
      () => [f(2, 3), [[0.5]]],
    ),
  },
  narrow: {
    good: () => [f(2, 3), 1, 0, 3],
    rows: [
      ...badAxes((axis) => [f(2, 3), axis, 0, 1]),
      ...shape(
        'start',
        () => [f(2, 3), 1, -1, 1],
        () => [f(2, 3), 1, 0.5, 1],
      ),
      ...shape(
        'length',
        () => [f(2, 3), 1, 0, -1],
        () => [f(2, 3), 1, 0, 1.5],
        () => [f(2, 3), 1, 2, 2],
      ),
    ],
  },
  pad: {
    good: () => [f(2, 3), [1, 1]],
    rows: [
      ...shape(
        'padding',
        () => [f(2, 3), [1]],
        () => [f(2, 3), [0, 0, 0, 0, 1, 1]],
        () => [f(2, 3), [1.5, 0]],
        () => [f(2, 3), [-2, -2]],
        () => [f(2, 3), [3, 0], 'reflect'],
        () => [f(2, 3), [-1, 0], 'replicate'],
      ),
      ...config('mode', () => [f(2, 3), [1, 1], 'circular']),
    ],
  },
  cat: {
    good: () => [[f(2, 3), f(2, 1)], 1],
    rows: [
      ...badAxes((axis) => [[f(2, 3)], axis]),
      ...config('tensors', () => [[]]),
      ...shape(
        'tensors[1]',
        () => [[f(2, 3), f(3, 2)], 1],
        () => [[f(2, 3), f(2)], 0],
      ),
      ...dtype('tensors[1]', () => [[f(2, 3), i(2, 3)], 0]),
    ],
  },
  stack: {
    good: () => [[f(2, 3), f(2, 3)], 2],
    rows: [
      ...shape(
        'axis',
        () => [[f(2, 3)], 3],
        () => [[f(2, 3)], 0.5],
      ),
      ...config('tensors', () => [[]]),
      ...shape('tensors[1]', () => [[f(2, 3), f(3, 2)], 0]),
    ],
  },
  split: {
    good: () => [f(2, 3), [1, 2], 1],
    rows: [
      ...badAxes((axis) => [f(2, 3), [2], axis]),
      ...shape(
        'sizes',
        () => [f(2, 3), [1, 1], 1],
        () => [f(2, 3), [-1, 4], 1],
        () => [f(2, 3), [1.5, 1.5], 1],
      ),
    ],
  },
  pixelShuffle: {
    good: () => [f(1, 4, 2, 2), 2],
    rows: [
      ...shape(
        'x',
        () => [f(4, 2, 2), 2],
        () => [f(1, 6, 2, 2), 2],
      ),
      ...[0, -1, 1.5, NaN].flatMap((factor) => shape('factor', () => [f(1, 4, 2, 2), factor])),
    ],
  },
  gather: {
    good: () => [f(2, 3), 1, i(2, 5)],
    rows: [
      ...badAxes((axis) => [f(2, 3), axis, i(2, 5)]),
      ...shape(
        'index',
        () => [f(2, 3), 1, i(5)],
        () => [f(2, 3), 1, i(3, 5)],
      ),
    ],
  },
  scatter: scattered(),
  scatterAdd: scattered(),
  indexSelect: {
    good: () => [f(2, 3), 1, i(5)],
    rows: [...badAxes((axis) => [f(2, 3), axis, i(5)]), ...shape('index', () => [f(2, 3), 1, i(1, 5)])],
  },
};

const reductions: Record<string, Refusals> = {
  ...Object.fromEntries('sum mean variance logSumExp'.split(' ').map((name) => [name, overAxes()])),
  ...Object.fromEntries(
    ['amax', 'amin'].map((name) => [
      name,
      {
        good: () => [f(0, 3), [1]],
        rows: [
          ...overAxes().rows,
          ...shape(
            'x',
            () => [f(0, 3), [0]],
            () => [f(2, 0)],
          ),
        ],
      },
    ]),
  ),
  ...Object.fromEntries('argmax argmin max min'.split(' ').map((name) => [name, alongAxis()])),
  ...Object.fromEntries(
    ['softmax', 'logSoftmax'].map((name) => [
      name,
      {
        good: () => [f(2, 3), 1],
        rows: [...badAxes((axis) => [f(2, 3), axis]), ...shape('x', () => [f(), 0])],
      },
    ]),
  ),
};

const algebra: Record<string, Refusals> = {
  matmul: {
    good: () => [f(2, 3, 4), f(4, 2)],
    rows: [
      ...shape('a', () => [f(), f(2)]),
      ...shape(
        'b',
        () => [f(2, 3), f()],
        () => [f(2, 3), f(4, 2)],
        () => [f(2, 3, 4), f(3, 4, 5)],
      ),
    ],
  },
  bmm: {
    good: () => [f(2, 3, 4), f(2, 4, 5)],
    rows: [
      ...shape('a', () => [f(3, 4), f(2, 4, 5)]),
      ...shape(
        'b',
        () => [f(2, 3, 4), f(4, 5)],
        () => [f(2, 3, 4), f(3, 4, 5)],
        () => [f(2, 3, 4), f(2, 3, 5)],
      ),
    ],
  },
  linear: {
    good: () => [f(2, 3), f(4, 3), f(4)],
    rows: [
      ...shape('x', () => [f(), f(4, 3)]),
      ...shape(
        'weight',
        () => [f(2, 3), f(3, 4)],
        () => [f(2, 3), f(3)],
      ),
      ...shape('bias', () => [f(2, 3), f(4, 3), f(3)]),
    ],
  },
};

export const ofTensors: Readonly<Record<string, Refusals>> = { ...elementwise, ...layout, ...reductions, ...algebra };
