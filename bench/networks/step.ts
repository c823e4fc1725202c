// A training step as a benchmark: what is repeated, and what tells that a peer trains the same network. Initial weights and
// data are fixed values that a peer makes too. Leaves out data loading, logging and scores.
import { type Device, type nn, setDefaultDevice, type StateDict, type Tensor, tensor } from '../../engine/index.ts';
import { sizeOf } from '../../engine/shape.ts';
import { type CaseShape, fixedValues } from '../peers/protocol.mjs';

export interface TrainingStep {
  /** One update of the weights, in a scope of the caller. Returns the loss before it. */
  step(): Tensor | Promise<Tensor>;
  /** Losses that must not depend on random numbers; instead of those of the first steps, where the step itself draws some. */
  fixedLosses?(): Tensor[];
  /** Parameters that are trained. */
  readonly parameterCount: number;
  dispose(): void;
}

/** Seeds of fixed values: image, second image, cotangent; those of a network's parameters count up from the last. */
export const SEEDS = { image: 1, other: 2, cotangent: 3, firstParameter: 10 };

export const fixedTensor = (shape: readonly number[], seed: number, device?: Device): Tensor =>
  tensor(fixedValues(sizeOf(shape), seed), shape, device ? { device } : {});

/** Fixed weights, scaled by one over the root of what a unit sums. Seeds go by the order of the names. */
export function fixWeights(...models: readonly nn.Module[]): void {
  for (const model of models) {
    const shapes = [...model.namedParameters()].sort(([a], [b]) => (a < b ? -1 : 1));
    const state: StateDict = new Map(
      shapes.map(([name, { shape }], i) => {
        const scale = 1 / Math.sqrt(sizeOf(shape.slice(1)));
        const values = fixedValues(sizeOf(shape), SEEDS.firstParameter + i).map((value) => scale * value);
        return [name, { shape, values }];
      }),
    );
    model.loadStateDict(state, { strict: false });
  }
}

/** Makes a step of a network on a device, which becomes the default device. */
export type StepBuilder = (device: Device, shape: CaseShape) => TrainingStep;

/** A builder whose tensors are made on the device that it is given. */
export const onDevice =
  <Shape>(build: (shape: Shape) => TrainingStep): StepBuilder =>
  (device, shape) => {
    setDefaultDevice(device);
    return build(shape as Shape);
  };
