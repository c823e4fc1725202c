// wgrad as a contestant: the cases on one of its devices, in this process. Inputs and initial weights are the fixed values
// that the peers use too, so that results can be compared.
import {
  conv2d,
  type Device,
  grad,
  noGrad,
  scope,
  type Scope,
  setDefaultDevice,
  type Tensor,
  tensor,
  type StateDict,
} from '../engine/index.ts';
import { settingsOf } from '../experiments/papers/dmtl/presets.ts';
import { runKey } from '../experiments/papers/dmtl/settings.ts';
import { stagesOf } from '../experiments/papers/dmtl/strategies.ts';
import { UNet } from '../models/index.ts';
import { wgradVersion } from '../experiments/runner/manifest.ts';
import { AbsentError, type CaseShape, type Contestant } from './contestant.ts';
import { fixedValues, repeat, summarize, type Work } from './peers/protocol.mjs';

interface PreparedWork extends Work {
  /** Values to compare, after at least one launch. */
  results(): Promise<ArrayLike<number>[]>;
  dispose(): void;
}

type Sizes<Name extends string> = Record<Name, number>;
export type ConvShape = Sizes<'batch' | 'inChannels' | 'height' | 'width' | 'outChannels' | 'kernel'>;
export type StepShape = Sizes<
  'batch' | 'size' | 'classes' | 'baseWidth' | 'learningRate' | 'momentum' | 'weightDecay' | 'checkedSteps'
>;

/** Seeds of fixed values: image, weight, cotangent; those of a network's parameters count up from the last. */
const SEEDS = { image: 1, other: 2, cotangent: 3, firstParameter: 10 };

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

function fixedTensor(shape: readonly number[], seed: number, device: Device): Tensor {
  return tensor(fixedValues(sizeOf(shape), seed), shape, { device });
}

function convolution(device: Device, shape: ConvShape, gradients: boolean): PreparedWork {
  const { batch, inChannels, height, width, outChannels, kernel } = shape;
  const held = scope();
  const x = fixedTensor([batch, inChannels, height, width], SEEDS.image, device).requireGrad(gradients);
  const w = fixedTensor([outChannels, inChannels, kernel, kernel], SEEDS.other, device).requireGrad(gradients);
  const dy = fixedTensor([batch, outChannels, height, width], SEEDS.cotangent, device);
  held.leave();
  let last: Tensor[] = [];
  return {
    launch() {
      for (const result of last) result.dispose();
      using step = scope();
      const y = conv2d(x, w, undefined, { padding: (kernel - 1) / 2 });
      const results = gradients ? [y, ...grad(y, [x, w], { gradOutputs: [dy] })] : [y];
      last = results.map((result) => step.keep(result));
    },
    finish: () => device.synchronize(),
    results: () => Promise.all(last.map((result) => result.array())),
    dispose: () => [x, w, dy, ...last].forEach((each) => each.dispose()),
  };
}

/** The laptop preset's training step of dmtl: the strategy of one loss for both tasks, exactly as `reproduce` runs it. */
const STEP_RUN = runKey({ strategy: 'multitaskLoss', noise: '1:29', n: 3500 });

export function trainingStepShape(): StepShape {
  const { batch, images, baseWidth, learningRate, momentum, weightDecay } = settingsOf(STEP_RUN, 'laptop');
  const classes = 10;
  return { batch, size: images.size, classes, baseWidth, learningRate, momentum, weightDecay, checkedSteps: 3 };
}
