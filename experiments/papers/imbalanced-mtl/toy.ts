// The toy problem (section "toy example", table 2): f1 is known at 640 points of [0, 1], f2 at the first 160 of them.
// A teacher that sees (z, f1) is trained on the 160, labels the 640, and a student that sees z alone learns from those.
import { Adam, manualSeed, mseLoss, noGrad, random, scope, type Tensor, tensor } from '../../../engine/index.ts';
import { Perceptron } from '../../../models/index.ts';
import type { RunContext, RunResult } from '../../runner/paper.ts';

export interface ToySettings {
  readonly points: number;
  /** How many of them have f2. */
  readonly labelled: number;
  readonly hidden: readonly number[];
  readonly batch: number;
  readonly epochs: number;
  readonly learningRate: number;
}

export const f1 = (z: number): number => Math.sin(z) + Math.sqrt(z) / 300 + 2 + 3 * Math.sin(5 * z) * Math.cos(2 * z);
export const f2 = (z: number): number => Math.cos(z / 3) + Math.sqrt(z) / 200 + 1 - Math.sin(3 * z) * Math.cos(4 * z);

/** Errors are measured at this many equidistant points of [0, 1]. */
const TEST_POINTS = 1001;

type Scale = { readonly mean: number; readonly deviation: number };

function scaleOf(values: readonly number[]): Scale {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/** Columns side by side, row-major. */
const columns = (...lists: readonly (readonly number[])[]): number[][] =>
  lists[0]!.map((_, i) => lists.map((list) => list[i]!));

async function predict(model: Perceptron, inputs: number[][]): Promise<number[]> {
  using _step = scope();
  const output = noGrad(() => model.forward(tensor(inputs)));
  const values = await output.array();
  const width = output.shape[1]!;
  return inputs.map((_, i) => values[i * width]!);
}

interface Task {
  readonly model: Perceptron;
  readonly inputs: number[][];
  readonly targets: number[][];
  /** Called before the first update and after each one with the number of updates made. */
  readonly watch?: (updates: number) => Promise<void>;
}

/** Trains one network and yields after each update with the number of updates made. */
async function* train(context: RunContext, settings: ToySettings, name: string, updates: number, task: Task) {
  const { model, inputs, targets } = task;
  const optimizer = new Adam(model.parameters(), { lr: settings.learningRate });
  const outputs = targets[0]!.length;
  let made = 0;
  for (let epoch = 0; made < updates; epoch++) {
    const order = random(context.seed, `toy shuffle of ${name}`, epoch).permutation(inputs.length);
    for (let at = 0; at < inputs.length && made < updates; at += settings.batch) {
      using _step = scope();
      const rows = [...order.subarray(at, at + settings.batch)];
      const x = tensor(rows.map((row) => inputs[row]!));
      const y = tensor(rows.map((row) => targets[row]!));
      // The sum over outputs of each one's mean squared error.
      const loss: Tensor = mseLoss(model.forward(x), y).mul(outputs);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      yield ++made;
    }
  }
  optimizer.dispose();
}

/** Trains all networks of one seed. Metrics are `<network> mse` and `<network> mae` of f2, in original units. */
export async function trainToy(context: RunContext, settings: ToySettings): Promise<RunResult> {
  const { points, labelled, hidden, batch, epochs } = settings;
  const draw = random(context.seed, 'toy points');
  const z = Array.from({ length: points }, () => draw.uniform());
  const scale1 = scaleOf(z.map(f1));
  const scale2 = scaleOf(z.slice(0, labelled).map(f2));
  const position = (at: number): number => 2 * at - 1;
  const y1 = (at: number): number => (f1(at) - scale1.mean) / scale1.deviation;
  const y2 = (at: number): number => (f2(at) - scale2.mean) / scale2.deviation;

  const test = Array.from({ length: TEST_POINTS }, (_, i) => i / (TEST_POINTS - 1));
  const metrics: Record<string, number> = {};
  const measure = async (network: string, model: Perceptron, inputs: number[][]): Promise<void> => {
    const errors = (await predict(model, inputs)).map((y, i) => y * scale2.deviation + scale2.mean - f2(test[i]!));
    metrics[`${network} mse`] = errors.reduce((sum, error) => sum + error * error, 0) / errors.length;
    metrics[`${network} mae`] = errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length;
  };

  manualSeed(context.seed);
  const single = new Perceptron([1, ...hidden, 1]);
  const multi = new Perceptron([1, ...hidden, 2]);
  const teacher = new Perceptron([2, ...hidden, 2]);
  const student = new Perceptron([1, ...hidden, 1]);

  const few = z.slice(0, labelled);
  const short = epochs * Math.ceil(labelled / batch);
  const long = epochs * Math.ceil(points / batch);
  const total = 2 * short + 2 * long;
  let before = 0;
  const run = async (name: string, updates: number, task: Task): Promise<void> => {
    for await (const made of train(context, settings, name, updates, task)) {
      await task.watch?.(made);
      await context.progress(before + made, total);
    }
    before += updates;
  };

  const testZ = columns(test.map(position));
  const at = (update: number, network: string, model: Perceptron) => async (made: number) => {
    if (made === update) await measure(network, model, testZ);
  };
  const singleData = { inputs: columns(few.map(position)), targets: columns(few.map(y2)) };
  // The control "ST with the student's updates" is the same training, gone on with.
  await run('ST', long, { model: single, ...singleData, watch: at(short, 'ST', single) });
  await measure('ST, updates of T-S', single, testZ);

  const bothTargets = columns(few.map(y2), few.map(y1));
  await run('MTL', short, { model: multi, inputs: columns(few.map(position)), targets: bothTargets });
  await measure('MTL', multi, testZ);

  const withF1 = (list: number[]): number[][] => columns(list.map(position), list.map(y1));
  await run('teacher', short, { model: teacher, inputs: withF1(few), targets: bothTargets });
  await measure('teacher', teacher, withF1(test));

  const pseudo = await predict(teacher, withF1(z));
  const studentData = { inputs: columns(z.map(position)), targets: columns(pseudo) };
  await run('student', long, { model: student, ...studentData, watch: at(short, 'T-S, updates of ST', student) });
  await measure('T-S', student, testZ);

  for (const model of [single, multi, teacher, student]) model.dispose();
  return { metrics };
}
