export { defaultWeight, fanIn, fanOut, kaimingNormal, normalInit, uniformInit } from './init.ts';
export * from './layers.ts';
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
