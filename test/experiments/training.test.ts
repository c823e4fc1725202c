// The training loop on a network of a few weights: stopped at any checkpoint it ends with the same bits; phases, scores and notes;
// and whatever is not finite is named by step, operation and layer, after which the run goes on from a sound checkpoint.
import t, { type Test } from 'tap';
import {
  Adam,
  createDevice,
  liveTensorCount,
  log,
  manualSeed,
  mseLoss,
  mul,
  nn,
  NonFiniteError,
  type Optimizer,
  random,
  relu,
  setDefaultDevice,
  SGD,
  sqrt,
  sum,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { Epochs, type Phase, type Surroundings, train, type Trained, trainSeries } from '../../experiments/index.ts';
import type { Checkpoint } from '../../experiments/runner/checkpoint.ts';
import { decodePosition, encodePosition } from '../../experiments/runner/position.ts';

const device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);
t.teardown(() => device.dispose());

/** A place for checkpoints that fails after `saves` of them, as if the process had been killed. */
class Store implements Surroundings {
  last: string | undefined;
  saved = 0;
  readonly done: number[] = [];
  #left = Infinity;

  stopAfter(saves: number): this {
    this.#left = saves;
    return this;
  }

  resume(): Promise<Checkpoint | undefined> {
    if (this.last === undefined) return Promise.resolve(undefined);
    const { states, position } = JSON.parse(this.last) as { states: [string, [string, number[], number[]][]][]; position: unknown }; // prettier-ignore
    const stateOf = (entries: [string, number[], number[]][]) =>
      new Map(entries.map(([key, shape, values]) => [key, { shape, values: Float32Array.from(values) }]));
    return Promise.resolve({ states: Object.fromEntries(states.map(([name, each]) => [name, stateOf(each)])), position }); // prettier-ignore
  }

  save({ states, position }: Checkpoint): Promise<void> {
    const plain = Object.entries(states).map(([name, state]) => [name, [...state].map(([key, { shape, values }]) => [key, shape, [...values]])]); // prettier-ignore
    this.last = JSON.stringify({ states: plain, position });
    this.saved++;
    return --this.#left === 0 ? Promise.reject(new Error('killed')) : Promise.resolve();
  }

  progress(done: number, total: number): Promise<void> {
    this.done.push(done / total);
    return Promise.resolve();
  }
}

class Net extends nn.Module {
  readonly hidden = new nn.Linear(1, 4);
  readonly out = new nn.Linear(4, 1);

  forward(x: Tensor): Tensor {
    return this.out.forward(relu(this.hidden.forward(x)));
  }
}

interface Options {
  /** Changes a step: its loss is what is returned. */
  readonly meddle?: (loss: Tensor, k: number, models: { teacher: Net; student: Net }) => Tensor;
  readonly rest?: Partial<Phase<number[][]>>;
  readonly optimizer?: (student: Net) => Optimizer;
}

const points = (purpose: string, k: number): number[][] => {
  const stream = random(3, purpose, k);
  return Array.from({ length: 4 }, () => [2 * stream.uniform() - 1]);
};

/** A teacher learns a square, its student from what the teacher's best weights say. */
function teacherAndStudent(store: Store, { meddle = (loss) => loss, rest, optimizer }: Options = {}) {
  manualSeed(1);
  const models = { teacher: new Net(), student: new Net() };
  const { teacher, student } = models;
  const notes = { seen: 0, order: [] as string[], odd: Infinity };
  const entered: string[] = [];
  let pseudo: (xs: number[][]) => Tensor = () => tensor(0);
  const phase = (name: 'teacher' | 'student', by: Optimizer): Phase<number[][]> => ({
    ...{ steps: 7, validateEvery: 3, checkpointEvery: 2, optimizers: [by], keepBest: name },
    batch: (k) => points(name, k),
    step(xs, k) {
      notes.seen += xs.length;
      const target = name === 'teacher' ? tensor(xs.map(([x]) => [x! * x!])) : pseudo(xs);
      const loss = meddle(mseLoss(models[name].forward(tensor(xs)), target), name === 'teacher' ? k : 7 + k, models);
      by.zeroGrad();
      loss.backward();
      by.step();
      return { [`${name} loss`]: loss, [`${name} step`]: k, never: undefined };
    },
    async validate(done) {
      const values = await models[name].forward(tensor([[0.5], [-0.5]])).array();
      const error = Math.abs(values[0]! - 0.25) + Math.abs(values[1]! - 0.25);
      return { curves: { [`${name} error`]: error, [`${name} done`]: done }, score: -error };
    },
  });
  return train(store, {
    modules: models,
    notes,
    phases: [
      phase('teacher', new Adam(teacher.parameters(), { lr: 0.05 })),
      {
        ...phase('student', optimizer?.(student) ?? new SGD(student.parameters(), { lr: 0.05, momentum: 0.9 })),
        begin({ best }: Trained) {
          notes.order.push('begin');
          student.loadStateDict(best.teacher!.weights);
        },
        prepare({ best }: Trained) {
          entered.push('prepare');
          teacher.loadStateDict(best.teacher!.weights);
          pseudo = (xs) => mul(teacher.forward(tensor(xs)), 2).detach();
        },
        ...rest,
      },
    ],
    async finish({ curves, best }: Trained) {
      const weights = [...(await student.stateDict())].map(([key, { values }]) => [key, [...values]]);
      const scores = Object.fromEntries(Object.entries(best).map(([name, { score, step }]) => [name, { score, step }]));
      return { curves, scores, notes: structuredClone(notes), weights, entered };
    },
  });
}

t.test('stopped after any checkpoint it ends with the same bits', async (t) => {
  const live = liveTensorCount();
  const store = new Store();
  const { entered, ...whole } = await teacherAndStudent(store);
  t.equal(liveTensorCount(), live, 'nothing is left in memory');
  t.same(entered, ['prepare']);
  // Both begin with a checkpoint, then 2, 4, 6, 7.
  t.equal(store.saved, 10);
  t.same(whole.curves['teacher done'], [3, 6, 7]);
  t.same(whole.curves['teacher step'], [1, 4, 6], 'means over the steps since the last validation');
  t.same(Object.keys(whole.curves).length, 8);
  t.equal(whole.notes.seen, 2 * 7 * 4);
  t.same(whole.notes.order, ['begin']);
  t.equal(whole.notes.odd, Infinity, 'a note that JSON has no word for');
  t.ok([3, 6, 7].includes(whole.scores.teacher!.step));
  t.equal(store.done.at(-1), 1);
  for (let saves = 1; saves <= 10; saves++) {
    const stopped = new Store().stopAfter(saves);
    await t.rejects(teacherAndStudent(stopped), { message: 'killed' });
    const { entered: again, ...resumed } = await teacherAndStudent(stopped);
    t.same(resumed, whole, `after ${saves} checkpoints`);
    t.same(again, ['prepare']);
  }
  const often = new Store();
  for (;;) {
    try {
      const { entered: _, ...resumed } = await teacherAndStudent(often.stopAfter(1));
      t.same(resumed, whole, 'after every checkpoint, and again from the last one');
      break;
    } catch (error) {
      if ((error as Error).message !== 'killed') throw error;
    }
  }
});

t.test('batches ahead, in order, change nothing', async (t) => {
  const { entered: _, ...whole } = await teacherAndStudent(new Store());
  const { entered: __, ...ahead } = await teacherAndStudent(new Store(), { rest: { ahead: 3 } });
  t.same(ahead, whole);
});

t.test('steps are replayed, with the bits of eager ones', async (t) => {
  /** A training, and how many launches were planned for it one by one. */
  const run = async (eager: boolean) => {
    const launch = device.launch.bind(device);
    let launches = 0;
    device.launch = (...args) => {
      launches++;
      launch(...args);
    };
    const { entered: _, ...result } = await teacherAndStudent(Object.assign(new Store(), { eager }));
    device.launch = launch;
    return { result, launches };
  };
  const [eager, compiled] = [await run(true), await run(false)];
  t.same(compiled.result, eager.result);
  t.ok(compiled.launches < 0.8 * eager.launches, `${compiled.launches} of ${eager.launches} launches`);
});

t.test('the first of equal scores, never NaN', async (t) => {
  const scores = [NaN, 1, 3, NaN, 3, 2];
  const run = async (all: readonly number[]) => {
    const model = new nn.Linear(1, 1);
    const optimizer = new SGD(model.parameters(), { lr: 0 });
    const phase: Phase<number> = {
      ...{ steps: all.length, validateEvery: 1, optimizers: [optimizer], keepBest: 'model' },
      batch: (k) => k,
      step: () => ({}),
      validate: (done) => ({ score: all[done - 1]! }),
    };
    return train(new Store(), { modules: { model }, phases: [phase], finish: ({ best }) => best.model! });
  };
  t.match(await run(scores), { score: 3, step: 3 });
  t.match(await run([NaN, NaN]), { score: -Infinity, step: 1 }, 'if there is nothing else');
});

const poisons: Record<string, [Options, RegExp]> = {
  'a loss': [
    { meddle: (loss, k) => (k === 8 ? log(mul(loss, -1)) : loss) },
    /^student loss is NaN; step 9: 'log' is the first operation with a result that is not finite, outside of modules.*The last checkpoint, of step 7, is sound/,
  ],
  'a gradient alone, in the last step': [
    { meddle: (loss, k, { student }) => (k === 13 ? loss.add(sum(sqrt(mul(student.out.bias!, 0)))) : loss) },
    /^'out\.bias' of student is NaN; step 14: '\w+' is the first operation.*backward/,
  ],
  'a weight': [
    {
      meddle(loss, k, { student }) {
        if (k === 9) student.hidden.weight.device.write(student.hidden.weight.storage, [1, NaN, 1, 1]);
        return loss;
      },
    },
    /is NaN; step 10: '\w+' is the first operation.*The last checkpoint, of step 9, is sound/,
  ],
  'an update': [
    {
      optimizer: (student) => new SGD(student.parameters(), { lr: 1e38, momentum: 0.9 }),
      meddle: (loss, k) => (k === 8 ? mul(loss, 1e38) : loss),
    },
    /; step \d+: '\w+' is the first operation with a result that is not finite.*in layer 'student\.\w+'/,
  ],
  'a step that refuses by itself': [
    {
      meddle(loss, k) {
        if (k === 10) throw new NonFiniteError('the norm of the gradients is Infinity', { operation: 'clipGradNorm' });
        return loss;
      },
    },
    /^the norm of the gradients is Infinity; step 11: /,
  ],
};

for (const [name, [options, message]] of Object.entries(poisons)) {
  t.test(`not finite: ${name}`, async (t) => {
    const live = liveTensorCount();
    const { entered: _, ...whole } = await teacherAndStudent(new Store(), name === 'an update' ? { optimizer: (student) => new SGD(student.parameters(), { lr: 0.05, momentum: 0.9 }) } : {}); // prettier-ignore
    const store = new Store();
    await t.rejects(teacherAndStudent(store, options), { name: 'NonFiniteError', message });
    t.equal(liveTensorCount(), live, 'nothing is left in memory');
    t.notMatch(JSON.stringify((JSON.parse(store.last!) as Checkpoint).states), /null/, 'the checkpoint is sound');
    const { entered: __, ...resumed } = await teacherAndStudent(store);
    t.same(resumed, whole, 'the run goes on when the cause is removed, and ends with the same bits');
  });
}

t.test('not finite once and never again, or without checkpoints', async (t) => {
  let times = 0;
  const once = teacherAndStudent(new Store(), {
    meddle: (loss, k) => (k === 8 && times++ === 0 ? log(mul(loss, -1)) : loss),
  });
  await t.rejects(once, /^student loss is NaN after step \d+, and was finite when the steps were repeated.*is sound/);
  const none = Object.assign(new Store(), { resume: () => Promise.resolve(undefined) });
  await t.rejects(
    teacherAndStudent(none, poisons['a loss']![0]),
    /^student loss is NaN after step \d+\. Save checkpoints/,
  );
});

t.test('a phase that may diverge goes on', async (t) => {
  const { curves, notes } = await teacherAndStudent(new Store(), {
    meddle: (loss, k) => (k === 8 ? log(mul(loss, -1)) : loss),
    rest: { mayDiverge: true },
  });
  t.same(curves['student loss']!.map(Number.isNaN), [true, false, false]);
  t.equal(notes.seen, 56);
});

t.test('an infinite buffer is nobody’s fault, a NaN in one is', async (t) => {
  class Masked extends nn.Module {
    readonly weight = new nn.Linear(1, 1);
    readonly mask = new nn.Buffer(tensor([0, -Infinity]).storage, [2]);
  }
  const run = (spoil: boolean) => {
    const model = new Masked();
    const phase: Phase<number> = {
      ...{ steps: 2, optimizers: [] },
      batch: (k) => k,
      step() {
        if (spoil) model.mask.device.write(model.mask.storage, [0, NaN]);
        return {};
      },
    };
    return train(new Store(), { modules: { model }, phases: [phase], finish: () => 'done' });
  };
  t.equal(await run(false), 'done');
  await t.rejects(run(true), /'mask' of model is NaN/);
});

t.test('a series goes on with the training that was stopped', async (t) => {
  const run = (store: Store) =>
    trainSeries(store, 3, async (inner, i) => {
      manualSeed(i);
      const model = new nn.Linear(1, 1);
      const optimizer = new SGD(model.parameters(), { lr: 0.1 });
      const phase: Phase<number> = {
        ...{ steps: 4, checkpointEvery: 2, optimizers: [optimizer] },
        batch: (k) => k,
        step(k) {
          const loss = mseLoss(model.forward(tensor([[k]])), tensor([[i]]));
          optimizer.zeroGrad();
          loss.backward();
          optimizer.step();
          return { loss };
        },
      };
      return train(inner, { modules: { model }, phases: [phase], finish: ({ curves }) => curves.loss! });
    });
  const whole = await run(new Store());
  t.equal(new Set(whole.map(String)).size, 3);
  for (let saves = 1; saves <= 9; saves++) {
    const store = new Store().stopAfter(saves);
    await t.rejects(run(store), { message: 'killed' });
    t.same(await run(store), whole, `after ${saves} checkpoints`);
  }
});

t.test('positions keep every number, epochs find every batch', (t: Test) => {
  const position = { a: [NaN, 1, -Infinity], b: { c: Infinity, d: null, e: 'x', f: [] } };
  t.same(decodePosition(JSON.parse(JSON.stringify(encodePosition(position)))), position);
  const epochs = new Epochs((epoch) => [0, 1, 2].map((batch) => `${epoch}.${batch}`));
  t.equal(epochs.length, 3);
  t.same([0, 2, 3, 4, 1, 8].map((k) => epochs.at(k)), ['0.0', '0.2', '1.0', '1.1', '0.1', '2.2']); // prettier-ignore
  t.end();
});
