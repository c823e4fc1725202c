// `wgrad/data`: batches from a data set, shuffled by a key, fetched ahead and in other threads. For Node. What is named here is
// public. An entry point of its own, so that the engine's file for browsers does without it.
export { collate, type Collated } from './collate.ts';
export { type Dataset, type DatasetFactory, openDataset } from './dataset.ts';
export { DataLoader, type DataLoaderOptions, type DataLoaderState } from './loader.ts';
