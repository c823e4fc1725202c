// Groups of parameters in every optimiser, and the schedules that move the rate of each: against optimisers of one group, and
// against torch.optim (PyTorch 1.13).
import t from 'tap';
import * as w from '../../engine/index.ts';

const device = await w.createDevice('wasm', { threads: 1 });
w.setDefaultDevice(device);
t.teardown(() => device.dispose());

type Make = (parameters: w.OptimizerParameters<w.SgdOptions>, options: w.SgdOptions) => w.Optimizer;

const makers: Readonly<Record<string, Make>> = {
  SGD: (parameters, options) => new w.SGD(parameters, { momentum: 0.9, ...options }),
  Adam: (parameters, options) => new w.Adam(parameters, options),
  AdamW: (parameters, options) => new w.AdamW(parameters, options),
  RMSprop: (parameters, options) => new w.RMSprop(parameters, options),
};

const pair = (): w.Parameter[] => [w.parameter([1, -2], [2]), w.parameter([0.5, 3, -1], [3])];

function train(parameters: readonly w.Parameter[], optimizers: readonly w.Optimizer[]): void {
  for (let step = 0; step < 4; step++) {
    using _ = w.scope();
    for (const optimizer of optimizers) optimizer.zeroGrad();
    for (const parameter of parameters) w.sum(w.square(w.affine(parameter, 1, -step))).backward();
    for (const optimizer of optimizers) optimizer.step();
  }
}

const read = (parameters: readonly w.Parameter[]): Promise<w.HostArray[]> =>
  Promise.all(parameters.map((parameter) => parameter.array()));

for (const [name, make] of Object.entries(makers)) {
  t.test(name, async (t) => {
    const [grouped, apart] = [pair(), pair()];
    const both = make([{ params: [grouped[0]!] }, { params: [grouped[1]!], lr: 0.3, weightDecay: 0.1 }], { lr: 0.1 });
    train(grouped, [both]);
    train(apart, [make([apart[0]!], { lr: 0.1 }), make([apart[1]!], { lr: 0.3, weightDecay: 0.1 })]);
    t.same(await read(grouped), await read(apart), 'as an optimiser for each');
    t.same(both.parameters, grouped);
    t.same(
      both.groups.map(({ options }) => options.lr),
      [0.1, 0.3],
    );
    const state = await both.stateDict();
    t.same([...new Set([...state.keys()].map((key) => key.split('.')[0]))], ['0', '1'], 'state counts across groups');
    const [again, values] = [pair(), await read(grouped)];
    again.forEach((parameter, i) => parameter.device.write(parameter.storage, Float32Array.from(values[i]!)));
    const resumed = make([{ params: [again[0]!] }, { params: [again[1]!], lr: 0.3, weightDecay: 0.1 }], { lr: 0.1 });
    resumed.loadStateDict(state);
    train(again, [resumed]);
    train(grouped, [both]);
    t.same(await read(again), await read(grouped), 'and goes on from its state');
  });
}

t.test('what groups refuse', (t) => {
  const [a, b] = pair() as [w.Parameter, w.Parameter];
  const sgd = (groups: unknown) => () => new w.SGD(groups as w.Parameter[], { lr: 0.1 });
  t.throws(sgd([{ params: [a], learningRate: 1 }]), { name: 'ConfigError', details: { operation: 'SGD' } });
  t.throws(sgd([{ params: [a], lr: 'fast' }]), { name: 'ConfigError', details: { argument: 'lr' } });
  t.throws(sgd([{ params: [a], lr: -1 }]), { name: 'ConfigError', details: { argument: 'lr' } });
  t.throws(sgd([{ params: [a] }, b]), { name: 'ConfigError', details: { argument: 'parameters[1]' } });
  t.throws(sgd([{ params: [a] }, { params: [a] }]), { name: 'ConfigError', details: { argument: 'parameters[1]' } });
  t.throws(sgd([{ params: a }]), { name: 'DTypeError' });
  t.throws(sgd([{ params: [] }]), { name: 'ConfigError' });
  t.throws(sgd([{ params: [a], nesterov: true }]), { name: 'ConfigError', details: { argument: 'nesterov' } });
  t.throws(() => new w.Adam([{ params: [a], betas: 5 as never }]), {
    name: 'ConfigError',
    details: { argument: 'betas' },
  });
  t.end();
});

t.test('schedules by group', (t) => {
  const [a, b] = pair() as [w.Parameter, w.Parameter];
  const optimizer = new w.SGD([{ params: [a] }, { params: [b], lr: 1 }], { lr: 0.1 });
  const rates = (): number[] => optimizer.groups.map(({ options }) => options.lr);
  w.applySchedule(optimizer, [w.stepLR(0.1, { stepSize: 1 }), w.lambdaLR(1, (t) => 1 / (1 + t))], 1);
  t.same(rates(), [0.1 * 0.1, 0.5]);
  w.applySchedule(
    optimizer,
    w.lambdaLR(2, () => 0.5),
    0,
  );
  t.same(rates(), [1, 1], 'one serves all');
  t.throws(() => w.applySchedule(optimizer, [w.lambdaLR(1, () => 1)], 0), {
    name: 'ConfigError',
    details: { operation: 'applySchedule', argument: 'schedule' },
  });
  t.end();
});

t.test('warm-up as torch', (t) => {
  const schedule = w.linearLR(0.1, { startFactor: 0.25, endFactor: 0.8, totalIters: 4 });
  [0.025, 0.03875, 0.0525, 0.06625, 0.08, 0.08, 0.08].forEach((lr, step) => {
    t.ok(Math.abs(schedule(step).lr - lr) < 1e-12, `step ${step}`);
  });
  t.end();
});

const metrics = [5, 4, 4.5, 4.2, 4.1, 3.9999, 3, 3.1, NaN, 3.2, 3.3, 3.4, 2, 2.5, 2.6, 2.7, 2.8, 2.9, 2.95];
const plateaus: readonly [w.PlateauOptions, readonly (readonly number[])[]][] = [
  [
    { patience: 1, factor: 0.5 },
    [
      [0.1, 0.02],
      [0.1, 0.02],
      [0.1, 0.02],
      [0.05, 0.01],
      [0.05, 0.01],
      [0.025, 0.005],
      [0.025, 0.005],
      [0.025, 0.005],
      [0.0125, 0.0025],
      [0.0125, 0.0025],
      [0.00625, 0.00125],
      [0.00625, 0.00125],
      [0.00625, 0.00125],
      [0.00625, 0.00125],
      [0.003125, 0.000625],
      [0.003125, 0.000625],
      [0.0015625, 0.0003125],
      [0.0015625, 0.0003125],
      [0.00078125, 0.00015625],
    ],
  ],
  [
    { patience: 0, factor: 0.1, cooldown: 2, minLr: 0.001 },
    [
      [0.1, 0.02],
      [0.1, 0.02],
      [0.01, 0.002],
      [0.01, 0.002],
      [0.01, 0.002],
      [0.001, 0.001],
      [0.001, 0.001],
      [0.001, 0.001],
      [0.001, 0.001],
      [0.001, 0.001],
      [0.001, 0.001],
      [0.001, 0.001],
      [0.001, 0.001],
      [0.001, 0.001],
      [0.001, 0.001],
      [0.001, 0.001],
      [0.001, 0.001],
      [0.001, 0.001],
      [0.001, 0.001],
    ],
  ],
  [
    { patience: 2, mode: 'max', threshold: 0.2, thresholdMode: 'abs', factor: 0.3 },
    [
      [0.1, 0.02],
      [0.1, 0.02],
      [0.1, 0.02],
      [0.03, 0.006],
      [0.03, 0.006],
      [0.03, 0.006],
      [0.009, 0.0018],
      [0.009, 0.0018],
      [0.009, 0.0018],
      [0.0027, 0.00054],
      [0.0027, 0.00054],
      [0.0027, 0.00054],
      [0.00081, 0.000162],
      [0.00081, 0.000162],
      [0.00081, 0.000162],
      [0.000243, 4.86e-5],
      [0.000243, 4.86e-5],
      [0.000243, 4.86e-5],
      [7.29e-5, 1.458e-5],
    ],
  ],
];

t.test('plateau as torch', (t) => {
  for (const [options, expected] of plateaus) {
    const [a, b] = pair() as [w.Parameter, w.Parameter];
    const optimizer = new w.SGD(
      [
        { params: [a], lr: 0.1 },
        { params: [b], lr: 0.02 },
      ],
      { lr: 1 },
    );
    const plateau = new w.ReduceLROnPlateau(optimizer, options);
    metrics.forEach((metric, i) => {
      plateau.step(metric);
      const off = optimizer.groups.map((group, k) => Math.abs(group.options.lr / expected[i]![k]! - 1));
      t.ok(Math.max(...off) < 1e-12, `${JSON.stringify(options)}, result ${i}`);
    });
  }
  t.end();
});
