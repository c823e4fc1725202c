// A case or more of every operation: small shapes that divide nothing, values away from kinks. Gradcheck runs them, the device
// tests compare them with float64, and the table of operations is made by watching them. Those without a gradient come last.
import * as w from '../../../engine/index.ts';
import { addScaled, leakyReluGrad, logRatio, reluGrad, sigmoidGrad, tanhGrad } from '../../../engine/ops/binary.ts';
import { sumTo } from '../../../engine/ops/expand.ts';
import { powScalar } from '../../../engine/ops/unary.ts';
import { constant, distinct, flags, type GradientCase, indices, input, one, positive, two } from './case.ts';
import { distributions, contractions, sampled, scans } from './cases-of-arrays.ts';
import type { InputSpec } from './case.ts';

export type { GradientCase, InputSpec };

/** An overlapping and a disjoint pair with a box moved by `shift`. */
const constantBoxes = (shift: number): InputSpec => ({
  shape: [2, 4],
  values: [
    0.1 + shift,
    0.2 + shift / 2,
    1.1 + shift,
    1.4 + shift,
    2 + 3 * shift,
    0.5 + shift,
    2.7 + 3 * shift,
    1.1 - shift,
  ],
});

const elementwise: GradientCase[] = [
  one('neg', w.neg),
  one('exp', w.exp),
  one('log', w.log, positive(2, 3)),
  one('sqrt', w.sqrt, positive(2, 3)),
  one('rsqrt', w.rsqrt, positive(2, 3)),
  one('abs', w.abs),
  one('sign', w.sign),
  one('relu', w.relu),
  { operations: ['sigmoid', 'activationBackward'], inputs: [input(2, 3)], f: (x) => w.sigmoid(x!) },
  one('silu', w.silu),
  one('tanh', w.tanh),
  one('reciprocal', w.reciprocal, positive(2, 3)),
  one('square', w.square),
  one('sin', w.sin),
  one('cos', w.cos),
  one('erf', w.erf),
  one('erfc', w.erfc),
  one('log1p', w.log1p, positive(2, 3)),
  one('floor', w.floor),
  one('ceil', w.ceil),
  one('round', w.round),
  one('affine', (x) => w.affine(x, -1.5, 0.25)),
  one('leakyRelu', (x) => w.leakyRelu(x, 0.2)),
  { operations: ['elu', 'step'], inputs: [input(2, 3)], f: (x) => w.elu(x!, 1.3) },
  one('gelu', (x) => w.gelu(x)),
  one('geluTanh', (x) => w.gelu(x, 'tanh')),
  one('softplus', (x) => w.softplus(x, 1.5)),
  { operations: ['clamp', 'inside'], inputs: [input(2, 3)], f: (x) => w.clamp(x!, { min: -0.5, max: 0.7 }) },
  one('powScalar', (x) => powScalar(x, 2.5), positive(2, 3)),
  two('add', w.add),
  two('sub', w.sub, input(2, 1), input(2, 3)),
  two('mul', w.mul),
  two('div', w.div, input(2, 3), positive(2, 1)),
  two('maximum', w.maximum, distinct(2, 3), input(2, 1)),
  two('minimum', w.minimum, distinct(2, 3), input(2, 1)),
  two('pow', w.pow, positive(2, 3), input(3)),
  two('reluGrad', reluGrad, input(2, 3), input(2, 3)),
  two('leakyReluGrad', (a, b) => leakyReluGrad(a, b, 0.1), input(2, 3), input(2, 3)),
  two('sigmoidGrad', sigmoidGrad, input(2, 3), input(2, 3)),
  two('tanhGrad', tanhGrad, input(2, 3), input(2, 3)),
  two('logRatio', logRatio, positive(2, 3), positive(2, 3)),
  two('addScaled', (a, b) => addScaled(a, b, 0.7)),
  {
    operations: ['where'],
    inputs: [flags([2, 3], [1, 0, 1, 0, 0, 1]), input(2, 3), input(3)],
    f: (c, a, b) => w.where(c!, a!, b!),
  },
];

const reductions: GradientCase[] = [
  one('sum', (x) => w.sum(x, [0, 2]), input(2, 3, 2)),
  one('mean', (x) => w.mean(x, [-1], { keepdim: true }), input(2, 3)),
  one('amax', (x) => w.amax(x, [0, 2]), distinct(2, 3, 2)),
  one('amin', (x) => w.amin(x, 1), distinct(2, 3)),
  { operations: ['max'], inputs: [distinct(3, 4)], f: (x) => w.max(x!, 1).values },
  { operations: ['min'], inputs: [distinct(3, 4)], f: (x) => w.min(x!, 0, { keepdim: true }).values },
  one('variance', (x) => w.variance(x, [0], { correction: 1 }), input(4, 2)),
  one('logSumExp', (x) => w.logSumExp(x, [0, 2]), input(2, 3, 2)),
  { operations: ['softmax', 'softmaxBackward'], inputs: [input(2, 4)], f: (x) => w.softmax(x!, 1) },
  one('logSoftmax', (x) => w.logSoftmax(x, 1), input(2, 3, 2)),
];

const layout: GradientCase[] = [
  one('expand', (x) => w.expand(x, [2, 3, 4]), input(3, 1)),
  one('sumTo', (x) => sumTo(x, [3, 1]), input(2, 3, 4)),
  one('reshape', (x) => w.reshape(x, [3, -1])),
  one('flatten', (x) => w.flatten(x, 1), input(2, 3, 2)),
  one('squeeze', (x) => w.squeeze(x, 1), input(2, 1, 3)),
  one('unsqueeze', (x) => w.unsqueeze(x, -1)),
  one('transpose', (x) => w.transpose(x, 0, -1), input(2, 3, 2)),
  one('narrow', (x) => w.narrow(x, 1, 1, 2), input(2, 4)),
  one('permute', (x) => w.permute(x, [2, 0, 1]), input(2, 3, 2)),
  one('flip', (x) => w.flip(x, [0, 2]), input(2, 3, 2)),
  one('slice', (x) => w.slice(x, [null, [1, null, 2]]), input(2, 5)),
  one('embed', (x) => w.pad(x, [1, 2, 0, 1], 'constant', 0.5), input(2, 2)),
  one('pad', (x) => w.pad(x, [2, 1, 1, 1], 'reflect'), input(1, 3, 4)),
  one('pad', (x) => w.pad(x, [2, 1, -1, 1], 'constant'), input(3, 4)),
  two('cat', (a, b) => w.cat([a, b], 1), input(2, 3), input(2, 1)),
  two('stack', (a, b) => w.stack([a, b], -1), input(2, 3), input(2, 3)),
  { operations: ['split'], inputs: [input(2, 5)], f: (x) => w.split(x!, [2, 3], 1) },
  one('pixelShuffle', (x) => w.pixelShuffle(x, 2), input(1, 4, 2, 1)),
  {
    operations: ['gather', 'scatterAdd'],
    inputs: [input(3, 2), indices([2, 2], [0, 2, 0, 1])],
    f: (x, index) => w.gather(x!, 0, index!),
  },
  {
    operations: ['indexSelect'],
    inputs: [input(3, 2), indices([4], [2, 0, 2, 1])],
    f: (x, index) => w.indexSelect(x!, 0, index!),
  },
  {
    operations: ['scatter'],
    inputs: [input(2, 3), indices([2, 3], [4, 0, 2, 1, 3, 0])],
    f: (g, index) => w.scatter(g!, 1, index!, 5),
  },
  {
    operations: ['scatterAdd'],
    inputs: [input(2, 3), indices([2, 3], [4, 0, 4, 1, 1, 1])],
    f: (g, index) => w.scatterAdd(g!, 1, index!, 5),
  },
];

const products: GradientCase[] = [
  two('matmul', (a, b) => w.matmul(a, b), input(2, 3, 4), input(4, 2)),
  two('matmul', (a, b) => w.matmul(a, b, { transposeA: true, transposeB: true }), input(4, 3), input(2, 2, 4)),
  two('bmm', (a, b) => w.bmm(a, b, { transposeB: true }), input(2, 3, 2), input(2, 1, 2)),
  {
    operations: ['linear'],
    inputs: [input(2, 2, 3), input(4, 3), input(4)],
    f: (x, weight, bias) => w.linear(x!, weight!, bias),
  },
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
    f: (x, weight, bias) => w.convTranspose2d(x!, weight!, bias, { stride: 2, padding: [0, 1], outputPadding: [1, 0] }),
  },
];

const images: GradientCase[] = [
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
  { operations: ['pyramidPool2d'], inputs: [input(1, 2, 5, 4)], f: (x) => w.pyramidPool2d(x!, [1, 3, 2]) },
  {
    operations: ['pyramidPool2d', 'pyramidPool2dBackward'],
    inputs: [input(2, 1, 5, 7)],
    f: (x) => {
      const pooled = w.pyramidPool2d(x!, [3, 1, 2], { rule: 'fixedKernel' });
      const used = [pooled[0]!, pooled[2]!];
      return w.grad(used, [x!], { createGraph: true, gradOutputs: used.map((y) => w.square(y)) })[0]!;
    },
  },
  { operations: ['adaptiveMaxPool2d'], inputs: [distinct(1, 2, 4, 3)], f: (x) => w.adaptiveMaxPool2d(x!, 2) },
  {
    operations: ['maxUnpool2d'],
    inputs: [input(1, 1, 2, 2), indices([1, 1, 2, 2], [0, 3, 9, 14])],
    f: (x, index) => w.maxUnpool2d(x!, index!, [4, 4]),
  },
  one(
    'interpolate',
    (x) => w.interpolate(x, { mode: 'bilinear', size: [5, 4], alignCorners: false }),
    input(1, 2, 3, 3),
  ),
  one(
    'interpolate',
    (x) => w.interpolate(x, { mode: 'bilinear', size: [2, 5], alignCorners: true }),
    input(1, 1, 3, 3),
  ),
  one('interpolate', (x) => w.interpolate(x, { mode: 'nearest', size: [5, 2] }), input(1, 1, 3, 3)),
  one(
    'interpolateBackward',
    (x) => {
      const y = w.interpolate(x, { mode: 'bilinear', size: [3, 5], alignCorners: false });
      return w.grad(y, [x], { createGraph: true, gradOutputs: [w.square(y)] })[0]!;
    },
    input(1, 1, 2, 3),
  ),
];

const normalization: GradientCase[] = [
  {
    operations: ['batchNorm', 'batchNormBackward'],
    inputs: [input(3, 2, 2), input(2), input(2)],
    f: (x, weight, bias) => w.batchNorm(x!, { weight, bias, training: true }),
  },
  {
    operations: ['batchNormInference'],
    inputs: [input(2, 2, 2), input(2), input(2), constant([0.3, -0.2]), constant([0.8, 1.4])],
    f: (x, weight, bias, mean, spread) => w.batchNorm(x!, { weight, bias, runningMean: mean, runningVar: spread }),
  },
  {
    operations: ['layerNorm'],
    inputs: [input(2, 3, 2), input(3, 2), input(3, 2)],
    f: (x, weight, bias) => w.layerNorm(x!, [3, 2], { weight, bias }),
  },
  {
    operations: ['groupNorm'],
    inputs: [input(2, 4, 3), input(4), input(4)],
    f: (x, weight, bias) => w.groupNorm(x!, 2, { weight, bias }),
  },
  {
    operations: ['instanceNorm'],
    inputs: [input(2, 2, 3), input(2), input(2)],
    f: (x, weight, bias) => w.instanceNorm(x!, { weight, bias }),
  },
];

const losses: GradientCase[] = [
  two('mseLoss', (x, y) => w.mseLoss(x, y), input(2, 3), input(2, 3)),
  two('l1Loss', (x, y) => w.l1Loss(x, y, { reduction: 'none' }), input(2, 3), input(2, 3)),
  two('huberLoss', (x, y) => w.huberLoss(x, y, { delta: 0.6 }), input(2, 3), input(2, 3)),
  two('smoothL1Loss', (x, y) => w.smoothL1Loss(x, y, { beta: 0.7 }), input(2, 3), input(2, 3)),
  {
    operations: ['bceWithLogits', 'binaryCrossEntropy', 'binaryCrossEntropySlope'],
    inputs: [input(2, 3), input(2, 3), positive(3), positive(3)],
    f: (x, y, weight, posWeight) => w.bceWithLogits(x!, y!, { weight, posWeight }),
  },
  {
    operations: ['nllLoss'],
    inputs: [input(4, 3), indices([4], [0, 2, 1, 2]), constant([0.7, 1.1, 0.4])],
    f: (x, target, weight) => w.nllLoss(x!, target!, { weight, ignoreIndex: 1 }),
  },
  {
    operations: ['crossEntropy', 'crossEntropyBackward'],
    inputs: [input(2, 3, 2), indices([2, 2], [0, 2, 1, -100]), constant([0.7, 1.1, 0.4])],
    f: (x, target, weight) => w.crossEntropy(x!, target!, { weight, labelSmoothing: 0.1 }),
  },
  {
    operations: ['crossEntropy'],
    inputs: [input(3, 4), indices([3], [1, 2, 0])],
    f: (x, target) => w.crossEntropy(x!, target!, { reduction: 'none', ignoreIndex: 2, labelSmoothing: 0.2 }),
  },
  {
    operations: ['crossEntropy'],
    inputs: [input(1, 3, 2, 3), indices([1, 2, 3], [0, 2, 1, 1, 0, 2]), constant([0.7, 1.1, 0.4])],
    f: (x, target, weight) => w.crossEntropy(x!, target!, { weight, reduction: 'sum' }),
  },
];

const dense: GradientCase[] = [
  {
    operations: ['maskedMse'],
    inputs: [input(2, 3), input(2, 3), flags([2, 3], [1, 0, 0, 1, 1, 0])],
    f: (x, target, mask) => w.maskedMse(x!, target!, mask!),
  },
  {
    operations: ['maskedCrossEntropy'],
    inputs: [input(1, 3, 2, 2), indices([1, 2, 2], [0, 2, 1, 1]), flags([1, 2, 2], [1, 0, 1, 1])],
    f: (x, target, mask) => w.maskedCrossEntropy(x!, target!, mask!),
  },
  {
    operations: ['silog'],
    inputs: [positive(2, 3), positive(2, 3), flags([2, 3], [1, 0, 1, 1, 1, 0])],
    f: (x, target, mask) => w.silog(x!, target!, { lambda: 0.85, sqrt: true, scale: 10, mask }),
  },
  { operations: ['imageGradients'], inputs: [input(1, 2, 3, 4)], f: (x) => Object.values(w.imageGradients(x!)) },
  two('imageGradientLoss', w.imageGradientLoss, input(1, 2, 3, 3), input(1, 2, 3, 3)),
  two('ssim', (x, y) => w.ssim(x, y, { filterSize: 3 }), positive(2, 1, 4, 4), positive(2, 1, 4, 4)),
  {
    operations: ['ssimMap', 'ssimMapBackward'],
    inputs: [positive(1, 2, 5, 4), positive(1, 2, 5, 4)],
    f: (x, y) => w.ssimMap(x!, y!, { filterSize: [4, 3] }),
  },
  two(
    'ssimMap',
    (x, y) => w.ssimMap(x, y, { filterSize: [5, 3], padding: 'same', window: 'uniform', maxValue: 10 }),
    positive(1, 1, 3, 4),
    positive(1, 1, 3, 4),
  ),
  two('ssimLoss', (x, y) => w.ssimLoss(x, y, { filterSize: 3 }), positive(1, 2, 3, 4), positive(1, 2, 3, 4)),
  two('diouLoss', (x, y) => w.diouLoss(x, y), constantBoxes(0), constantBoxes(0.3)),
  two('giouLoss', (x, y) => w.giouLoss(x, y, { reduction: 'none' }), constantBoxes(0), constantBoxes(0.3)),
  {
    operations: ['uncertaintyWeighting'],
    inputs: [positive(2), input(2)],
    f: (l, s) => Object.values(w.uncertaintyWeighting(l!, s!, ['regression', 'classification'])),
  },
  one('dropout', (x) => w.dropout(x, { p: 0.4, training: true, stream: w.random(1, 'dropout') }), input(3, 4)),
  one('dropout2d', (x) => w.dropout2d(x, { p: 0.4, training: true, stream: w.random(2, 'dropout') }), input(2, 3, 2)),
];

const withoutGradient: GradientCase[] = [
  two('eq', w.eq),
  two('ne', w.ne),
  two('lt', w.lt),
  two('le', w.le),
  two('gt', w.gt),
  two('ge', w.ge),
  one('argmax', (x) => w.argmax(x, 1)),
  one('argmin', (x) => w.argmin(x)),
  one('cast', (x) => w.cast(x, 'int32')),
  { operations: ['relabel'], inputs: [flags([2, 2], [1, 0, 0, 1])], f: (x) => w.cast(x!, 'int32') },
];

export const cases: readonly GradientCase[] = [
  ...elementwise,
  ...reductions,
  ...scans,
  ...layout,
  ...products,
  ...contractions,
  ...sampled,
  ...images,
  ...normalization,
  ...losses,
  ...distributions,
  ...dense,
  ...withoutGradient,
];
