// What other programs may use of the experiments: papers, data, the runner and its verdicts.
export * from './data/dataset.ts';
export * from './data/digits.ts';
export * from './data/extruded-digits.ts';
export * from './data/fetch.ts';
export * from './data/formats/idx.ts';
export * from './data/formats/picture.ts';
export * from './data/formats/png.ts';
export * from './data/formats/tar.ts';
export * from './data/listing.ts';
export * from './data/object-scenes.ts';
export * from './data/pet-store.ts';
export * from './data/pets.ts';
export * from './data/prefetch.ts';
export * from './data/resize.ts';
export * from './data/rooms.ts';
export * from './data/sets/cityscapes.ts';
export * from './data/sets/index.ts';
export * from './data/sets/kitti-depth.ts';
export * from './data/sets/kitti.ts';
export * from './data/sets/mnist.ts';
export * from './data/sets/nyud.ts';
export {
  decodeImage,
  decodeTrimap,
  type HeadBox,
  listPets,
  parseHeadBox,
  parsePetList,
  type PetFiles,
  petListFile,
  type PetList,
  readPet,
  readPetFiles,
} from './data/sets/oxford-pet-files.ts';
export * from './data/sets/oxford-pets.ts';
export * from './data/sets/redwood.ts';
export * from './data/synthetic/digits.ts';
export * from './data/synthetic/pets.ts';
export * from './data/synthetic/road-scenes.ts';
export * from './data/synthetic/rooms.ts';
export * from './metrics/silog.ts';
export * from './papers/index.ts';
export * from './report/build.ts';
export * from './report/csv.ts';
export * from './report/markdown.ts';
export * from './report/table-view.ts';
export * from './report/view.ts';
export * from './runner/checkpoint-file.ts';
export * from './runner/definition.ts';
export * from './runner/epochs.ts';
export * from './runner/merge.ts';
export * from './runner/paper.ts';
export * from './runner/read-results.ts';
export * from './runner/reproduce.ts';
export * from './runner/result-files.ts';
export * from './runner/results.ts';
export * from './runner/runs.ts';
export * from './runner/series.ts';
export * from './runner/statistics.ts';
export * from './runner/training.ts';
export * from './runner/verdict.ts';
export { type ImportedWeights, type ImportReport, importWeights, loadBackbone } from './weights/import.ts';
export type { WeightsFormat } from '../engine/io/weights/index.ts';
export { runGolden } from './verification/golden/folder.ts';
