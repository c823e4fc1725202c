// `wgrad/weights`: weights from other people's files, in Node and in browsers. What is named here is public. An entry point of its
// own, so that the engine's file for browsers does without it.
export { loadWeights, type LoadWeightsOptions, type LoadWeightsReport } from './load.ts';
export type { WeightsMap } from './names.ts';
export {
  readWeights,
  type ReadWeightsOptions,
  type WeightsBytes,
  type WeightsFile,
  type WeightsFormat,
  type WeightsSource,
} from './read.ts';
export { publishedFileOf, sha256Of } from './fingerprint.ts';
