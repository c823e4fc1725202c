// The papers' networks as training steps, at the size of the papers and at one for two cores. Both kinds of benchmark begin
// here: whole steps are measured, and the launches of a step are where layer shapes come from (harvest.ts).
import { networkNames } from '../../experiments/papers/cross-stitch/settings.ts';
import type { CaseShape } from '../peers/protocol.mjs';
import { crossStitchShape, crossStitchStep } from './cross-stitch.ts';
import { denseDepthShape, denseDepthStep } from './dense-depth.ts';
import { type DenseBlockShape, denseBlockStep, type DenseNetShape, denseNetStep } from './densenet.ts';
import { imbalancedShape, imbalancedStep, measuredRows } from './imbalanced-mtl.ts';
import { multiDepthShape, multiDepthStep } from './multidepth.ts';
import type { StepBuilder } from './step.ts';
import { unetShape, unetStep } from './unet.ts';

export type NetworkSize = 'small' | 'paper';

export interface Network {
  readonly name: string;
  readonly title: string;
  /** What contestants know its step by. */
  readonly benchmark: string;
  readonly build: StepBuilder;
  /** Several shapes where a paper trains at several. */
  readonly sizes: Readonly<Record<NetworkSize, readonly CaseShape[]>>;
  /** Whether its step is measured as a whole; every network's layers are. */
  readonly isStep: boolean;
}

/** The shapes of a network at a size, with a batch of another size if one is given. */
export const shapesOf = ({ sizes }: Network, size: NetworkSize, batch?: number): readonly CaseShape[] =>
  batch === undefined ? sizes[size] : sizes[size].map((shape) => ({ ...shape, batch }));

const crossStitchTitles = {
  baseline: 'baseline',
  binary: 'two tasks, species',
  box: 'two tasks, box',
  mtl: 'MTL',
  oeq: 'OEQ',
};

/** SGD's settings do not change the work; small enough to stay finite. */
const sgd = { learningRate: 1e-3, momentum: 0.9, checkedSteps: 3 };
const denseBlock: DenseBlockShape = { batch: 8, height: 32, width: 32, channels: 64, layers: 6, growth: 32, ...sgd };
const denseNet: DenseNetShape = { batch: 16, height: 96, width: 128, depth: 169, ...sgd };

export const networks: readonly Network[] = [
  {
    name: 'dmtl',
    title: 'dMTL U-Net',
    benchmark: 'unet.step',
    build: unetStep,
    sizes: { small: [unetShape('laptop', { batch: 16, size: 64, baseWidth: 16 })], paper: [unetShape('paper')] },
    isStep: true,
  },
  {
    name: 'multidepth',
    title: 'MultiDepth',
    benchmark: 'multidepth.step',
    build: multiDepthStep,
    sizes: { small: [multiDepthShape('laptop')], paper: [multiDepthShape('paper'), multiDepthShape('paper', 256)] },
    isStep: true,
  },
  ...networkNames.map((name): Network => ({
    name: `cross-stitch-${name}`,
    title: `cross-stitch ${crossStitchTitles[name]}`,
    benchmark: 'crossStitch.step',
    build: crossStitchStep,
    sizes: { small: [crossStitchShape(name, 'laptop')], paper: [crossStitchShape(name, 'paper')] },
    isStep: name === 'mtl',
  })),
  {
    name: 'dense-block',
    title: 'first dense block of DenseNet-169',
    benchmark: 'denseBlock.step',
    build: denseBlockStep,
    sizes: { small: [denseBlock], paper: [{ ...denseBlock, batch: 16, height: 24, width: 32 }] },
    isStep: true,
  },
  {
    name: 'densedepth',
    title: 'DenseDepth on a frozen DenseNet-169',
    benchmark: 'denseDepth.step',
    build: denseDepthStep,
    sizes: { small: [{ ...denseDepthShape(), batch: 2 }], paper: [denseDepthShape()] },
    isStep: true,
  },
  ...measuredRows.map((row): Network => ({
    name: `imbalanced-mtl-${row.toLowerCase()}`,
    title: `imbalanced-mtl ${row}`,
    benchmark: 'imbalancedMtl.step',
    build: imbalancedStep,
    sizes: { small: [imbalancedShape(row, { height: 96, width: 128 })], paper: [imbalancedShape(row)] },
    isStep: true,
  })),
  {
    name: 'densenet169',
    title: 'DenseNet-169, the encoder of DenseDepth, all of it trained',
    benchmark: 'denseNet.step',
    build: denseNetStep,
    sizes: { small: [{ ...denseNet, batch: 2 }], paper: [denseNet] },
    isStep: false,
  },
];
