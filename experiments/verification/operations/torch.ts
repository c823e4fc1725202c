// The public names beside those of PyTorch: docs/torch.md. What is there is read from the engine; only other names, and why
// something is not there, are written down here.
import * as w from '../../../engine/index.ts';

/** Where a thing of PyTorch has another name here. */
const renamed: Readonly<Record<string, string>> = {
  'torch.index_select': 'indexSelect',
  'torch.logsumexp': 'logSumExp',
  'torch.scatter_add': 'scatterAdd',
  'torch.var': 'variance',
  'torch.no_grad': 'noGrad',
  'torch.manual_seed': 'manualSeed',
  'torch.autograd.grad': 'grad',
  'torch.autograd.gradcheck': 'gradcheck',
  'torch.func.functional_call': 'nn.functionalCall',
  'torch.nn.functional.binary_cross_entropy_with_logits': 'bceWithLogits',
  'torch.nn.functional.grid_sample': 'gridSample',
  'torch.nn.functional.kl_div': 'klDivLoss',
  'torch.nn.MultiheadAttention': 'nn.MultiHeadAttention',
  'torch.nn.utils.clip_grad_norm_': 'clipGradNorm',
  'torch.nn.utils.clip_grad_value_': 'clipGradValue',
  'torch.optim.lr_scheduler.CosineAnnealingLR': 'cosineLR',
  'torch.optim.lr_scheduler.ExponentialLR': 'exponentialLR',
  'torch.optim.lr_scheduler.LambdaLR': 'lambdaLR',
  'torch.optim.lr_scheduler.LinearLR': 'linearLR',
  'torch.optim.lr_scheduler.MultiStepLR': 'multiStepLR',
  'torch.optim.lr_scheduler.OneCycleLR': 'oneCycleLR',
  'torch.optim.lr_scheduler.PolynomialLR': 'polynomialLR',
  'torch.optim.lr_scheduler.StepLR': 'stepLR',
};

const absent: Readonly<Record<string, string>> = {
  'torch.Tensor.add_ and other in-place methods': 'tensors are values; only optimisers replace parameters',
  'torch.Tensor.view, stride, contiguous': 'every tensor is contiguous: reshape is free, permute and slice copy',
  'torch.float16, bfloat16, int64': 'the kernels compute in float32, with int32 indices',
  'torch.complex64, torch.fft': 'no network here needs them',
  'torch.nn.LSTM': 'no network here needs it',
  'torch.nn.functional.conv3d': 'the networks are of images; conv1d and conv2d are there',
  'torch.linalg.svd, eig, solve': 'no kernels for decompositions',
  'torch.utils.data.DataLoader': "data is the runner's, in experiments",
};

const words = (name: string): string => name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Names of PyTorch that are those of the engine, in camel case where they are functions. */
const same: Readonly<Record<string, readonly string[]>> = {
  'torch.': (
    'abs arange clamp argmax argmin bmm cat ceil concat cos cumprod cumsum einsum erf erfc exp eye flip floor full gather linspace ' +
    'log log1p matmul maximum minimum mul narrow neg norm ones permute pow prod rand randn reciprocal relu reshape round rsqrt ' +
    'scatter sigmoid sign sin sort split sqrt square squeeze stack sub sum tanh tensor topk transpose unsqueeze where zeros ' +
    'add amax amin div eq flatten ge gt le lt max mean min ne onesLike zerosLike'
  ).split(' '),
  'torch.nn.functional.': (
    'adaptiveAvgPool2d adaptiveMaxPool2d avgPool2d batchNorm conv1d conv2d convTranspose2d crossEntropy dropout dropout2d elu ' +
    'gelu groupNorm huberLoss instanceNorm interpolate l1Loss layerNorm leakyRelu linear logSoftmax maxPool2d maxUnpool2d ' +
    'mseLoss nllLoss pad pixelShuffle prelu scaledDotProductAttention silu smoothL1Loss softmax softplus'
  ).split(' '),
};

export const isClass = (value: unknown): value is new (...args: unknown[]) => unknown =>
  typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
const classes = (from: object): string[] =>
  Object.entries(from).flatMap(([name, value]) => (isClass(value) ? [name] : []));

const ownClasses = new Set(['Buffer', 'Counter', 'MultiHeadAttention']);
const optimizers = ['Adam', 'AdamW', 'RMSprop', 'SGD'];

interface Row {
  readonly torch: string;
  readonly here: string;
}

/** Everything that PyTorch has under the same name, in its spelling. */
export function sameNames(): Row[] {
  const functions = Object.entries(same).flatMap(([prefix, names]) =>
    names.map((name) => ({ torch: prefix + words(name), here: name })),
  );
  const layers = classes(w.nn).flatMap((name) =>
    ownClasses.has(name) ? [] : [{ torch: `torch.nn.${name}`, here: `nn.${name}` }],
  );
  const others = optimizers.map((name) => ({ torch: `torch.optim.${name}`, here: name }));
  const plateau = { torch: 'torch.optim.lr_scheduler.ReduceLROnPlateau', here: 'ReduceLROnPlateau' };
  return [...functions, ...layers, ...others, plateau].sort((a, b) => (a.torch < b.torch ? -1 : 1));
}

export const otherNames = (): Row[] => Object.entries(renamed).map(([torch, here]) => ({ torch, here }));

/** Operations that PyTorch does not have. */
export function ownNames(): string[] {
  const known = new Set([...sameNames(), ...otherNames()].map(({ here }) => here));
  const face = w as unknown as Readonly<Record<string, unknown>>;
  return w
    .registry()
    .flatMap(({ name, family }) => (face[name] && family !== 'custom' && !known.has(name) ? [name] : []))
    .sort();
}

/** The document. */
export function torchTable(): string {
  const table = (rows: readonly (readonly [string, string])[], head: readonly [string, string]): string[] =>
    [head, ['---', '---'] as const, ...rows].map(([a, b]) => `| ${a} | ${b} |`);
  const named = (rows: readonly Row[]) => rows.map(({ torch, here }) => [`\`${torch}\``, `\`${here}\``] as const);
  return [
    '# Beside PyTorch',
    '',
    'Made from the public names of the engine by `wgrad ops --torch`; not written by hand. Functions are in camel case, and options',
    'go by name in an object behind the other arguments.',
    '',
    '## The same name',
    '',
    ...table(named(sameNames()), ['PyTorch', 'wgrad']),
    '',
    '## Another name',
    '',
    ...table(named(otherNames()), ['PyTorch', 'wgrad']),
    '',
    '## Absent, and why',
    '',
    ...table(Object.entries(absent), ['PyTorch', 'why']),
    '',
    '## Operations of its own',
    '',
    ownNames()
      .map((name) => `\`${name}\``)
      .join(', '),
    '',
  ].join('\n');
}
