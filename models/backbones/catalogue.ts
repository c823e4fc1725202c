// The backbones of the DenseDepth paper by name: how each is made, which pictures its weights expect, and from where on the
// authors fine-tuned it. The norms of those that come from Keras are Keras's.
import { takes } from '../../engine/call-check.ts';
import { oneOf } from '../../engine/checks.ts';
import { concat, div, narrow, type nn, sub, type Tensor, tensor } from '../../engine/index.ts';
import { float, optionsWith, record, text } from '../../engine/parameters.ts';
import type { Backbone } from './backbone.ts';
import { DenseNetFeatures, denseNetLayers } from './densenet.ts';
import { efficientNetV2, EfficientNetV2Features } from './efficientnet-v2.ts';
import { miniDenseNet, miniEfficientNet, miniResNet } from './mini.ts';
import { ResNetFeatures } from './resnet.ts';

type Rgb = readonly [number, number, number];

/** (pixel - mean) / deviation, pixels from 0 to 255 in this order of channels, which is also that of the two lists. */
export interface InputScaling {
  readonly order: 'rgb' | 'bgr';
  readonly mean: Rgb;
  readonly deviation: Rgb;
}

/** One backbone of the paper. */
export interface BackboneEntry {
  make(options?: BackboneOptions): Backbone;
  /** What its weights were trained on. */
  readonly native: InputScaling;
  /** What the authors' notebooks feed it: the picture / 255, to which EfficientNetV2 applies its own scaling once more. */
  readonly published: InputScaling;
  /** The first parameter that is trained in the fine-tuning of the paper. */
  readonly fineTuneFrom?: string;
}

/** Options of `makeBackbone`. */
export interface BackboneOptions {
  /** In the place of the backbone's own momentum, eps and correction. */
  norm?: nn.BatchNorm2dOptions;
}

/** Batch norm of Keras's DenseNet and ResNet: momentum 0.99 there, biased running variance. */
const kerasNorm = { momentum: 0.01, eps: 1.001e-5, correction: 0 } as const;
/** That of Keras's EfficientNetV2. */
const kerasEfficientNetNorm = { momentum: 0.1, eps: 1e-3, correction: 0 } as const;

const times = (factor: number, [r, g, b]: Rgb): Rgb => [factor * r, factor * g, factor * b];
/** Statistics of ImageNet's pictures in the range from 0 to 1. */
const mean: Rgb = [0.485, 0.456, 0.406];
const deviation: Rgb = [0.229, 0.224, 0.225];
const standardised: InputScaling = { order: 'rgb', mean: times(255, mean), deviation: times(255, deviation) };
const standardisedTwice: InputScaling = {
  order: 'rgb',
  mean: times(255 ** 2, mean),
  deviation: times(255 ** 2, deviation),
};
const unitRange: InputScaling = { order: 'rgb', mean: [0, 0, 0], deviation: [255, 255, 255] };
const caffe: InputScaling = { order: 'bgr', mean: [103.939, 116.779, 123.68], deviation: [1, 1, 1] };

/** The backbones of the DenseDepth paper; `resnet50` is torchvision's, `resnet50-keras` the one that the paper used. */
export const backbones = {
  densenet169: {
    make: ({ norm } = {}) => new DenseNetFeatures(denseNetLayers[169], 32, { norm: { ...kerasNorm, ...norm } }),
    native: standardised,
    published: unitRange,
    // Index 170 of Keras's layers is conv4_block5_0_relu, without parameters.
    fineTuneFrom: 'denseblock3.denselayer5.conv1.weight',
  },
  resnet50: {
    make: (options = {}) => new ResNetFeatures(50, options),
    native: standardised,
    published: unitRange,
  },
  'resnet50-keras': {
    make: ({ norm } = {}) => new ResNetFeatures(50, { bias: true, strideIn: 1, norm: { ...kerasNorm, ...norm } }),
    native: caffe,
    published: unitRange,
  },
  'efficientnetv2-b0': {
    make: ({ norm } = {}) =>
      new EfficientNetV2Features(efficientNetV2.b0, { padding: 'end', norm: { ...kerasEfficientNetNorm, ...norm } }),
    native: standardised,
    published: standardisedTwice,
  },
  'mini-densenet': {
    make: miniDenseNet,
    native: standardised,
    published: unitRange,
    fineTuneFrom: 'denseblock3.denselayer3.norm1.weight',
  },
  'mini-resnet': { make: miniResNet, native: caffe, published: unitRange },
  'mini-efficientnet': { make: miniEfficientNet, native: standardised, published: standardisedTwice },
} as const satisfies Record<string, BackboneEntry>;

/** A key of `backbones`. */
export type BackboneName = keyof typeof backbones;

const takesMake = takes('makeBackbone', { name: text, options: optionsWith<BackboneOptions>({ norm: record }) });

/** The entry of this name. Throws ConfigError where there is none. */
function backboneEntry(name: string): BackboneEntry {
  oneOf('makeBackbone', 'name', name, Object.keys(backbones));
  return backbones[name as BackboneName];
}

/** A new backbone with random weights, without its classifier. Throws ConfigError for a name that is not in `backbones`. */
export function makeBackbone(...args: [name: BackboneName, options?: BackboneOptions]): Backbone {
  const [name, options = {}] = takesMake(args);
  return backboneEntry(name).make(options);
}

const takesScale = takes('scalePictures', { pictures: float, scaling: record });

/** RGB pictures (N, 3, H, W) from 0 to 255 as a backbone takes them. */
export function scalePictures(...args: [pictures: Tensor, scaling: InputScaling]): Tensor {
  const [pictures, { order, mean, deviation }] = takesScale(args);
  const perChannel = (values: Rgb): Tensor =>
    tensor(Float32Array.from(values), [1, 3, 1, 1], { device: pictures.device });
  const channels = [2, 1, 0].map((channel) => narrow(pictures, 1, channel, 1));
  const ordered = order === 'bgr' ? concat(channels, 1) : pictures;
  return div(sub(ordered, perChannel(mean)), perChannel(deviation));
}
