// Learning rate range test (figure 4): one fresh network, a few hundred updates, the rate growing by a constant factor; the
// loss per step, smoothed by an exponential average. Both optimisers have the same rate, as in the paper's single group.
import { exponentialLR, manualSeed } from '../../../engine/index.ts';
import type { RunContext, RunResult } from '../../runner/paper.ts';
import { train } from '../../runner/training.ts';
import { type HostBatch, Samples } from './samples.ts';
import type { RangeTest, TrainingSettings } from './settings.ts';
import { Trainer } from './step.ts';
import { AHEAD, type Cohorts, dropoutOf } from './training.ts';

/** Decades of the rate at which the smoothed loss is reported. */
export const decades = [-7, -6, -5, -4, -3, -2, -1, 0, 1] as const;
export const lossName = (decade: number): string => `loss at 1e${decade}`;

export function rangeTest(
  context: RunContext,
  settings: TrainingSettings & { readonly rangeTest: RangeTest },
  cohorts: Pick<Cohorts, 'train'>,
): Promise<RunResult> {
  const { seed } = context;
  const { steps, rates, memory, ceiling } = settings.rangeTest;
  const gamma = (rates[1] / rates[0]) ** (1 / (steps - 1));
  const schedule = exponentialLR(rates[0], { gamma });
  const samples = new Samples(cohorts.train, settings, seed);
  manualSeed(seed);
  const trainer = new Trainer(settings);
  const { modules, optimizers } = trainer;
  const notes = { average: 0 };
  return train<HostBatch, RunResult>(context, {
    modules,
    notes,
    phases: [
      {
        ...{ steps, validateEvery: 1, checkpointEvery: settings.checkpointEvery, optimizers, ahead: AHEAD },
        mayDiverge: true,
        batch: (k) => samples.batch(k),
        async step(batch, k) {
          const { combined } = await trainer.step(batch, k, dropoutOf(seed, k), { parts: context.parts, schedule });
          const value = await combined.item();
          // Neither is NaN below the ceiling.
          const loss = value < ceiling ? value : ceiling;
          notes.average = memory * notes.average + (1 - memory) * loss;
          return { loss };
        },
        validate: (done) => ({
          curves: { learningRate: schedule(done - 1).lr, smoothedLoss: notes.average / (1 - memory ** done) },
        }),
      },
    ],
    finish({ curves, stalls }) {
      const [learningRate, smoothed] = [curves.learningRate!, curves.smoothedLoss!];
      const at = (rate: number): number => {
        const k = Math.round(Math.log(rate / rates[0]) / Math.log(gamma));
        return smoothed[Math.min(steps - 1, k)]!;
      };
      const lowest = smoothed.indexOf(Math.min(...smoothed));
      const metrics = Object.fromEntries(decades.map((decade) => [lossName(decade), at(10 ** decade)]));
      return { metrics: { ...metrics, rateOfLeastLoss: learningRate[lowest]! }, curves, diagnostics: { stalls } };
    },
  });
}
