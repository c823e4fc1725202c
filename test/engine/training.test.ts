// What stands between a loss and an optimiser's step: clipping, accumulation over micro-batches, averaged
// weights of tasks, and dropout.
import t, { type Test } from 'tap';
import {
  clipGradNorm,
  clipGradValue,
  createDevice,
  type Device,
  dropout,
  dropout2d,
  DynamicWeightAverage,
  liveTensorCount,
  manualSeed,
  mseLoss,
  nn,
  NonFiniteError,
  type Parameter,
  parameter,
  random,
  relu,
  scope,
  setDefaultDevice,
  SGD,
  stack,
  tanh,
  tensor,
} from '../../engine/index.ts';
import { onEach, testedOn } from '../tested-on.ts';

/** Parameters of zeros with these gradients. */
const withGradients = (...gradients: readonly number[][]): Parameter[] =>
  gradients.map((values) => {
    const result = parameter(new Float32Array(values.length), [values.length]);
    const step = scope();
    result.mul(tensor(values)).sum().backward();
    step[Symbol.dispose]();
    return result;
  });

const gradientsOf = async (parameters: readonly Parameter[]): Promise<number[]> =>
  (await Promise.all(parameters.map(({ grad }) => grad!.array()))).flatMap((values) => [...values]);

const close = (test: Test, actual: ArrayLike<number>, expected: readonly number[], name: string, rtol = 1e-5) => {
  const isClose = (value: number, i: number) =>
    Math.abs(actual[i]! - value) <= rtol * Math.abs(value) || Object.is(actual[i], value);
  test.ok(actual.length === expected.length && expected.every(isClose), `${name}: ${Array.from(actual).join(', ')}`);
};

/** p, the norm of (3, -4, 0, 1, 12) and the gradients clipped to 5: values of torch.nn.utils.clip_grad_norm_ 1.13. */
const clipped: readonly [number, number, number[]][] = [
  [1, 20, [0.75, -1, 0, 0.25, 3]],
  [2, 13.03840446, [1.15044737, -1.53392982, 0, 0.38348246, 4.60178947]],
  [3, 12.20929337, [1.22857225, -1.63809633, 0, 0.40952408, 4.914289]],
  [Infinity, 12, [1.24999988, -1.66666651, 0, 0.41666663, 4.99999952]],
];

async function testTraining(test: Test, device: Device): Promise<void> {
  const useDevice = () => setDefaultDevice(device);
  useDevice();

  await test.test('clipGradNorm', async (t) => {
    for (const [normType, norm, expected] of clipped) {
      using _ = scope();
      const parameters = withGradients([3, -4, 0, 1], [12]);
      const without = parameter([1], [1]);
      const total = clipGradNorm([...parameters, without, parameters[0]!], 5, { normType });
      close(t, await total.array(), [norm], `norm ${normType}`);
      close(t, await gradientsOf(parameters), expected, `clipped by norm ${normType}`);
      t.equal(without.grad, undefined);
      // A bound that is not reached changes no bit, and asking twice changes nothing either.
      const before = await gradientsOf(parameters);
      close(t, await clipGradNorm(parameters, 100, { normType }).array(), [5], 'the norm is the bound now', 1e-4);
      t.same(await gradientsOf(parameters), before);
      [...parameters, without].forEach((each) => each.dispose());
    }
    const [one] = withGradients([3, 4]) as [Parameter];
    using _ = scope();
    close(t, await clipGradNorm(one, 1).array(), [5], 'a single parameter');
    close(t, await gradientsOf([one]), [0.6, 0.8], 'a single parameter');
    one.zeroGrad();
    t.equal(await clipGradNorm([one], 1).item(), 0, 'no gradients');
    one.dispose();
  });

  await test.test('clipGradNorm of what is not finite', async (t) => {
    using _ = scope();
    const infinite = withGradients([Infinity, 1]);
    await t.rejects(clipGradNorm(infinite, 1, { errorIfNonFinite: true }), NonFiniteError);
    t.same(await gradientsOf(infinite), [Infinity, 1], 'an error leaves the gradients alone');
    t.equal(await clipGradNorm(infinite, 1).item(), Infinity);
    t.same(await gradientsOf(infinite), [NaN, 0]);
    const undefinedOnes = withGradients([NaN, 1]);
    for (const normType of [2, Infinity]) t.same(await clipGradNorm(undefinedOnes, 1, { normType }).item(), NaN);
    t.same(await gradientsOf(undefinedOnes), [NaN, NaN]);
    const finite = withGradients([3, 4]);
    t.equal(await (await clipGradNorm(finite, 1, { errorIfNonFinite: true })).item(), 5);
    close(t, await gradientsOf(finite), [0.6, 0.8], 'finite');
    for (const options of [{ normType: 0 }, { normType: -1 }, { normType: NaN }]) {
      t.throws(() => clipGradNorm(finite, 1, options), /no such norm/);
    }
    t.throws(() => clipGradNorm(finite, -1), /no such bound.*expected 0 or more, got -1/);
    [...infinite, ...undefinedOnes, ...finite].forEach((each) => each.dispose());
  });

  await test.test('clipGradValue', async (t) => {
    const parameters = withGradients([NaN, 7, -9, -Infinity], [1, -0.5]);
    clipGradValue(parameters, 2);
    t.same(await gradientsOf(parameters), [NaN, 2, -2, -2, 1, -0.5]);
    t.throws(() => clipGradValue(parameters, -1), /no such bound/);
    parameters.forEach((each) => each.dispose());
  });

  await test.test('clipping holds no memory and starts no reading', async (t) => {
    const parameters = withGradients([3, -4, 0, 1], [12]);
    const before = liveTensorCount();
    for (let i = 0; i < 3; i++) {
      using _ = scope();
      clipGradNorm(parameters, 5);
      clipGradValue(parameters, 1);
    }
    t.equal(liveTensorCount(), before);
    t.equal((await gradientsOf(parameters)).length, 5, 'and the gradients outlive the scope');
    parameters.forEach((each) => each.dispose());
  });

  await test.test('k micro-batches leave the gradient of the whole batch', async (t) => {
    manualSeed(2);
    const [first, second] = [new nn.Linear(3, 8), new nn.Linear(8, 2)];
    const parameters = [...first.parameters(), ...second.parameters()];
    const optimizer = new SGD(parameters, { lr: 0.1 });
    const inputs = random(1, 'x').normalArray(12 * 3);
    const targets = random(1, 'y').normalArray(12 * 2);
    const accumulate = async (parts: number): Promise<number[]> => {
      optimizer.zeroGrad();
      t.ok(parameters.every(({ grad }) => grad === undefined));
      for (let i = 0; i < parts; i++) {
        using _ = scope();
        const rows = 12 / parts;
        const x = tensor(inputs.slice(3 * rows * i, 3 * rows * (i + 1)), [rows, 3]);
        const y = tensor(targets.slice(2 * rows * i, 2 * rows * (i + 1)), [rows, 2]);
        mseLoss(second.forward(tanh(first.forward(x))), y)
          .div(parts)
          .backward();
      }
      return gradientsOf(parameters);
    };
    const whole = await accumulate(1);
    const scale = Math.max(...whole.map(Math.abs));
    for (const parts of [2, 3, 12]) {
      const worst = Math.max(...(await accumulate(parts)).map((value, i) => Math.abs(value - whole[i]!)));
      t.ok(worst < 1e-6 * scale, `${parts} micro-batches: ${worst}`);
    }
    const sum = (await accumulate(1)).map((value) => 2 * value);
    using _ = scope();
    mseLoss(second.forward(tanh(first.forward(tensor(inputs, [12, 3])))), tensor(targets, [12, 2])).backward();
    close(t, await gradientsOf(parameters), sum, 'twice the batch without zeroGrad is twice the gradient');
    parameters.forEach((each) => each.dispose());
  });

  await test.test('dynamic weight averaging', async (t) => {
    using _ = scope();
    const equation = new DynamicWeightAverage(2);
    t.same([...(await equation.weights().array())], [1, 1]);
    equation.record(tensor([1, 2]));
    t.same([...(await equation.weights().array())], [1, 1]);
    equation.record(tensor([0.5, 1.8]));
    close(t, await equation.weights().array(), [0.900332, 1.099668], 'r = (0.5, 0.9), T = 2', 1e-6);
    const copy = new DynamicWeightAverage(2);
    copy.loadStateDict(await equation.stateDict());
    t.same(await copy.weights().array(), await equation.weights().array(), 'state dict');
    equation.record(tensor([0.5, 0.9]));
    const shares = [1, 0.5].map((r) => Math.exp(r / 2));
    const expected = shares.map((share) => (2 * share) / (shares[0]! + shares[1]!));
    close(t, await equation.weights().array(), expected, 'only the last two count', 1e-6);

    // As the authors' script has it: priors, a start at each epoch, and terms of small losses left out.
    const priors = [0.3, 1, 2];
    const script = new DynamicWeightAverage(3, { priors, dropBelow: [0.2, 0.2, undefined] });
    script.record(tensor([1, 2, 1.5]));
    close(t, await script.weights().array(), priors, 'the priors themselves, unscaled');
    script.record(tensor([0.5, 1.8, 3]));
    close(t, await script.weights().array(), [0.15637481, 0.6366554, 2.2069698], 'then scaled to the sum of K', 1e-6);
    const losses = tensor([0.1, 0.3, 0.05], [3], { requiresGrad: true });
    const total = script.total(losses);
    close(t, await total.array(), [0.6366554 * 0.3 + 2.2069698 * 0.05], 'the first task is left out', 1e-6);
    total.backward();
    close(t, await losses.grad!.array(), [0, 0.6366554, 2.2069698], 'weights are constants for the gradient', 1e-6);
    script.restart();
    close(t, await script.weights(losses).array(), priors, 'a new epoch');
    const scalars = [0.4, 0.5, 0.6].map((loss) => tensor(loss));
    close(t, await script.total(stack(scalars)).array(), [0.12 + 0.5 + 1.2], 'of scalars joined');

    const one = new DynamicWeightAverage(2, { temperature: 1, priors: [0.5, 0.5] });
    for (const values of [
      [1, 2],
      [0.5, 1.8],
    ])
      one.record(tensor(values));
    const plain = [0.5, 0.9].map(Math.exp);
    close(
      t,
      await one.weights().array(),
      plain.map((s) => (2 * s) / (plain[0]! + plain[1]!)),
      'T = 1',
      1e-6,
    );

    t.throws(() => script.record(tensor([1, 2])), /one loss per task.*expected \[3\], got \[2\]/);
    t.throws(() => new DynamicWeightAverage(2, { priors: [1] }), /argument 'priors'\); expected 2, got 1/);
    t.throws(() => new DynamicWeightAverage(2, { temperature: 0 }), /no such temperature/);
    t.throws(() => copy.loadStateDict(new Map([['x', { values: [1, 2] }]])), /expected losses.1/);
    for (const each of [equation, copy, script, one]) each.restart();
  });

  await test.test('dropout', async (t) => {
    using _ = scope();
    const n = 40_000;
    const x = tensor(
      random(1, 'x')
        .normalArray(n)
        .map((v) => v || 1),
      [20, 50, 8, 5],
      { requiresGrad: true },
    );
    const values = await x.array();
    const oracle = await createDevice('reference');
    for (const [name, drop, block] of [
      ['dropout', dropout, 1],
      ['dropout2d', dropout2d, 40],
    ] as const) {
      for (const p of [0.1, 0.5, 0.8]) {
        const apply = (input: typeof x) => drop(input, { p, training: true, stream: random(9, name) });
        const y = apply(x);
        const output = await y.array();
        const mask = Array.from(output, (v) => Number(v !== 0));
        const draws = n / block;
        const kept = mask.reduce((sum, keep) => sum + keep, 0) / n;
        const deviation = Math.sqrt((p * (1 - p)) / draws);
        t.ok(Math.abs(kept - (1 - p)) < 4 * deviation, `${name} keeps ${kept} at p = ${p}`);
        const scale = 1 / (1 - p);
        close(
          t,
          output,
          [...values].map((v, i) => v * mask[i]! * scale),
          `${name} scales what it keeps`,
        );
        t.ok(
          mask.every((keep, i) => keep === mask[i - (i % block)]),
          'whole channels or single elements',
        );
        x.grad?.dispose();
        x.grad = undefined;
        y.sum().backward();
        close(
          t,
          await x.grad!.array(),
          mask.map((keep) => keep * scale),
          'the gradient goes the same way',
        );
        const other = await apply(tensor(values, x.shape, { device: oracle })).array();
        t.same(Float32Array.from(output), Float32Array.from(other), 'the same bits on every device');
      }
      t.equal(drop(x, { p: 0.5 }), x, 'the identity outside of training');
      t.equal(drop(x, { p: 0, training: true }), x);
      const none = await drop(x, { p: 1, training: true, stream: random(1, name) }).array();
      t.ok(none.every((v) => v === 0));
      t.throws(() => drop(x, { training: true }), /training needs a random stream/);
      t.throws(() => drop(x, { p: 1.1 }), /argument 'p'\); expected a number from 0 to 1/);
    }
    t.same(
      await relu(x).array(),
      values.map((v) => Math.max(v, 0)),
      'and x is as it was',
    );
    oracle.dispose();
  });
}

await onEach(t, testedOn('reference', 'wasm', 'webgpu'), testTraining);
