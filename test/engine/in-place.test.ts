// What is changed in place between forward and backward: refused where the backward pass would read it, through whatever
// alias, and allowed where it would not. A gradient by the new values is never given.
import t, { type Test } from 'tap';
import * as w from '../../engine/index.ts';
import { type Device, type Parameter, type Tensor, UseAfterFreeError } from '../../engine/index.ts';
import { onEach, testedOn } from '../tested-on.ts';
import { direct, drawProgram, drawValues, MATRIX, type Wrap } from './programs.ts';

const numbers = async (x: Tensor): Promise<number[]> => [...(await x.array())];

class Holder extends w.nn.Module {
  readonly weight: Parameter;

  constructor(weight: Parameter) {
    super();
    this.weight = weight;
  }
}

/** Ways to change the values of a parameter. */
const changes: Readonly<Record<string, (p: Parameter) => void>> = {
  'an optimiser steps': (p) => {
    p.zeroGrad();
    w.sum(w.affine(p, 10, 0)).backward();
    new w.SGD([p], { lr: 1 }).step();
    p.zeroGrad();
  },
  'a state is loaded': (p) =>
    void new Holder(p).loadStateDict(
      new Map([['weight', { shape: p.shape, values: new Float32Array(p.size).fill(9) }]]),
    ),
  'a buffer is written': (p) => p.device.write(p.detach().storage, new Float32Array(p.size).fill(-8)),
};

/** Other handles for the values of a parameter. */
const aliases: Readonly<Record<string, (p: Tensor) => Tensor | Promise<Tensor>>> = {
  itself: (p) => p,
  'a reshape': (p) => w.reshape(w.flatten(p), p.shape),
  'axes in and out': (p) => w.squeeze(w.unsqueeze(p, 1), 1),
  'expand to its own shape': (p) => w.expand(p, p.shape),
  detach: (p) => p.detach(),
  'a view of detach': (p) => w.reshape(w.reshape(p.detach(), [4, 1]), p.shape),
  'on its own device': (p) => w.toDevice(p, p.device),
};

/** Functions of x and p (2 x 2) whose gradient by x reads p. */
const reading: Readonly<Record<string, (x: Tensor, p: Tensor) => Tensor>> = {
  mul: (x, p) => w.mul(x, p),
  div: (x, p) => w.div(x, p),
  'div of': (x, p) => w.div(p, x),
  maximum: (x, p) => w.maximum(x, p),
  pow: (x, p) => w.pow(x, p),
  matmul: (x, p) => w.matmul(x, p),
  linear: (x, p) => w.linear(x, p),
  conv2d: (x, p) => w.conv2d(w.reshape(x, [1, 2, 2, 1]), w.reshape(p, [2, 2, 1, 1])),
  convTranspose2d: (x, p) => w.convTranspose2d(w.reshape(x, [1, 2, 2, 1]), w.reshape(p, [2, 2, 1, 1])),
  groupNorm: (x, p) => w.groupNorm(w.reshape(x, [1, 4]), 2, { weight: w.reshape(p, [4]) }),
  layerNorm: (x, p) => w.layerNorm(w.reshape(x, [1, 4]), [4], { weight: w.reshape(p, [4]) }),
  batchNorm: (x, p) =>
    w.batchNorm(w.reshape(w.concat([x, w.square(x)], 0), [2, 4]), { weight: w.reshape(p, [4]), training: true }),
  'batchNorm by running statistics': (x, p) => {
    const [runningMean, runningVar] = [w.zeros([4]), w.reshape(p, [4])];
    return w.batchNorm(w.reshape(x, [1, 4]), { runningMean, runningVar });
  },
  'a checkpoint': (x, p) => w.checkpoint((h) => w.sin(w.mul(h, p)), x),
  'a checkpoint that takes it': (x, p) => w.checkpoint((h, q) => w.sin(w.mul(h, w.reshape(q, MATRIX))), x, p),
  'a checkpoint in a checkpoint': (x, p) => w.checkpoint((h) => w.checkpoint((g) => w.tanh(w.add(g, p)), w.sin(h)), x),
};

/** Functions of x and p whose gradients read nothing that changes with p. */
const notReading: Readonly<Record<string, (x: Tensor, p: Tensor) => Tensor>> = {
  'a constant times it': (x, p) => w.add(x, w.mul(w.tensor([1, 2, 3, 4], MATRIX), p)),
  'it over a constant': (x, p) => w.add(x, w.div(p, w.tensor([1, 2, 3, 4], MATRIX))),
  'a constant matrix times it': (x, p) => w.add(x, w.matmul(w.tensor([1, 2, 3, 4], MATRIX), p)),
  'an image that needs no gradient': (_, p) =>
    w.conv2d(w.tensor([1, 2, 3, 4], [1, 2, 2, 1]), w.reshape(p, [2, 2, 1, 1])),
  'batchNorm of what needs no gradient': (_, p) =>
    w.batchNorm(w.tensor([1, 2, 3, 5, 7, 1, 3, 0], [2, 4]), { weight: w.reshape(p, [4]), training: true }),
  'add, sub, sum, mean': (x, p) => w.sub(w.add(x, p), w.add(w.sum(p), w.mean(p))),
  'views and copies': (x, p) => w.concat([w.transpose(p, 0, 1), w.reshape(x, MATRIX), w.pad(p, [0, 0, 1, 0])], 0),
  'functions that read their value': (x, p) => w.mul(x.detach(), w.add(w.exp(p), w.softmax(p, 0))),
  'where it is one of two': (x, p) => w.where(w.tensor([1, 0, 0, 1], MATRIX, { dtype: 'bool' }), x, p),
};

/** Those whose gradients read p, or in its place their own value with fewer digits. */
const readingEither: Readonly<Record<string, (x: Tensor, p: Tensor) => Tensor>> = {
  sigmoid: (x, p) => w.mul(x.detach(), w.sigmoid(p)),
  tanh: (x, p) => w.mul(x.detach(), w.tanh(p)),
  'tanh of sigmoid': (x, p) => w.mul(x.detach(), w.tanh(w.sigmoid(p))),
};

type Gradients = readonly (readonly number[] | undefined)[];
type Outcome = Gradients | 'refused';

/** Gradients of a weighted sum of f by x and by p, with a change of p between forward and backward; or their refusal. */
async function outcome(
  f: (x: Tensor, p: Parameter) => Tensor | Promise<Tensor>,
  change?: (p: Parameter) => void,
): Promise<Outcome> {
  using _ = w.scope();
  const p = w.parameter([2, 3, 1.5, -2], MATRIX);
  const x = w.tensor([1, 0.5, -1, 2], MATRIX, { requiresGrad: true });
  try {
    const y = await f(x, p);
    const loss = w.sum(w.mul(y, w.tensor(w.random(1, 'weights').normalArray(y.size), y.shape)));
    change?.(p);
    loss.backward();
    return await Promise.all([x, p].map(({ grad }) => grad && numbers(grad)));
  } catch (error) {
    if (!(error instanceof UseAfterFreeError) || !/changed in place/.test(error.message)) throw error;
    return 'refused';
  } finally {
    p.dispose();
  }
}

/** Every operation that reads a parameter, through every alias, by every way to change it. */
async function refusesChanges(t: Test, device: Device): Promise<void> {
  w.setDefaultDevice(device);
  for (const [name, f] of Object.entries(reading)) {
    for (const [alias, view] of Object.entries(aliases)) {
      const use = async (x: Tensor, p: Parameter) => f(x, await view(p));
      t.not(await outcome(use), 'refused', `${name} of ${alias}, unchanged`);
      for (const [how, change] of Object.entries(changes)) {
        t.equal(await outcome(use, change), 'refused', `${name} of ${alias}: ${how}`);
      }
    }
  }
}

/** What a backward pass does not read may change. */
async function allowsChanges(t: Test, device: Device): Promise<void> {
  w.setDefaultDevice(device);
  for (const [name, f] of Object.entries(notReading)) {
    const expected = await outcome(f);
    for (const [how, change] of Object.entries(changes)) t.same(await outcome(f, change), expected, `${name}: ${how}`);
  }
}

const areClose = (given: Gradients, expected: Gradients): boolean =>
  given.every(
    (values, k) =>
      values?.length === expected[k]?.length &&
      (values ?? []).every((value, i) => Math.abs(value - expected[k]![i]!) <= 1e-5 * (1 + Math.abs(value))),
  );

/** A change costs digits, and nothing else. */
async function allowsChangesOfEither(t: Test, device: Device): Promise<void> {
  w.setDefaultDevice(device);
  for (const [name, f] of Object.entries(readingEither)) {
    const expected = await outcome(f);
    if (expected === 'refused') throw new Error(`${name} refuses without a change`);
    for (const [how, change] of Object.entries(changes)) {
      const given = await outcome(f, change);
      t.ok(given !== 'refused' && areClose(given, expected), `${name}: ${how}`);
    }
  }
}

/** Random programs: after a change the gradients are those of the forward pass, or refused. */
async function neverNewValues(t: Test, device: Device, seed: number, count: number, wrap: Wrap): Promise<void> {
  w.setDefaultDevice(device);
  const before = w.liveTensorCount();
  const ways = Object.values(changes);
  const views = Object.values(aliases);
  const tally = { refused: 0, allowed: 0 };
  for (let i = seed; i < seed + count; i++) {
    const program = drawProgram(i, 3);
    const constant = drawValues(i, 2);
    const run = (values: Wrap) => async (x: Tensor, p: Parameter) =>
      program([x, await views[i % views.length]!(p), w.tensor(constant, MATRIX)], values);
    const expected = await outcome(run(direct));
    const given = await outcome(run(wrap), ways[i % ways.length]);
    if (given === 'refused') tally.refused++;
    else {
      tally.allowed++;
      t.ok(expected !== 'refused' && areClose(given, expected), `${device.name}: program ${i}`);
    }
  }
  t.ok(Math.min(tally.refused, tally.allowed) > count / 20, `${device.name}: ${JSON.stringify(tally)}`);
  t.equal(w.liveTensorCount(), before, 'nothing is left');
}

/** Programs, and programs with checkpoints. */
const counts = { reference: [300, 150], wasm: [300, 150], webgpu: [30, 20] } as const;
await onEach(t, testedOn('reference', 'wasm', 'webgpu'), async (t, device, name) => {
  await refusesChanges(t, device);
  await allowsChanges(t, device);
  await allowsChangesOfEither(t, device);
  await neverNewValues(t, device, 1, counts[name][0], direct);
  await neverNewValues(t, device, 1001, counts[name][1], w.checkpoint);
});
