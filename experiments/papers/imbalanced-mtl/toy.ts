// The toy problem (section "toy example", table 2): f1 is known at 640 points of [0, 1], f2 at the first 160 of them.
// A teacher that sees (z, f1) is trained on the 160, labels the 640, and a student that sees z alone learns from those.
import { Adam, manualSeed, mseLoss, noGrad, random, scope, tensor } from '../../../engine/index.ts';
import { Perceptron } from '../../../models/index.ts';
import { batchesIn, Epochs } from '../../runner/epochs.ts';
import type { RunContext, RunResult } from '../../runner/paper.ts';
import { Parts, shareOf } from '../../parallel/parts.ts';
import { mean } from '../../runner/mean.ts';
import { type Phase, train } from '../../runner/training.ts';
import { toyPicture } from './toy-panels.ts';
import type { ToySettings } from './toy-settings.ts';

export const f1 = (z: number): number => Math.sin(z) + Math.sqrt(z) / 300 + 2 + 3 * Math.sin(5 * z) * Math.cos(2 * z);
export const f2 = (z: number): number => Math.cos(z / 3) + Math.sqrt(z) / 200 + 1 - Math.sin(3 * z) * Math.cos(4 * z);

function scaleOf(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const centre = mean(values);
  return { mean: centre, deviation: Math.sqrt(mean(values.map((value) => (value - centre) ** 2))) };
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

/** Pairs of inputs and targets, one row for each point. */
interface Examples {
  readonly inputs: readonly number[][];
  targets: readonly number[][];
}

/**
 * Trains all networks of one seed. Metrics are `<network> mse` and `<network> mae` of f2, in original units;
 * curves, over epochs of the points that have f2, `error of <network>` and `loss of <network>`.
 */
export function trainToy(context: RunContext, settings: ToySettings): Promise<RunResult> {
  const { seed, parts = new Parts() } = context;
  const { points, labelled, hidden, batch, epochs, learningRate: lr, testPoints } = settings;
  const draw = random(seed, 'toy points');
  const z = Array.from({ length: points }, () => draw.uniform());
  const few = z.slice(0, labelled);
  const scale1 = scaleOf(z.map(f1));
  const scale2 = scaleOf(few.map(f2));
  const position = (at: number): number => 2 * at - 1;
  const y1 = (at: number): number => (f1(at) - scale1.mean) / scale1.deviation;
  const y2 = (at: number): number => (f2(at) - scale2.mean) / scale2.deviation;
  const alone = (list: number[]): number[][] => columns(list.map(position));
  const withF1 = (list: number[]): number[][] => columns(list.map(position), list.map(y1));
  const bothTargets = columns(few.map(y2), few.map(y1));
  const test = Array.from({ length: testPoints }, (_, i) => i / (testPoints - 1));

  manualSeed(seed);
  const single = new Perceptron([1, ...hidden, 1]);
  const multi = new Perceptron([1, ...hidden, 2]);
  const teacher = new Perceptron([2, ...hidden, 2]);
  const student = new Perceptron([1, ...hidden, 1]);

  /** Predictions of ST are those at the end of its own epochs: it goes on for a control. */
  const notes = { metrics: {} as Record<string, number>, single: [] as number[] };
  /** f2 at the test points, in original units. */
  const valuesOf = async (model: Perceptron): Promise<number[]> => {
    const outputs = await predict(model, model === teacher ? withF1(test) : alone(test));
    return outputs.map((y) => y * scale2.deviation + scale2.mean);
  };
  const errorsOf = async (model: Perceptron): Promise<{ mse: number; mae: number }> => {
    const errors = (await valuesOf(model)).map((value, i) => value - f2(test[i]!));
    return { mse: mean(errors.map((error) => error * error)), mae: mean(errors.map(Math.abs)) };
  };

  const epoch = Math.ceil(labelled / batch);
  const short = epochs * epoch;
  const long = epochs * Math.ceil(points / batch);
  /** A network that learns from examples and is measured under the names of `measured` after so many updates. */
  const phase = (
    name: string,
    model: Perceptron,
    examples: Examples,
    measured: Readonly<Record<number, string>>,
    prepare?: () => Promise<void>,
  ): Phase<Examples> => {
    const optimizer = new Adam(model.parameters(), { lr });
    const count = examples.inputs.length;
    const shuffled = new Epochs((epoch) =>
      batchesIn(random(seed, `toy shuffle of ${name}`, epoch).permutation(count), batch),
    );
    const updates = Object.keys(measured).map(Number);
    return {
      ...(prepare ? { prepare } : {}),
      steps: Math.max(...updates),
      validateEvery: epoch,
      checkpointEvery: Math.min(...updates),
      optimizers: [optimizer],
      batch(k) {
        const rows = [...shuffled.at(k)];
        const { inputs, targets } = examples;
        return { inputs: rows.map((row) => inputs[row]!), targets: rows.map((row) => targets[row]!) };
      },
      async step({ inputs, targets }) {
        const all = { size: inputs.length, modules: [model], losses: ['loss'] };
        const { loss } = await parts.accumulate(all, ({ from, to, share }) => {
          // The sum over outputs of each one's mean squared error.
          const [rows, wanted] = [inputs.slice(from, to), targets.slice(from, to)];
          const loss = shareOf(mseLoss(model.forward(tensor(rows)), tensor(wanted)).mul(wanted[0]!.length), share);
          optimizer.zeroGrad();
          loss.backward();
          return { loss };
        });
        optimizer.step();
        return { [`loss of ${name}`]: loss };
      },
      async validate(done) {
        const { mse, mae } = await errorsOf(model);
        const network = measured[done];
        if (network) Object.assign(notes.metrics, { [`${network} mse`]: mse, [`${network} mae`]: mae });
        if (network === 'ST') notes.single = await valuesOf(model);
        return { curves: { [`error of ${name}`]: mse } };
      },
    };
  };

  const forSingle: Examples = { inputs: alone(few), targets: columns(few.map(y2)) };
  const forMulti: Examples = { inputs: alone(few), targets: bothTargets };
  const forTeacher: Examples = { inputs: withF1(few), targets: bothTargets };
  const forStudent: Examples = { inputs: alone(z), targets: [] };
  /** What a panel of Figure 3 shows of a network. */
  const panelOf = (caption: string, values: readonly number[]) => {
    const along = (list: readonly number[], f: (z: number) => number) => list.map((at) => [at, f(at)] as const);
    const network = values.map((value, i) => [test[i]!, value] as const);
    return {
      caption,
      f1: { curve: along(test, f1), points: along(z, f1) },
      f2: { curve: along(test, f2), points: along(few, f2) },
      network,
    };
  };

  return train<Examples, RunResult>(context, {
    modules: { single, multi, teacher, student },
    notes,
    phases: [
      // The control "ST with the student's updates" is the same training, gone on with.
      phase('ST', single, forSingle, { [short]: 'ST', [long]: 'ST, updates of T-S' }),
      phase('MTL', multi, forMulti, { [short]: 'MTL' }),
      phase('teacher', teacher, forTeacher, { [short]: 'teacher' }),
      phase('student', student, forStudent, { [short]: 'T-S, updates of ST', [long]: 'T-S' }, async () => {
        forStudent.targets = columns(await predict(teacher, withF1(z)));
      }),
    ],
    async finish({ curves }) {
      const panels = [
        panelOf('ST', notes.single),
        panelOf('MTL', await valuesOf(multi)),
        panelOf('T-S', await valuesOf(student)),
      ];
      return { metrics: notes.metrics, curves, pictures: [await toyPicture(panels)] };
    },
  });
}
