// The networks of the papers and their backbones.
export type { Backbone, Scales, Taps } from './backbones/backbone.ts';
export {
  type BackboneEntry,
  type BackboneName,
  type BackboneOptions,
  backbones,
  type InputScaling,
  makeBackbone,
  scalePictures,
} from './backbones/catalogue.ts';
export {
  DenseBlock,
  DenseLayer,
  DenseNet,
  DenseNetFeatures,
  type DenseNetLayerOptions,
  type DenseNetOptions,
  Transition,
} from './backbones/densenet.ts';
export {
  efficientNetV2,
  type EfficientNetV2Config,
  EfficientNetV2Features,
  type EfficientNetV2LayerOptions,
  EfficientNetV2S,
  type EfficientNetV2SOptions,
  type EfficientNetV2Stage,
  MBConv,
  type MBConvConfig,
} from './backbones/efficientnet-v2.ts';
export { miniDenseNet, miniEfficientNet, miniResNet, type MiniBackboneOptions } from './backbones/mini.ts';
export {
  BasicBlock,
  type BlockOptions,
  Bottleneck,
  ResNet,
  type ResNetDepth,
  ResNetFeatures,
  type ResNetFeaturesOptions,
  type ResNetLayerOptions,
  type ResNetOptions,
} from './backbones/resnet.ts';
export { Vgg16Bn, type Vgg16BnOptions } from './backbones/vgg.ts';
export {
  CrossStitch,
  DoubleConv,
  type DoubleConvOptions,
  PyramidPooling,
  SegNetStage,
  type StitchOptions,
  UNetUp,
} from './blocks.ts';
export {
  CrossStitchNetwork,
  type CrossStitchOptions,
  MaskDecoder,
  type PetOutputs,
  type PetTask,
  type StitchMatrix,
} from './cross-stitch.ts';
export { FullyConnectedHead, ResidualUnit, Stage, Stem } from './cross-stitch-blocks.ts';
export { DenseDepth, denseDepthFilters, type DenseDepthOptions, type DenseDepthOutput } from './dense-depth.ts';
export { AuxiliaryNetwork, type AuxiliaryOptions, Encoder, FunnelNet, type FunnelOptions } from './funnel-net.ts';
export { MultiDepth, type MultiDepthOptions, multiDepthOptionsOf, type MultiDepthOutput } from './multidepth.ts';
export { Perceptron } from './perceptron.ts';
export { ToyDepth, type ToyDepthOptions } from './toy-depth.ts';
export { type Features, UNet, type UNetOptions } from './unet.ts';
export { type FourScales, HRNet, type HRNetName, type HRNetOptions } from './backbones/hrnet.ts';
export {
  type EncoderOptions,
  type FpmPairing,
  MtiNet,
  type MtiNetOptions,
  type MtiNetOutput,
  type PerTask,
  type SingleTaskHead,
  SingleTaskNet,
  type SingleTaskOptions,
  type SingleTaskOutput,
} from './mti-net.ts';
