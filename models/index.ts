// The networks of the papers.
export * from './blocks.ts';
export * from './perceptron.ts';
export * from './unet.ts';
