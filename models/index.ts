// The networks of the papers and their backbones.
export {
  DenseBlock,
  DenseLayer,
  DenseNet,
  DenseNetFeatures,
  type DenseNetMemoryOptions,
  type DenseNetOptions,
  Transition,
} from './backbones/densenet.ts';
export { EfficientNetV2S, type EfficientNetV2SOptions, MBConv, type MBConvConfig } from './backbones/efficientnet.ts';
export {
  BasicBlock,
  type BlockOptions,
  Bottleneck,
  ResNet,
  type ResNetDepth,
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
export { AuxiliaryNetwork, type AuxiliaryOptions, Encoder, FunnelNet, type FunnelOptions } from './funnel-net.ts';
export { MultiDepth, type MultiDepthOptions, multiDepthOptionsOf, type MultiDepthOutput } from './multidepth.ts';
export { Perceptron } from './perceptron.ts';
export { type Features, UNet, type UNetOptions } from './unet.ts';
