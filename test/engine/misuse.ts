// Calls that are nearly right: the good call of each operation with something else in one place of it.
import fc from 'fast-check';
import * as w from '../../engine/index.ts';
import * as ops from '../../engine/ops/index.ts';
import { declaredSignatures, type Signature } from '../../engine/parameters.ts';
import { publicSignatures } from '../../engine/operation.ts';
import type { Arguments } from './refusal-rows.ts';
import { refusals } from './refusal-table.ts';

export type Call = (...args: unknown[]) => unknown;

/** A function that is to be called with arguments like these. */
export interface Callee {
  readonly name: string;
  readonly call: Call;
  readonly signature: Signature;
  readonly good: () => Arguments;
  /** How fast-check tells of it. */
  [fc.toStringMethod](): string;
}

const exported = { ...ops, ...w } as unknown as Readonly<Record<string, Call>>;

/** All operations with their good calls. */
export const operations: readonly Callee[] = Object.entries(refusals).map(([name, { good }]) => ({
  name,
  [fc.toStringMethod]: () => name,
  call: exported[name]!,
  signature: publicSignatures().get(name)!,
  good,
}));

const perceptron = (): w.Parameter[] => [w.parameter([1, 2], [2])];
const made = (
  name: string,
  Class: new (...args: never[]) => unknown,
  good: () => Arguments,
): [string, Call, () => Arguments] => [name, (...args) => new Class(...(args as never[])), good];
const device = (): w.Device => w.defaultDevice();

const others: readonly [name: string, call: Call, good: () => Arguments][] = [
  made('Linear', w.nn.Linear, () => [2, 3, { bias: false }]),
  made('MultiHeadAttention', w.nn.MultiHeadAttention, () => [4, 2, { bias: false }]),
  made('Embedding', w.nn.Embedding, () => [4, 2, { paddingIdx: 1 }]),
  made('Conv2d', w.nn.Conv2d, () => [2, 4, 3, { stride: 2, padding: [1, 0], groups: 2 }]),
  made('ConvTranspose2d', w.nn.ConvTranspose2d, () => [2, 4, 3, { stride: 2, outputPadding: 1 }]),
  made('BatchNorm2d', w.nn.BatchNorm2d, () => [2, { momentum: null, eps: 1e-3 }]),
  made('MaxPool2d', w.nn.MaxPool2d, () => [2, { stride: null, padding: 1 }]),
  made('ReLU', w.nn.ReLU, () => []),
  made('Sigmoid', w.nn.Sigmoid, () => []),
  made('Tanh', w.nn.Tanh, () => []),
  made('SiLU', w.nn.SiLU, () => []),
  made('GELU', w.nn.GELU, () => ['tanh']),
  made('LeakyReLU', w.nn.LeakyReLU, () => [0.1]),
  made('PReLU', w.nn.PReLU, () => [2, { init: 0.1 }]),
  made('Softmax', w.nn.Softmax, () => [1]),
  made('Flatten', w.nn.Flatten, () => [1]),
  made('Dropout', w.nn.Dropout, () => [0.3]),
  made('Dropout2d', w.nn.Dropout2d, () => [0.3]),
  made('Conv1d', w.nn.Conv1d, () => [2, 4, 3, { padding: 'same', groups: 2 }]),
  made('AvgPool2d', w.nn.AvgPool2d, () => [2, { countIncludePad: false }]),
  made('AdaptiveAvgPool2d', w.nn.AdaptiveAvgPool2d, () => [[2, 3]]),
  made('Upsample', w.nn.Upsample, () => [{ scaleFactor: 2, mode: 'nearest' }]),
  made('LayerNorm', w.nn.LayerNorm, () => [[2, 3], { eps: 1e-3 }]),
  made('GroupNorm', w.nn.GroupNorm, () => [2, 4, { affine: false }]),
  made('InstanceNorm2d', w.nn.InstanceNorm2d, () => [4, { affine: true }]),
  made('MSELoss', w.nn.MSELoss, () => [{ reduction: 'sum' }]),
  made('L1Loss', w.nn.L1Loss, () => [{ reduction: 'sum' }]),
  made('HuberLoss', w.nn.HuberLoss, () => [{ delta: 2 }]),
  made('SmoothL1Loss', w.nn.SmoothL1Loss, () => [{ beta: 2 }]),
  made('BCEWithLogitsLoss', w.nn.BCEWithLogitsLoss, () => [{ posWeight: w.ones([2]) }]),
  made('CrossEntropyLoss', w.nn.CrossEntropyLoss, () => [{ labelSmoothing: 0.1 }]),
  made('NLLLoss', w.nn.NLLLoss, () => [{ ignoreIndex: 1 }]),
  made('KLDivLoss', w.nn.KLDivLoss, () => [{ logTarget: true }]),
  made('SGD', w.SGD, () => [perceptron(), { lr: 0.1, momentum: 0.9, nesterov: true }]),
  made('Adam', w.Adam, () => [perceptron(), { lr: 0.1, betas: [0.8, 0.9], weightDecay: 0.1 }]),
  made('AdamW', w.AdamW, () => [perceptron(), { betas: [0.8, 0.9], amsgrad: true }]),
  made('RMSprop', w.RMSprop, () => [perceptron(), { alpha: 0.9, centered: true }]),
  made('DynamicWeightAverage', w.DynamicWeightAverage, () => [2, { temperature: 3, priors: [1, 2] }]),
  made('Random', w.Random, () => [1, 'misuse', 2]),
  ['polynomialLR', w.polynomialLR as Call, () => [1, { totalIters: 5, power: 2 }]],
  ['stepLR', w.stepLR as Call, () => [1, { stepSize: 3, gamma: 0.5 }]],
  ['multiStepLR', w.multiStepLR as Call, () => [1, { milestones: [3, 5], gamma: 0.5 }]],
  ['cosineLR', w.cosineLR as Call, () => [1, { tMax: 5, etaMin: 0.1 }]],
  ['exponentialLR', w.exponentialLR as Call, () => [1, { gamma: 0.5 }]],
  ['linearLR', w.linearLR as Call, () => [1, { totalIters: 5 }]],
  ['lambdaLR', w.lambdaLR as Call, () => [1, () => 1]],
  made('ReduceLROnPlateau', w.ReduceLROnPlateau, () => [new w.SGD(perceptron(), { lr: 1 }), { patience: 2 }]),
  ['oneCycleLR', w.oneCycleLR as Call, () => [{ maxLr: 1, totalSteps: 10, annealStrategy: 'cos' }]],
  ['clipGradNorm', w.clipGradNorm as Call, () => [perceptron(), 1, { normType: 2 }]],
  ['compile', w.compile as Call, () => [() => w.ones([1]), { programs: 2 }]],
  ['clipGradValue', w.clipGradValue as Call, () => [perceptron(), 1]],
  ['tensor', w.tensor as Call, () => [[1, 0], [2], { dtype: 'bool' }]],
  ['rand', w.rand as Call, () => [[2], { stream: w.random(1, 'misuse') }]],
  ['randn', w.randn as Call, () => [[2], { requiresGrad: true }]],
  ['arange', w.arange as Call, () => [0, 4, 2, { dtype: 'int32' }]],
  ['linspace', w.linspace as Call, () => [0, 1, 3, { requiresGrad: true }]],
  ['eye', w.eye as Call, () => [2, 3, { dtype: 'bool' }]],
  ['full', w.full as Call, () => [[2], 1, { dtype: 'int32' }]],
  ['zeros', w.zeros as Call, () => [[2], { requiresGrad: true }]],
  ['ones', w.ones as Call, () => [[2], { dtype: 'bool' }]],
  ['parameter', w.parameter as Call, () => [[1, 2], [2], device()]],
  ['manualSeed', w.manualSeed as Call, () => [3]],
  ['uniformInit', w.nn.uniformInit as Call, () => [[2, 3], 1]],
  ['normalInit', w.nn.normalInit as Call, () => [[2, 3], 1]],
  ['fanIn', w.nn.fanIn as Call, () => [[2, 3]]],
  ['fanOut', w.nn.fanOut as Call, () => [[2, 3]]],
  ['defaultWeight', w.nn.defaultWeight as Call, () => [[2, 3]]],
  ['glorotUniform', w.nn.glorotUniform as Call, () => [[2, 3]]],
  ['heNormal', w.nn.heNormal as Call, () => [[2, 3]]],
  ['kaimingNormal', w.nn.kaimingNormal as Call, () => [[2, 3]]],
  ['trackTensors', w.trackTensors as Call, () => [false]],
  ['largestHolders', w.largestHolders as Call, () => [3]],
  ['noGrad', w.noGrad as Call, () => [() => 1]],
  ['region', w.region as Call, () => ['misuse', () => 1]],
  ['grad', w.grad as Call, () => gradArguments()],
  [
    'backward',
    ((...args: []) => w.sum(w.ones([2], { requiresGrad: true })).backward(...args)) as Call,
    () => [{ retainGraph: true }],
  ],
  ['requireGrad', ((...args: []) => w.ones([2]).requireGrad(...args)) as Call, () => [false]],
  ['registerHook', ((...args: [() => void]) => w.ones([2]).registerHook(...args)) as Call, () => [() => undefined]],
  ['train', ((...args: []) => new w.nn.ReLU().train(...args)) as Call, () => [false]],
  [
    'loadStateDict',
    ((...args: [w.StateDict]) => new w.nn.ReLU().loadStateDict(...args)) as Call,
    () => [new Map(), { strict: false }],
  ],
  ['writeStateDict', w.writeStateDict as Call, () => [new Map(), { format: 'pt' }]],
  ['writeSafetensors', w.writeSafetensors as Call, () => [{ tensors: new Map(), metadata: {} }]],
  ['toStateDict', w.toStateDict as Call, () => [new Map(), 'a file']],
  ['readStateDict', w.readStateDict as Call, () => [w.writeStateDict(new Map()), 'a file']],
  ['readSafetensors', w.readSafetensors as Call, () => [w.writeStateDict(new Map()), 'a file']],
];

function gradArguments(): Arguments {
  const x = w.ones([2], { requiresGrad: true });
  return [w.sum(x), [x], { createGraph: true }];
}

/** Functions and constructors that are no operations, with their good calls. Those that wait reject instead. */
export const host: readonly Callee[] = others.map(([name, call, good]) => ({
  name,
  [fc.toStringMethod]: () => name,
  call,
  good,
  signature: declaredSignatures().get(name)!,
}));

/** Those whose good call would work on files, a new device or other functions: their options alone are tried. */
export const withOptionsOnly: readonly string[] = [
  'createDevice',
  'defineComposite',
  'defineOperation',
  'saveCheckpoint',
  'loadCheckpoint',
  'detectAnomaly',
  'gradcheck',
  'gradgradcheck',
  'Profiler',
  'profiled',
  'tensorFromBuffer',
];

/** The place of the options among the arguments, and their names. */
export function optionsOf(signature: Signature): { place: number; names: string[] } | undefined {
  const parameters = Object.values(signature);
  const place = parameters.findIndex((parameter) => 'options' in parameter);
  const found = parameters[place];
  return found && 'options' in found ? { place, names: Object.keys(found.options) } : undefined;
}

/** What the call throws, at once or later; undefined if nothing. */
export async function thrownBy(call: Call, args: Arguments): Promise<unknown> {
  try {
    await call(...args);
    return undefined;
  } catch (error) {
    return error;
  }
}
