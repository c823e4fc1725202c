// The reference optimiser steps against steps computed by hand from the update rules of torch.optim.
import t, { type Test } from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { adamStep, type Kernel, type ParamValues, rmspropStep, runningAverage, sgdStep } from '../../kernels/index.ts';

const device = createReferenceDevice();

/** Runs one in-place step on single values and gives the new states. */
async function step<P extends ParamValues>(
  kernel: Kernel<P>,
  params: P,
  g: number,
  states: number[],
): Promise<number[]> {
  const make = (value: number) => {
    const storage = device.allocate(1, 'float32');
    device.write(storage, [value]);
    return storage;
  };
  const outputs = states.map(make);
  device.launch(kernel, [make(g)], outputs, params);
  const results = await Promise.all(outputs.map((output) => device.read(output)));
  return results.map(([value]) => value);
}

/** Equal but for the last digits of float64. */
const near = (t: Test, actual: number[], expected: number[]) =>
  t.ok(
    actual.length === expected.length && actual.every((value, i) => Math.abs(value - expected[i]) < 1e-14),
    `${actual.join(' ')} is ${expected.join(' ')}`,
  );

t.test('sgd', async (t) => {
  const p = { n: [1], learningRate: 0.1, momentum: 0.5, gain: 0.75, weightDecay: 0.2, nesterov: 0, first: 0 };
  // g = 1 + 0.2 x 2 = 1.4; b = 0.5 x 4 + 0.75 x 1.4 = 3.05
  near(t, await step(sgdStep, p, 1, [2, 4]), [2 - 0.305, 3.05]);
  near(t, await step(sgdStep, { ...p, nesterov: 1 }, 1, [2, 4]), [2 - 0.1 * (1.4 + 0.5 * 3.05), 3.05]);
  near(t, await step(sgdStep, { ...p, first: 1 }, 1, [2, NaN]), [2 - 0.14, 1.4]);
  near(t, await step(sgdStep, { ...p, momentum: 0 }, 1, [2]), [2 - 0.14]);
});

t.test('adam: the first step has the size of the learning rate', async (t) => {
  const p = {
    n: [1],
    stepSize: 0.01 / 0.1,
    beta1: 0.9,
    beta2: 0.99,
    oneMinusBeta1: 0.1,
    oneMinusBeta2: 0.01,
    eps: 0,
    weightDecay: 0,
    shrink: 1,
    correction: Math.sqrt(0.01),
    amsgrad: 0,
  };
  near(t, await step(adamStep, p, -3, [1, 0, 0]), [1.01, -0.3, 0.09]);
  near(t, await step(adamStep, { ...p, shrink: 0.5 }, -3, [1, 0, 0]), [0.51, -0.3, 0.09]);
  near(t, await step(adamStep, { ...p, weightDecay: 4 }, -3, [1, 0, 0]), [0.99, 0.1, 0.01]);
  // The larger second moment of the past stays in the divisor: 0.1 x 0.3 / (0.6 / 0.1).
  near(t, await step(adamStep, { ...p, amsgrad: 1 }, -3, [1, 0, 0, 0.36]), [1.005, -0.3, 0.09, 0.36]);
});

t.test('rmsprop', async (t) => {
  const p = {
    n: [1],
    learningRate: 0.1,
    alpha: 0.75,
    oneMinusAlpha: 0.25,
    eps: 0.5,
    weightDecay: 0,
    momentum: 0,
    centered: 0,
  };
  // v = 0.75 x 0 + 0.25 x 16 = 4; the divisor is 2.5.
  near(t, await step(rmspropStep, p, 4, [1, 0]), [1 - 0.16, 4]);
  near(t, await step(rmspropStep, { ...p, momentum: 0.5 }, 4, [1, 0, 2]), [1 - 0.26, 4, 2.6]);
  // a = 0.75 x 0 + 0.25 x 4 = 1; the divisor is sqrt(3) + 0.5.
  const divisor = Math.sqrt(3) + 0.5;
  near(t, await step(rmspropStep, { ...p, centered: 1 }, 4, [1, 0, 0]), [1 - 0.4 / divisor, 4, 1]);
});

t.test('running average', async (t) => {
  const one = { n: 1, count: 1, keep: 0.9, gain0: 0.1, gain1: 0 };
  near(t, await step(runningAverage, one, 5, [10]), [9.5]);
});
