// Random programs: compositions of operations on 2 x 2 matrices, drawn from a seed, for what must hold whatever is computed.
import * as w from '../../engine/index.ts';
import { random, type Random, type Tensor } from '../../engine/index.ts';

/** Calls `f` on its inputs, or has `checkpoint` do so. */
export type Wrap = <T extends Tensor[]>(f: (...inputs: T) => Tensor, ...inputs: T) => Tensor;
/** Without checkpoints. */
export const direct: Wrap = (f, ...inputs) => f(...inputs);

type Step = (values: readonly Tensor[], wrap: Wrap) => Tensor;

const SHAPE = [2, 2];
/** Parts within parts. */
const DEPTH = 2;

const image = (x: Tensor): Tensor => w.reshape(x, [1, 2, 2, 1]);

/** Smooth or piecewise, tame in value: a program of dozens of them stays finite. */
const ofOne: readonly ((x: Tensor) => Tensor)[] = [
  w.tanh,
  w.sigmoid,
  w.silu,
  w.sin,
  w.relu,
  w.gelu,
  w.softplus,
  w.neg,
  (x) => w.square(w.tanh(x)),
  (x) => w.exp(w.tanh(x)),
  (x) => w.log(w.affine(w.square(x), 1, 1)),
  (x) => w.sqrt(w.affine(w.square(x), 1, 1)),
  (x) => w.clamp(x, { min: -1, max: 1 }),
  (x) => w.softmax(x, 1),
  (x) => w.logSoftmax(x, 0),
  (x) => w.transpose(x, 0, 1),
  (x) => w.reshape(w.sin(w.flatten(x)), SHAPE),
  (x) => w.squeeze(w.tanh(w.unsqueeze(x, 1)), 1),
  (x) => w.expand(w.mean(x, 0, { keepdim: true }), SHAPE),
  (x) => w.expand(w.sum(x), SHAPE),
  (x) => w.mul(x, w.amax(x, 1, { keepdim: true })),
  (x) => w.affine(w.expand(w.variance(x, 0, { keepdim: true }), SHAPE), 0.1, 1),
  (x) => w.layerNorm(x, [2], { eps: 0.1 }),
  (x) => w.concat([w.narrow(x, 0, 1, 1), w.narrow(w.sigmoid(x), 0, 0, 1)], 0),
  (x) => w.reshape(w.avgPool2d(w.pad(w.reshape(x, [1, 1, 2, 2]), [1, 0, 1, 0]), 2, { stride: 1 }), SHAPE),
  (x) => w.reshape(w.maxPool2d(w.pad(w.reshape(x, [1, 1, 2, 2]), [1, 0, 1, 0]), 2, { stride: 1 }), SHAPE),
];

const ofTwo: readonly ((a: Tensor, b: Tensor) => Tensor)[] = [
  w.add,
  w.sub,
  (a, b) => w.mul(a, w.tanh(b)),
  w.mul,
  (a, b) => w.div(a, w.affine(w.square(b), 1, 1)),
  w.maximum,
  (a, b) => w.where(w.gt(a, b), a, w.neg(b)),
  (a, b) => w.pow(w.affine(w.sigmoid(a), 1, 1), b),
  (a, b) => w.matmul(w.tanh(a), b),
  (a, b) => w.linear(a, w.tanh(b)),
  (a, b) => w.groupNorm(a, 1, { weight: w.mean(b, 0), bias: w.sum(b, 1), eps: 0.1 }),
  (a, b) => w.batchNorm(a, { weight: w.mean(b, 0), training: true, eps: 0.1 }),
  (a, b) => w.reshape(w.conv2d(image(a), w.reshape(w.tanh(b), [2, 2, 1, 1])), SHAPE),
  (a, b) => w.reshape(w.convTranspose2d(image(a), w.reshape(w.tanh(b), [2, 2, 1, 1])), SHAPE),
];

/** The latest values more often than others: a long program rather than a wide one. */
function pick<T>(stream: Random, values: readonly T[]): T {
  const late = values.slice(-3);
  return stream.uniform() < 0.5 ? late[stream.integer(late.length)]! : values[stream.integer(values.length)]!;
}

/** With up to `deep` levels of parts within parts. What a step draws it draws now: the program is the same whenever it runs. */
function drawStep(stream: Random, count: number, deep: number): Step {
  const indices = Array.from({ length: count }, (_, i) => i);
  const [i, j] = [pick(stream, indices), pick(stream, indices)];
  if (deep > 0 && stream.uniform() < 0.3) {
    const steps = drawSteps(stream, 2, 2 + stream.integer(4), deep - 1);
    // Only what outlives the backward pass may be captured: nothing that is made within a part.
    const captured = deep === DEPTH && stream.uniform() < 0.5 ? stream.integer(count) : undefined;
    return (values, wrap) => {
      const part = (...inputs: Tensor[]): Tensor =>
        run(steps, captured === undefined ? inputs : [inputs[0]!, w.add(inputs[1]!, values[captured]!)], wrap).at(-1)!;
      return wrap(part, values[i]!, values[j]!);
    };
  }
  if (stream.uniform() < 0.5) {
    const f = ofOne[stream.integer(ofOne.length)]!;
    return (values) => f(values[i]!);
  }
  const f = ofTwo[stream.integer(ofTwo.length)]!;
  return (values) => f(values[i]!, values[j]!);
}

const drawSteps = (stream: Random, inputs: number, length: number, deep: number): Step[] =>
  Array.from({ length }, (_, at) => drawStep(stream, inputs + at, deep));

const run = (steps: readonly Step[], inputs: readonly Tensor[], wrap: Wrap): Tensor[] =>
  steps.reduce<Tensor[]>((values, step) => [...values, step(values, wrap)], [...inputs]);

/**
 * A program from `inputs` 2 x 2 matrices to a scalar. `wrap` calls those parts of it that are functions of their own.
 */
export function drawProgram(seed: number, inputs: number): (leaves: readonly Tensor[], wrap: Wrap) => Tensor {
  const stream = random(seed, 'program');
  const steps = drawSteps(stream, inputs, 4 + stream.integer(9), DEPTH);
  return (leaves, wrap) => {
    const values = run(steps, leaves, wrap);
    const ends = [...values.slice(-3), ...leaves].map((value) => w.tanh(value)).reduce((a, b) => w.add(a, b));
    return w.sum(w.mul(ends, w.tensor([0.7, -1.3, 0.4, 2.1], SHAPE)));
  };
}

/** Values for a leaf. */
export const drawValues = (seed: number, leaf: number): Float32Array => random(seed, 'leaf', leaf).normalArray(4);

export const MATRIX = SHAPE;
