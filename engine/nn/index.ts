export {
  defaultWeight,
  fanIn,
  fanOut,
  glorotUniform,
  heNormal,
  kaimingNormal,
  normalInit,
  uniformInit,
} from './init.ts';
export type { LayerOptions } from './layer-options.ts';
export * from './linear.ts';
export * from './attention.ts';
export * from './convolution.ts';
export * from './normalization.ts';
export * from './activations.ts';
export * from './pooling.ts';
export * from './dropout.ts';
export * from './losses.ts';
export {
  Buffer,
  Counter,
  type Layer,
  type LoadOptions,
  type LoadReport,
  Module,
  ModuleList,
  Sequential,
  type StateDict,
  type StateEntry,
} from './module.ts';
export { functionalCall } from './functional-call.ts';
