// Learning-rate schedules at their borders, as torch.optim.lr_scheduler has them (schedules.json, by schedule_torch.py), and
// what they set in each optimiser.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import * as w from '../../engine/index.ts';
import { repositoryRoot } from '../shared-data.ts';

interface Row {
  name: string;
  options: Record<string, unknown>;
  algorithm: 'SGD' | 'Adam';
  /** Rate, and momentum or beta1, at steps 0, 1, ...; null where torch divides by zero. */
  values: [number, number][] | null;
}

const rows = JSON.parse(readFileSync(join(repositoryRoot(), 'test/engine/schedules.json'), 'utf8')) as Row[];

const device = await w.createDevice('reference');
w.setDefaultDevice(device);
const weight = w.parameter([1], [1]);
t.teardown(() => device.dispose());

const schedules: Readonly<Record<string, (options: never) => w.Schedule>> = {
  polynomialLR: (options) => w.polynomialLR(0.1, options),
  stepLR: (options) => w.stepLR(0.1, options),
  multiStepLR: (options) => w.multiStepLR(0.1, options),
  cosineLR: (options) => w.cosineLR(0.1, options),
  exponentialLR: (options) => w.exponentialLR(0.1, options),
  oneCycleLR: (options) => w.oneCycleLR(options),
};

const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-12 + 1e-9 * Math.abs(b);

t.test('values of torch, step by step', (t) => {
  for (const { name, options, algorithm, values } of rows) {
    const label = `${name} ${JSON.stringify(options)}, ${algorithm}`;
    const make = (): w.Schedule => schedules[name]!(options as never);
    if (values === null) {
      t.throws(make, w.ConfigError, `${label} is refused`);
      continue;
    }
    const schedule = make();
    const optimizer =
      algorithm === 'SGD' ? new w.SGD([weight], { lr: 0.1, momentum: 0.9 }) : new w.Adam([weight], { lr: 0.1 });
    const given = values.map((_, step) => {
      w.applySchedule(optimizer, schedule, step);
      const momentum =
        optimizer instanceof w.Adam ? (optimizer.options.betas?.[0] ?? 0.9) : optimizer.options.momentum!;
      return [optimizer.options.lr, momentum] as const;
    });
    const differs = values.findIndex(([lr, momentum], i) => !close(given[i]![0], lr) || !close(given[i]![1], momentum));
    t.equal(differs, -1, `${label}: ${JSON.stringify(given[differs])} for ${JSON.stringify(values[differs])}`);
  }
  t.end();
});

t.test('a cycle ends', (t) => {
  for (const options of [{}, { annealStrategy: 'linear' }, { threePhase: true }, { pctStart: 1 }] as const) {
    const schedule = w.oneCycleLR({ maxLr: 0.1, totalSteps: 10, ...options });
    t.ok(schedule(9).lr > 0);
    for (const step of [10, 11, 12, 1000, -1, NaN]) t.throws(() => schedule(step), /'t'.*from 0 to 9/);
  }
  t.throws(() => w.oneCycleLR({ maxLr: 1, totalSteps: 10, pctStart: 0.1 }), /no steps to rise in.*0.1.*Give 0/);
  t.throws(() => w.multiStepLR(1, { milestones: [1.5] }), /milestones\[0\]/);
  t.end();
});

t.test('the momentum goes where the optimiser reads it', (t) => {
  const schedule: w.Schedule = () => ({ lr: 0.5, momentum: 0.7 });
  const optimizers = {
    sgd: new w.SGD([weight], { lr: 1 }),
    rmsprop: new w.RMSprop([weight]),
    adam: new w.Adam([weight], { betas: [0.8, 0.99] }),
    adamw: new w.AdamW([weight]),
  };
  for (const optimizer of Object.values(optimizers)) w.applySchedule(optimizer, schedule, 0);
  t.same(optimizers.sgd.options, { lr: 0.5, momentum: 0.7 });
  t.same(optimizers.rmsprop.options, { lr: 0.5, momentum: 0.7 });
  t.same(optimizers.adam.options, { lr: 0.5, betas: [0.7, 0.99] });
  t.same(optimizers.adamw.options, { lr: 0.5, betas: [0.7, 0.999] });
  t.throws(() => w.applySchedule(optimizers.adam, () => ({ lr: 1, momentum: 1 }), 0), /'beta1'/);
  t.same(optimizers.adam.options, { lr: 0.5, betas: [0.7, 0.99] }, 'nothing is set by halves');

  class Plain extends w.Optimizer {
    protected override update(): void {}
    protected override slotNames(): readonly string[] {
      return [];
    }
  }
  const plain = new Plain([weight], { lr: 1 });
  t.throws(() => w.applySchedule(plain, schedule, 0), /no momentum.*cycleMomentum: false/);
  w.applySchedule(plain, w.stepLR(0.25, { stepSize: 1 }), 0);
  t.equal(plain.options.lr, 0.25);
  t.end();
});

t.test("Adam's step uses the beta1 that a cycle sets", async (t) => {
  const stepped = async (momentum?: number): Promise<number> => {
    const p = w.parameter([1], [1]);
    const optimizer = new w.Adam([p], { lr: 0.1, eps: 0 });
    for (const gradient of [1, -3]) {
      p.grad = w.tensor([gradient], [1]);
      w.applySchedule(optimizer, () => ({ lr: 0.1, ...(momentum !== undefined && { momentum }) }), 0);
      optimizer.step();
    }
    const value = await p.item();
    optimizer.dispose();
    p.dispose();
    return value;
  };
  // m = 0.5 * 0.5 - 0.5 * 3 = -1.25, over 1 - 0.5^2; v = 0.999 * 0.001 + 0.001 * 9, over 1 - 0.999^2.
  const expected = 1 - 0.1 + (0.1 * (1.25 / 0.75)) / Math.sqrt((0.999 * 0.001 + 0.009) / (1 - 0.999 ** 2));
  t.ok(Math.abs((await stepped(0.5)) - expected) < 1e-6);
  t.not(await stepped(), await stepped(0.5));
});
