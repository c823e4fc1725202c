// Normalisation with fused kernels: batch norm per channel; layer and group norm are the same over other lines of numbers.
//   y = (x - mean) / sqrt(variance + eps) * weight + bias
import {
  batchNormApply,
  batchNormBackward,
  batchNormInference,
  type BatchNormParams,
  batchNormStatistics,
  fill,
  runningAverage,
} from '../../kernels/index.ts';
import { isRecomputing } from '../recomputation.ts';
import { full } from '../creation.ts';
import { countWithin, numberWithin, oneOf, wholeNumber } from '../checks.ts';
import { ConfigError, ShapeError, showShape } from '../errors.ts';
import { defineComposite, defineFunction, defineOperation } from '../operation.ts';
import { checkShape, sameShape, type Shape, sizeOf } from '../shape.ts';
import { flag, float, number, optionsWith, shape, size, text } from '../signature.ts';
import { noGrad } from '../grad-mode.ts';
import type { Read } from '../saved.ts';
import type { Gradients } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, maximum, mul, reluGrad, sub } from './binary.ts';
import { amax, mean, sum, variance } from './reduction.ts';
import { reshape } from './reshape.ts';
import { abs, affine, rsqrt, square } from './unary.ts';

const family = 'normalization';
const imageShape = (p: BatchNormParams): Shape => [p.batch, p.channels, p.spatial];
const perChannel = (x: Tensor): Tensor => reshape(x, [1, x.size, 1]);
const overImages = [0, 2];

/** What of y an operation keeps that ends with a relu: it tells which gradients come through. */
const savesResult = (ofRelu: boolean): readonly Read[] => (ofRelu ? [{ index: 0, for: [0, 1, 2] }] : []);

/** By batch statistics: (x, weight, bias) -> y, and mean, inverse deviation and variance of each channel (off the tape). */
const defineTraining = (name: string, ofRelu: boolean) =>
  defineOperation<BatchNormParams>({
    name,
    family,
    infer: (_, p) => [
      { shape: imageShape(p), dtype: 'float32' },
      { shape: [p.channels], dtype: 'float32' },
      { shape: [p.channels], dtype: 'float32' },
      { shape: [p.channels], dtype: 'float32' },
    ],
    forward([x, weight, bias], [y, average, inverse, spread], p) {
      if (x!.size === 0) return;
      const { device } = x!;
      device.launch(batchNormStatistics, [x!.storage], [average!.storage, spread!.storage, inverse!.storage], p);
      const inputs = [x!, average!, inverse!, weight!, bias!].map((t) => t.storage);
      device.launch(batchNormApply, inputs, [y!.storage], p);
    },
    saves: {
      inputs: [
        { index: 0, for: [0, 1] },
        { index: 1, for: [0] },
      ],
      outputs: [...savesResult(ofRelu), { index: 1, for: [0, 1] }, { index: 2, for: [0, 1] }],
    },
    vjp({ gradients, inputs: [x, weight], outputs: [y, average, inverse], needs, attrs, createGraph }): Gradients {
      const g = gradients[0]!;
      const ofX = needs[0] || needs[1];
      if (ofX && !createGraph) {
        // The gradients of weight and bias do not read the weight, for which the kernel then takes any value per channel.
        const [gx, gw, gb] = backwardOp([x, g, average, inverse, weight ?? average, ...(ofRelu ? [y] : [])], attrs);
        return [gx, gw, gb];
      }
      const through = ofRelu ? reluGrad(g, y!) : g;
      return ofX ? composedGradients(x!, through, weight, attrs) : [undefined, undefined, sum(through, overImages)];
    },
  });

const trainingOp = defineTraining('batchNorm', false);
const trainingReluOp = defineTraining('batchNormRelu', true);

const backwardOp = defineOperation<BatchNormParams>({
  name: 'batchNormBackward',
  family,
  noGradient: 'gradients of gradients of batchNorm are made of other operations',
  infer: (_, p) => [
    { shape: imageShape(p), dtype: 'float32' },
    { shape: [p.channels], dtype: 'float32' },
    { shape: [p.channels], dtype: 'float32' },
  ],
  forward(inputs, outputs, p) {
    const storages = outputs.map((t) => t.storage);
    if (inputs[0]!.size === 0) {
      // No image, no gradient; no channel, nothing to write.
      const zero = { n: p.channels, value: 0 };
      if (p.channels > 0) for (const sum of storages.slice(1)) sum.device.launch(fill, [], [sum], zero);
      return;
    }
    inputs[0]!.device.launch(
      batchNormBackward,
      inputs.map((t) => t.storage),
      storages,
      p,
    );
  },
});

/** Numbers above 0 whose squares are as good as 0. */
const SMALLEST = 2 ** -126;

/** The same gradients as differentiable expressions of x, g and weight, for gradients of gradients; without weight not that of x. */
function composedGradients(x: Tensor, g: Tensor, weight: Tensor | undefined, { eps }: BatchNormParams): Gradients {
  const meanOf = (t: Tensor): Tensor => mean(t, overImages, { keepdim: true });
  const centred = sub(x, meanOf(x));
  // All deviations by the largest, since squares overflow from 2e19 on. It counts as a constant, on which nothing depends.
  const root = Math.sqrt(eps);
  const scale = noGrad(() => maximum(amax(abs(centred), overImages, { keepdim: true }), Math.max(root, SMALLEST)));
  const scaled = div(centred, scale);
  const r = rsqrt(add(meanOf(square(scaled)), square(div(root, scale))));
  const h = mul(scaled, r);
  const byX = (weight: Tensor): Tensor => {
    const free = sub(sub(g, meanOf(g)), mul(h, meanOf(mul(g, h))));
    return mul(div(mul(perChannel(weight), r), scale), free);
  };
  return [weight && byX(weight), sum(mul(g, h), overImages), sum(g, overImages)];
}

/** Inference mode: (x, weight, bias, running mean, running variance) -> y. */
const defineInference = (name: string, ofRelu: boolean) =>
  defineOperation<BatchNormParams>({
    name,
    family,
    infer: (_, p) => [{ shape: imageShape(p), dtype: 'float32' }],
    forward([x, weight, bias, average, spread], [y], p) {
      if (x!.size === 0) return;
      const inputs = [x!, average!, spread!, weight!, bias!].map((t) => t.storage);
      x!.device.launch(batchNormInference, inputs, [y!.storage], p);
    },
    saves: {
      inputs: [
        { index: 0, for: [1] },
        { index: 1, for: [0] },
        { index: 3, for: [1] },
        { index: 4, for: [0, 1] },
      ],
      outputs: savesResult(ofRelu),
    },
    vjp({ gradients, inputs, outputs: [y], needs, attrs }): Gradients {
      const [x, weight, average, spread] = [inputs[0]!, inputs[1]!, inputs[3]!, inputs[4]!];
      const g = ofRelu ? reluGrad(gradients[0]!, y!) : gradients[0]!;
      const r = () => perChannel(rsqrt(affine(spread, 1, attrs.eps)));
      const h = () => mul(sub(x, perChannel(average)), r());
      return [
        needs[0] ? mul(g, mul(perChannel(weight), r())) : undefined,
        needs[1] ? sum(mul(g, h()), overImages) : undefined,
        needs[2] ? sum(g, overImages) : undefined,
      ];
    },
  });

const inferenceOp = defineInference('batchNormInference', false);
const inferenceReluOp = defineInference('batchNormReluInference', true);

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  weight?: Tensor | undefined;
  bias?: Tensor | undefined;
  /** Updated in place while training: running = (1 - momentum) running + momentum batch. */
  runningMean?: Tensor | undefined;
  runningVar?: Tensor | undefined;
  training?: boolean;
  momentum?: number;
  eps?: number;
  /** `runningVar` takes over the variance with the divisor n - correction: 1, the default, is PyTorch's, and 0 Keras's. */
  correction?: number;
  /** What follows in the same pass over memory: `relu(batchNorm(x))`, with the same bits and without the tensor in between. */
  activation?: Activation | undefined;
}

/** What may follow a normalisation in the same pass. */
export type Activation = 'relu';

function checkChannels(operation: string, x: Tensor): void {
  if (x.rank >= 2) return;
  throw new ShapeError('needs channels', {
    operation,
    argument: 'x',
    expected: '(N, C, ...)',
    given: showShape(x.shape),
  });
}

/** Batch normalisation of x (N, C, ...) per channel: by batch statistics in training, else by the running ones. */
export const batchNorm = defineFunction('batchNorm', normalizeBatch, {
  x: float,
  options: optionsWith<BatchNormOptions>({
    weight: float,
    bias: float,
    runningMean: float,
    runningVar: float,
    training: flag,
    momentum: number,
    eps: number,
    correction: number,
    activation: text,
  }),
});

function normalizeBatch(x: Tensor, options: BatchNormOptions = {}): Tensor {
  const { training = false, momentum = 0.1, eps = 1e-5, correction = 1, runningMean, runningVar, activation } = options;
  numberWithin('batchNorm', 'eps', eps, { from: 0 });
  numberWithin('batchNorm', 'momentum', momentum, { from: 0, to: 1 });
  countWithin('batchNorm', 'correction', correction, { from: 0, to: 1 });
  if (activation !== undefined) oneOf('batchNorm', 'activation', activation, ['relu']);
  checkChannels('batchNorm', x);
  const [batch, channels] = x.shape as [number, number];
  for (const [name, value] of Object.entries({ weight: options.weight, bias: options.bias, runningMean, runningVar })) {
    if (value && !sameShape(value.shape, [channels])) {
      const details = {
        operation: 'batchNorm',
        argument: name,
        expected: `[${channels}]`,
        given: showShape(value.shape),
      };
      throw new ShapeError('one value per channel', details);
    }
  }
  const spatial = sizeOf(x.shape.slice(2));
  const params = { batch, channels, spatial, eps, relu: activation === 'relu' ? 1 : 0 };
  const weight = options.weight ?? full([channels], 1, { device: x.device });
  const bias = options.bias ?? full([channels], 0, { device: x.device });
  const image = reshape(x, [batch, channels, spatial]);
  if (!training) {
    if (!runningMean || !runningVar) {
      throw new ConfigError('running statistics are needed when not training', {
        operation: 'batchNorm',
        argument: runningMean ? 'runningVar' : 'runningMean',
        expected: 'a tensor',
        given: 'none',
      });
    }
    const infer = params.relu ? inferenceReluOp : inferenceOp;
    return reshape(infer([image, weight, bias, runningMean, runningVar], params)[0]!, x.shape);
  }
  const count = batch * spatial;
  if (count === 1) {
    throw new ShapeError('one value per channel has no variance', {
      operation: 'batchNorm',
      argument: 'x',
      expected: 'more than one value per channel when training',
      given: showShape(x.shape),
    });
  }
  const train = params.relu ? trainingReluOp : trainingOp;
  const [y, average, , spread] = train([image, weight, bias], params) as [Tensor, Tensor, Tensor, Tensor];
  if (count > 0) {
    const unbiased = count / (count - correction);
    updateRunning(momentum, [runningMean, average, 1], [runningVar, spread, unbiased]);
  }
  return reshape(y, x.shape);
}

type Average = readonly [running: Tensor | undefined, ofBatch: Tensor, scale: number];

/** Takes the statistics of a batch into the running ones that there are, in one launch. */
function updateRunning(momentum: number, ...averages: readonly Average[]): void {
  const kept = averages.filter(([running]) => running !== undefined);
  const running = kept.map(([each]) => each!.storage);
  // A recomputed pass sees the batch that has been counted already.
  if (isRecomputing() || !running[0]) return;
  const [gain0, gain1 = 0] = kept.map(([, , scale]) => momentum * scale) as [number, number?];
  const params = { n: running[0].length, count: running.length, keep: 1 - momentum, gain0, gain1 };
  const ofBatch = kept.map(([, each]) => each.storage);
  running[0].device.launch(runningAverage, ofBatch, running, params);
}

interface AffineOptions {
  weight?: Tensor | undefined;
  bias?: Tensor | undefined;
  eps?: number;
}

/** Each of the `lines` that x is made of, one behind the other, to mean 0 and variance 1. */
function normalizeLines(x: Tensor, lines: number, eps: number): Tensor {
  if (x.size === 0) return affine(x, 1, 0);
  const [weight, bias] = [1, 0].map((value) => full([lines], value, { device: x.device }));
  const params = { batch: 1, channels: lines, spatial: x.size / lines, eps, relu: 0 };
  return reshape(trainingOp([reshape(x, imageShape(params)), weight, bias], params)[0]!, x.shape);
}

/** Refuses a weight or bias of another shape. */
function checkAffine(operation: string, shape: Shape, { weight, bias, eps = 0 }: AffineOptions): void {
  numberWithin(operation, 'eps', eps, { from: 0 });
  for (const [argument, given] of Object.entries({ weight, bias })) {
    if (!given || sameShape(given.shape, shape)) continue;
    const details = { operation, argument, expected: showShape(shape), given: showShape(given.shape) };
    throw new ShapeError('the shape does not fit', details);
  }
}

const affineTensors = optionsWith<AffineOptions>({ weight: float, bias: float, eps: number });

/** Normalises over the trailing axes `normalizedShape`. */
export const layerNorm = defineComposite(
  'layerNorm',
  (x: Tensor, normalizedShape: Shape, options: AffineOptions = {}): Tensor => {
    const { weight, bias, eps = 1e-5 } = options;
    checkShape('layerNorm', normalizedShape, 'normalizedShape');
    const count = normalizedShape.length;
    if (!count || !sameShape(x.shape.slice(-count), normalizedShape)) {
      throw new ShapeError('the trailing axes differ', {
        operation: 'layerNorm',
        argument: 'normalizedShape',
        expected: `one axis or more at the end of ${showShape(x.shape)}`,
        given: showShape(normalizedShape),
      });
    }
    checkAffine('layerNorm', normalizedShape, options);
    const h = normalizeLines(x, sizeOf(x.shape.slice(0, -count)), eps);
    const scaled = weight ? mul(h, weight) : h;
    return bias ? add(scaled, bias) : scaled;
  },
  { family, signature: { x: float, normalizedShape: shape, options: affineTensors } },
);

/** Normalises x (N, C, ...) over each group of channels and all positions. */
export const groupNorm = defineComposite(
  'groupNorm',
  (x: Tensor, groups: number, options: AffineOptions = {}): Tensor => {
    const { weight, bias, eps = 1e-5 } = options;
    wholeNumber('groupNorm', 'groups', groups, 1);
    checkChannels('groupNorm', x);
    const [batch, channels] = x.shape as [number, number];
    if (channels % groups) {
      throw new ShapeError('the channels do not divide into groups', {
        operation: 'groupNorm',
        argument: 'groups',
        expected: `a divisor of ${channels}`,
        given: String(groups),
      });
    }
    checkAffine('groupNorm', [channels], options);
    const h = normalizeLines(x, batch * groups, eps);
    const shape = [1, channels, ...x.shape.slice(2).map(() => 1)];
    const scaled = weight ? mul(h, reshape(weight, shape)) : h;
    return bias ? add(scaled, reshape(bias, shape)) : scaled;
  },
  { family, signature: { x: float, groups: size, options: affineTensors } },
);

/** Normalises each channel of each x (N, C, ...) over its positions. */
export const instanceNorm = defineComposite(
  'instanceNorm',
  (x: Tensor, options: AffineOptions = {}): Tensor => {
    checkChannels('instanceNorm', x);
    const channels = x.shape[1]!;
    checkAffine('instanceNorm', [channels], options);
    if (sizeOf(x.shape.slice(2)) === 1) {
      const details = { operation: 'instanceNorm', argument: 'x', expected: 'more than one position' };
      throw new ShapeError('one value per channel has no variance', { ...details, given: showShape(x.shape) });
    }
    return channels > 0 ? groupNorm(x, channels, options) : reshape(x, x.shape);
  },
  { family, signature: { x: float, options: affineTensors } },
);

/** Batch statistics of x (N, C, ...) per channel, off the tape: mean and biased variance. */
export const batchStatistics = defineFunction(
  'batchStatistics',
  (x: Tensor): { mean: Tensor; variance: Tensor } => {
    checkChannels('batchStatistics', x);
    return noGrad(() => {
      const axes = x.shape.map((_, i) => i).filter((axis) => axis !== 1);
      return { mean: mean(x, axes), variance: variance(x, axes, { correction: 0 }) };
    });
  },
  { x: float },
);
