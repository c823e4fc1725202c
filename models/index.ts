// The networks of the papers and their backbones.
export * from './backbones/densenet.ts';
export * from './backbones/efficientnet.ts';
export * from './backbones/resnet.ts';
export * from './backbones/vgg.ts';
export * from './blocks.ts';
export * from './cross-stitch.ts';
export * from './cross-stitch-blocks.ts';
export * from './funnel-net.ts';
export * from './multidepth.ts';
export * from './perceptron.ts';
export * from './unet.ts';
