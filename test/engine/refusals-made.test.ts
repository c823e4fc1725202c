// What constructors and functions that make something refuse: layers, optimisers, schedules, random streams, tensors from
// values. A class or a schedule without rows fails.
import t from 'tap';
import * as w from '../../engine/index.ts';
import { ConfigError, DTypeError, nn, ShapeError, UseAfterFreeError } from '../../engine/index.ts';
import { isClass } from '../../experiments/verification/operations/torch.ts';
import { checkRows as check, type Row } from './refusal.ts';

w.setDefaultDevice(await w.createDevice('reference'));

const sizes = (argument: string, least: number, make: (size: number) => unknown): Row[] =>
  [least - 1, least - 2, 1.5, NaN].map((size) => [argument, ShapeError, () => make(size)]);
const numbers = (argument: string, bad: readonly number[], make: (value: number) => unknown): Row[] =>
  [...bad, NaN, Infinity].map((value) => [argument, ConfigError, () => make(value)]);

const convolution = (Layer: typeof nn.Conv2d | typeof nn.ConvTranspose2d): Row[] => [
  ...sizes('inChannels', 1, (n) => new Layer(n, 4, 3)),
  ...sizes('outChannels', 1, (n) => new Layer(4, n, 3)),
  ...sizes('kernel', 1, (n) => new Layer(4, 4, n)),
  ...sizes('kernel', 1, (n) => new Layer(4, 4, [3, n])),
  ...sizes('stride', 1, (stride) => new Layer(4, 4, 3, { stride })),
  ...sizes('padding', 0, (padding) => new Layer(4, 4, 3, { padding })),
  ...sizes('dilation', 1, (dilation) => new Layer(4, 4, 3, { dilation })),
  ...sizes('groups', 1, (groups) => new Layer(4, 4, 3, { groups })),
  ['groups', ShapeError, () => new Layer(4, 6, 3, { groups: 4 })],
  ['groups', ShapeError, () => new Layer(6, 4, 3, { groups: 4 })],
];

const layersOfFace: Record<string, Row[]> = {
  Conv1d: [
    ...sizes('inChannels', 1, (n) => new nn.Conv1d(n, 4, 3)),
    ...sizes('kernel', 1, (n) => new nn.Conv1d(4, 4, n)),
    ...sizes('padding', 0, (padding) => new nn.Conv1d(4, 4, 3, { padding })),
    ['groups', ShapeError, () => new nn.Conv1d(4, 6, 3, { groups: 4 })],
  ],
  AvgPool2d: [
    ...sizes('kernel', 1, (n) => new nn.AvgPool2d(n)),
    ...sizes('stride', 1, (stride) => new nn.AvgPool2d(2, { stride })),
    ...sizes('padding', 0, (padding) => new nn.AvgPool2d(2, { padding })),
  ],
  AdaptiveAvgPool2d: sizes('outputSize', 1, (n) => new nn.AdaptiveAvgPool2d(n)),
  LayerNorm: [
    ...sizes('normalizedShape', 0, (n) => new nn.LayerNorm(n)),
    ...numbers('eps', [-1], (eps) => new nn.LayerNorm(4, { eps })),
  ],
  GroupNorm: [
    ...sizes('groups', 1, (n) => new nn.GroupNorm(n, 4)),
    ...sizes('channels', 1, (n) => new nn.GroupNorm(1, n)),
    ['groups', ShapeError, () => new nn.GroupNorm(3, 4)],
  ],
  InstanceNorm2d: sizes('channels', 1, (n) => new nn.InstanceNorm2d(n)),
  PReLU: [
    ...sizes('parameters', 1, (n) => new nn.PReLU(n)),
    ...numbers('init', [], (init) => new nn.PReLU(1, { init })),
  ],
  MultiHeadAttention: [
    ...sizes('embedDim', 1, (n) => new nn.MultiHeadAttention(n, 1)),
    ...sizes('numHeads', 1, (n) => new nn.MultiHeadAttention(4, n)),
    ['numHeads', ConfigError, () => new nn.MultiHeadAttention(4, 3)],
    ['query', ShapeError, () => new nn.MultiHeadAttention(4, 2).forward(w.zeros([2, 3, 5]))],
    ['key', ShapeError, () => new nn.MultiHeadAttention(4, 2).forward(w.zeros([2, 3, 4]), w.zeros([3, 4]))],
  ],
  Embedding: [
    ...sizes('numEmbeddings', 1, (n) => new nn.Embedding(n, 2)),
    ...sizes('embeddingDim', 0, (n) => new nn.Embedding(2, n)),
    ...numbers('paddingIdx', [-1, 2, 0.5], (paddingIdx) => new nn.Embedding(2, 3, { paddingIdx })),
  ],
  LeakyReLU: numbers('negativeSlope', [], (slope) => new nn.LeakyReLU(slope)),
  GELU: [['approximate', ConfigError, () => new nn.GELU('erf' as 'none')]],
  Dropout: numbers('p', [-0.1, 1.1], (p) => new nn.Dropout(p)),
  Dropout2d: numbers('p', [-0.1, 1.1], (p) => new nn.Dropout2d(p)),
};

const layers: Record<string, Row[]> = {
  Linear: [
    ...sizes('inFeatures', 0, (n) => new nn.Linear(n, 2)),
    ...sizes('outFeatures', 0, (n) => new nn.Linear(2, n)),
  ],
  Conv2d: convolution(nn.Conv2d),
  ConvTranspose2d: [
    ...convolution(nn.ConvTranspose2d),
    ...sizes('outputPadding', 0, (outputPadding) => new nn.ConvTranspose2d(4, 4, 3, { outputPadding })),
  ],
  BatchNorm2d: [
    ...sizes('channels', 1, (n) => new nn.BatchNorm2d(n)),
    ...numbers('momentum', [-0.1, 1.1], (momentum) => new nn.BatchNorm2d(4, { momentum })),
    ...numbers('eps', [-1], (eps) => new nn.BatchNorm2d(4, { eps })),
    ...numbers('correction', [-1, 0.5, 2], (correction) => new nn.BatchNorm2d(4, { correction })),
  ],
  MaxPool2d: [
    ...sizes('kernel', 1, (n) => new nn.MaxPool2d(n)),
    ...sizes('stride', 1, (stride) => new nn.MaxPool2d(2, { stride })),
    ...sizes('padding', 0, (padding) => new nn.MaxPool2d(2, { padding })),
    ...sizes('dilation', 1, (dilation) => new nn.MaxPool2d(2, { dilation })),
  ],
  ...layersOfFace,
};
for (const [name, rows] of Object.entries(layers)) check(name, rows);

/** Layers without numbers of their own, and what is no layer. */
const plainModules = new Set(
  (
    'Buffer Counter Module ModuleList ReLU Sequential Sigmoid Tanh SiLU Softmax Flatten Upsample MSELoss L1Loss HuberLoss ' +
    'SmoothL1Loss BCEWithLogitsLoss CrossEntropyLoss NLLLoss KLDivLoss'
  ).split(' '),
);

t.test('every layer has rows', (t) => {
  const classes = Object.entries(nn).flatMap(([name, value]) => (isClass(value) ? [name] : []));
  t.same(
    classes.filter((name) => !(name in layers) && !plainModules.has(name)),
    [],
  );
  t.end();
});

const some = (): w.Parameter[] => [w.parameter([1, 2], [2])];
const released = (): w.Parameter => {
  const parameter = w.parameter([1], [1]);
  parameter.dispose();
  return parameter;
};
type Make = (parameters: w.Parameter[], options: Record<string, unknown>) => unknown;

const common = (make: Make): Row[] => [
  ...numbers('lr', [-1], (lr) => make(some(), { lr })),
  ...numbers('weightDecay', [-1], (weightDecay) => make(some(), { lr: 1, weightDecay })),
  ['parameters', ConfigError, () => make([], { lr: 1 })],
  ['parameters[1]', DTypeError, () => make([...some(), w.zeros([2]) as w.Parameter], { lr: 1 })],
  ['parameters[1]', UseAfterFreeError, () => make([...some(), released()], { lr: 1 })],
];
const adam = (make: Make): Row[] => [
  ...common(make),
  ...numbers('beta1', [-0.1, 1], (beta) => make(some(), { betas: [beta, 0.9] })),
  ...numbers('beta2', [-0.1, 1], (beta) => make(some(), { betas: [0.9, beta] })),
  ...numbers('eps', [-1], (eps) => make(some(), { eps })),
];
const sgd: Make = (parameters, options) => new w.SGD(parameters, options as unknown as w.SgdOptions);
const rmsprop: Make = (parameters, options) => new w.RMSprop(parameters, options);

const optimizers: Record<string, Row[]> = {
  SGD: [
    ...common(sgd),
    ...numbers('momentum', [-1], (momentum) => sgd(some(), { lr: 1, momentum })),
    ...numbers('dampening', [-1, 1.1], (dampening) => sgd(some(), { lr: 1, dampening })),
    ['nesterov', ConfigError, () => sgd(some(), { lr: 1, nesterov: true })],
    ['nesterov', ConfigError, () => sgd(some(), { lr: 1, nesterov: true, momentum: 0.9, dampening: 0.5 })],
    ['lr', ConfigError, () => sgd(some(), {}) /* the one optimiser without a rate of its own */],
  ],
  Adam: adam((parameters, options) => new w.Adam(parameters, options)),
  AdamW: adam((parameters, options) => new w.AdamW(parameters, options)),
  RMSprop: [
    ...common(rmsprop),
    ...numbers('alpha', [-0.1, 1], (alpha) => rmsprop(some(), { alpha })),
    ...numbers('eps', [-1], (eps) => rmsprop(some(), { eps })),
    ...numbers('momentum', [-1], (momentum) => rmsprop(some(), { momentum })),
  ],
};
for (const [name, rows] of Object.entries(optimizers)) check(name, rows);

check('Sequential', [
  ['modules[0]', ConfigError, () => new nn.Sequential([new nn.ReLU()] as unknown as nn.ReLU)],
  ['modules[1]', ConfigError, () => new nn.Sequential(new nn.ReLU(), undefined as unknown as nn.ReLU)],
]);
check('ModuleList', [['modules', DTypeError, () => new nn.ModuleList(new nn.ReLU() as unknown as nn.ReLU[])]]);

check('step', [
  [
    'parameters',
    UseAfterFreeError,
    () => {
      const parameters = some();
      const optimizer = new w.SGD(parameters, { lr: 1 });
      parameters[0]!.dispose();
      optimizer.step();
    },
  ],
]);

const bad = [-1, NaN];
check('clipGradNorm', [
  ...bad.map((maxNorm): Row => ['maxNorm', ConfigError, () => w.clipGradNorm(some(), maxNorm)]),
  ...[...bad, 0].map((normType): Row => ['normType', ConfigError, () => w.clipGradNorm(some(), 1, { normType })]),
]);
check(
  'clipGradValue',
  bad.map((value): Row => ['clipValue', ConfigError, () => w.clipGradValue(some(), value)]),
);
const schedules: Record<string, Row[]> = {
  polynomialLR: [
    ...numbers('baseLr', [-1], (lr) => w.polynomialLR(lr, { totalIters: 3 })),
    ...numbers('totalIters', [0, -1, 1.5], (totalIters) => w.polynomialLR(1, { totalIters })),
    ...numbers('power', [-1], (power) => w.polynomialLR(1, { totalIters: 3, power })),
    ...numbers('t', [-1], (at) => w.polynomialLR(1, { totalIters: 3 })(at)),
  ],
  stepLR: [
    ...numbers('baseLr', [-1], (lr) => w.stepLR(lr, { stepSize: 3 })),
    ...numbers('stepSize', [0, -1, 1.5], (stepSize) => w.stepLR(1, { stepSize })),
    ...numbers('gamma', [-1], (gamma) => w.stepLR(1, { stepSize: 3, gamma })),
    ...numbers('t', [-1], (at) => w.stepLR(1, { stepSize: 3 })(at)),
  ],
  multiStepLR: [
    ...numbers('baseLr', [-1], (lr) => w.multiStepLR(lr, { milestones: [3] })),
    ...numbers('milestones[1]', [-1], (milestone) => w.multiStepLR(1, { milestones: [3, milestone] })),
    ...numbers('gamma', [-1], (gamma) => w.multiStepLR(1, { milestones: [3], gamma })),
    ...numbers('t', [-1], (at) => w.multiStepLR(1, { milestones: [3] })(at)),
  ],
  cosineLR: [
    ...numbers('baseLr', [-1], (lr) => w.cosineLR(lr, { tMax: 3 })),
    ...numbers('tMax', [0, -1, 1.5], (tMax) => w.cosineLR(1, { tMax })),
    ...numbers('etaMin', [-1], (etaMin) => w.cosineLR(1, { tMax: 3, etaMin })),
    ...numbers('t', [-1], (at) => w.cosineLR(1, { tMax: 3 })(at)),
  ],
  exponentialLR: [
    ...numbers('baseLr', [-1], (lr) => w.exponentialLR(lr, { gamma: 0.5 })),
    ...numbers('gamma', [-1], (gamma) => w.exponentialLR(1, { gamma })),
    ...numbers('t', [-1], (at) => w.exponentialLR(1, { gamma: 0.5 })(at)),
  ],
  linearLR: [
    ...numbers('baseLr', [-1], (lr) => w.linearLR(lr)),
    ...numbers('totalIters', [0, 1.5], (totalIters) => w.linearLR(1, { totalIters })),
    ...numbers('startFactor', [0, 1.5], (startFactor) => w.linearLR(1, { startFactor })),
    ...numbers('endFactor', [-1, 1.5], (endFactor) => w.linearLR(1, { endFactor })),
    ...numbers('t', [-1], (at) => w.linearLR(1)(at)),
  ],
  lambdaLR: [
    ...numbers('baseLr', [-1], (lr) => w.lambdaLR(lr, () => 1)),
    ...numbers('t', [-1], (at) => w.lambdaLR(1, () => 1)(at)),
  ],
  oneCycleLR: [
    ...numbers('maxLr', [-1], (maxLr) => w.oneCycleLR({ maxLr, totalSteps: 9 })),
    ...numbers('totalSteps', [0, 1.5], (totalSteps) => w.oneCycleLR({ maxLr: 1, totalSteps })),
    ...numbers('pctStart', [-0.1, 1.1], (pctStart) => w.oneCycleLR({ maxLr: 1, totalSteps: 9, pctStart })),
    ...numbers('divFactor', [0], (divFactor) => w.oneCycleLR({ maxLr: 1, totalSteps: 9, divFactor })),
    ...numbers('finalDivFactor', [0], (finalDivFactor) => w.oneCycleLR({ maxLr: 1, totalSteps: 9, finalDivFactor })),
    ...numbers('baseMomentum', [-1, 2], (baseMomentum) => w.oneCycleLR({ maxLr: 1, totalSteps: 9, baseMomentum })),
    ...numbers('maxMomentum', [-1, 2], (maxMomentum) => w.oneCycleLR({ maxLr: 1, totalSteps: 9, maxMomentum })),
    ['annealStrategy', ConfigError, () => w.oneCycleLR({ maxLr: 1, totalSteps: 9, annealStrategy: 'sine' as 'cos' })],
    ...numbers('t', [-1], (at) => w.oneCycleLR({ maxLr: 1, totalSteps: 9 })(at)),
  ],
};
const plateau = (options: w.PlateauOptions) => new w.ReduceLROnPlateau(sgd(some(), { lr: 1 }) as w.SGD, options);
schedules['ReduceLROnPlateau'] = [
  ...numbers('factor', [-1, 1], (factor) => plateau({ factor })),
  ...numbers('patience', [-1, 1.5], (patience) => plateau({ patience })),
  ...numbers('threshold', [-1], (threshold) => plateau({ threshold })),
  ...numbers('cooldown', [-1, 1.5], (cooldown) => plateau({ cooldown })),
  ...numbers('minLr', [-1], (minLr) => plateau({ minLr })),
  ...numbers('eps', [-1], (eps) => plateau({ eps })),
  ['mode', ConfigError, () => plateau({ mode: 'least' as 'min' })],
  ['thresholdMode', ConfigError, () => plateau({ thresholdMode: 'relative' as 'rel' })],
];
for (const [name, rows] of Object.entries(schedules)) check(name, rows);

t.test('every class and schedule of the engine has rows', (t) => {
  const others = new Set(['DynamicWeightAverage', 'Optimizer', 'Parameter', 'Profiler', 'Random', 'Tensor']); // above, or not made by hand
  const known = (name: string): boolean => name in optimizers || name in schedules || others.has(name);
  const names = Object.entries(w).flatMap(([name, value]) =>
    (isClass(value) && !name.endsWith('Error')) || name.endsWith('LR') ? [name] : [],
  );
  t.same(
    names.filter((name) => !known(name)),
    [],
  );
  t.end();
});

const stream = () => w.random(0, 'refusals');
const words = [-1, 1.5];
check('Random', [
  ...numbers('seed', words, (seed) => w.random(seed, 'refusals')),
  ...numbers('step', [...words, 2 ** 32], (step) => w.random(0, 'refusals', step)),
  ['purpose', ConfigError, () => w.random(0, 7 as unknown as string)],
]);
check(
  'integer',
  numbers('n', [0, 1.5, 2 ** 33], (n) => stream().integer(n)),
);
check(
  'permutation',
  numbers('n', words, (n) => stream().permutation(n)),
);
check(
  'uniformArray',
  numbers('n', words, (n) => stream().uniformArray(n)),
);
check(
  'normalArray',
  numbers('n', words, (n) => stream().normalArray(n)),
);
check(
  'skip',
  numbers('words', words, (n) => stream().skip(n)),
);
check(
  'manualSeed',
  numbers('value', words, (seed) => w.manualSeed(seed)),
);
check('uniformInit', [
  ...sizes('shape', 0, (n) => nn.uniformInit([2, n], 1)),
  ...numbers('bound', [-1], (bound) => nn.uniformInit([2], bound)),
]);
check('normalInit', [
  ...sizes('shape', 0, (n) => nn.normalInit([2, n], 1)),
  ...numbers('deviation', [-1], (deviation) => nn.normalInit([2], deviation)),
]);

const badType = 'float16' as w.DType;
check('tensor', [
  ...sizes('shape', 0, (n) => w.tensor([1, 2], [n])),
  ...sizes('shape', 0, (n) => w.tensor([[1], [2]], [2, n])),
  ['values', ShapeError, () => w.tensor([1, 2], [3])],
  ['values', ShapeError, () => w.tensor([[1, 2], [3]])],
  ['dtype', ConfigError, () => w.tensor([1], [1], { dtype: badType })],
]);
for (const [name, make] of Object.entries({ rand: w.rand, randn: w.randn })) {
  check(
    name,
    sizes('shape', 0, (n) => make([2, n])),
  );
}
check('arange', [
  ...numbers('end', [], (end) => w.arange(end)),
  ...numbers('step', [0, -1], (step) => w.arange(0, 3, step)),
  ['dtype', ConfigError, () => w.arange(3, { dtype: badType })],
]);
check('linspace', [
  ...sizes('steps', 0, (n) => w.linspace(0, 1, n)),
  ...numbers('start', [], (start) => w.linspace(start, 1, 3)),
  ...numbers('end', [], (end) => w.linspace(0, end, 3)),
]);
check('eye', [...sizes('rows', 0, (n) => w.eye(n)), ...sizes('columns', 0, (n) => w.eye(2, n))]);
check('full', [
  ...sizes('shape', 0, (n) => w.full([2, n], 1)),
  ['shape', ShapeError, () => w.full(2 as unknown as number[], 1)],
  ['dtype', ConfigError, () => w.full([2], 1, { dtype: badType })],
  ['value', DTypeError, () => w.full([2], 1.5, { dtype: 'int32' })],
  ['value', DTypeError, () => w.full([2], 'one' as unknown as number)],
]);
for (const [name, make] of Object.entries({ zeros: w.zeros, ones: w.ones })) {
  check(name, [...sizes('shape', 0, (n) => make([n])), ['dtype', ConfigError, () => make([1], { dtype: badType })]]);
}
check('parameter', [
  ...sizes('shape', 0, (n) => w.parameter([1, 2], [n])),
  ['values', ShapeError, () => w.parameter([1, 2], [3])],
]);
