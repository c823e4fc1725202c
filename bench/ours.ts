// wgrad as a contestant: the cases on one of its devices, in this process. Inputs and initial weights are the fixed values
// that the peers use too, so that results can be compared.
import {
  conv2d,
  createDevice,
  type Device,
  DeviceError,
  grad,
  scope,
  setDefaultDevice,
  type StateDict,
  type Tensor,
  tensor,
} from '../engine/index.ts';
import { DIGIT_CLASSES } from '../experiments/data/digits.ts';
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
  const x = fixedTensor([batch, inChannels, height, width], SEEDS.image, device).requireGrad(gradients);
  const w = fixedTensor([outChannels, inChannels, kernel, kernel], SEEDS.other, device).requireGrad(gradients);
  const dy = fixedTensor([batch, outChannels, height, width], SEEDS.cotangent, device);
  let last: Tensor[] = [];
  return {
    launch() {
      for (const result of last) result.dispose();
      using step = scope();
      const y = conv2d(x, w, undefined, { padding: (kernel - 1) / 2 });
      const results = gradients ? [y, ...grad(y, [x, w], { gradOutputs: [dy] })] : [y];
      last = results.map((result) => step.keep(result.detach()));
    },
    finish: () => device.synchronize(),
    results: () => Promise.all(last.map((result) => result.array())),
    dispose: () => [x, w, dy, ...last].forEach((each) => each.dispose()),
  };
}

/** The laptop preset's training step of dmtl: the strategy with one loss for both tasks, as `reproduce` runs it. */
const trainingSettings = settingsOf(runKey({ strategy: 'multitaskLoss', noise: '1:29', n: 3500 }), 'laptop');

export function trainingStepShape(): StepShape {
  const { batch, images, baseWidth, learningRate, momentum, weightDecay } = trainingSettings;
  const classes = DIGIT_CLASSES;
  return { batch, size: images.size, classes, baseWidth, learningRate, momentum, weightDecay, checkedSteps: 3 };
}

async function trainingStep(device: Device, { batch, size, classes, checkedSteps }: StepShape): Promise<PreparedWork> {
  setDefaultDevice(device);
  const model = new UNet({ inChannels: 1, classes, baseWidth: trainingSettings.baseWidth });
  const initial: StateDict = new Map();
  let seed = SEEDS.firstParameter;
  for (const [name, { shape }] of model.namedParameters()) {
    const scale = 1 / Math.sqrt(sizeOf(shape.slice(1)));
    const values = fixedValues(sizeOf(shape), seed++).map((value) => scale * value);
    initial.set(name, { shape, values });
  }
  model.loadStateDict(initial, { strict: false });
  const [stage] = stagesOf(model, trainingSettings);
  const data = {
    input: fixedTensor([batch, 1, size, size], SEEDS.image, device),
    depth: fixedTensor([batch, 1, size, size], SEEDS.other, device),
    label: tensor(Int32Array.from({ length: batch }, (_, i) => i % classes)),
    weight: tensor(new Float32Array(classes).fill(1)),
  };
  const first: number[] = [model.parameterCount()];
  for (let i = 0; i < checkedSteps; i++) {
    using _step = scope();
    first.push(await stage!.step(data).item());
  }
  return {
    launch() {
      using _step = scope();
      stage!.step(data);
    },
    finish: () => device.synchronize(),
    results: async () => first.map((value) => [value]),
    dispose() {
      model.dispose();
      for (const optimizer of stage!.optimizers) optimizer.dispose();
      for (const each of Object.values(data)) each.dispose();
    },
  };
}

const cases: Readonly<Record<string, (device: Device, shape: CaseShape) => PreparedWork | Promise<PreparedWork>>> = {
  'conv2d.forward': (device, shape) => convolution(device, shape as ConvShape, false),
  'conv2d.gradients': (device, shape) => convolution(device, shape as ConvShape, true),
  'unet.step': (device, shape) => trainingStep(device, shape as StepShape),
};

/** wgrad on a device. Throws AbsentError if the device is not there. */
export async function startOurs(name: 'wasm' | 'webgpu', threads?: number): Promise<Contestant> {
  let device: Device;
  try {
    device = await createDevice(name, threads === undefined ? {} : { threads });
  } catch (error) {
    if (error instanceof DeviceError) throw new AbsentError(error.message.split('\n')[0], { cause: error });
    throw error;
  }
  let prepared: PreparedWork | undefined;
  const clear = (): void => {
    prepared?.dispose();
    prepared = undefined;
  };
  const { driver } = device.facts;
  return {
    name: 'wgrad',
    version: wgradVersion,
    details: device.description,
    ...(driver === undefined ? {} : { adapter: String(driver) }),
    async prepare(benchmark, shape) {
      clear();
      prepared = await cases[benchmark]!(device, shape);
      await repeat(prepared, 0);
      return (await prepared.results()).map(summarize);
    },
    measure: (seconds) => repeat(prepared!, seconds),
    close() {
      clear();
      device.dispose();
    },
  };
}
