// What other programs may use of the experiments: papers, data, the runner and its verdicts.
export * from './data/digits.ts';
export * from './data/extruded-digits.ts';
export * from './data/fetch.ts';
export * from './data/idx.ts';
export * from './data/kitti-depth.ts';
export * from './data/mnist.ts';
export * from './data/png.ts';
export * from './data/prefetch.ts';
export * from './data/synthetic/digits.ts';
export * from './data/synthetic/road-scenes.ts';
export * from './metrics/silog.ts';
export * from './papers/dmtl/settings.ts';
export * from './papers/index.ts';
export * from './runner/paper.ts';
export * from './runner/reproduce.ts';
export * from './runner/results.ts';
export * from './runner/verdict.ts';
export { runGolden } from './golden/run.ts';
