// Learning rate range test (figure 4): one fresh network, a few hundred updates, the rate growing by a constant factor; the
// loss per step, smoothed by an exponential average. Both optimisers have the same rate, as in the paper's single group.
import { exponentialLR, manualSeed, random, scope } from '../../../engine/index.ts';
import type { RunResult } from '../../runner/paper.ts';
import { Samples } from './samples.ts';
import type { TrainingSettings } from './settings.ts';
import { Trainer } from './step.ts';
import type { Cohorts, Surroundings } from './training.ts';
import { Prefetch } from '../../data/prefetch.ts';

const [FIRST_RATE, LAST_RATE] = [1e-8, 10];
/** Share of the past in the smoothed loss, for 250 steps. */
const MEMORY = 0.98;
const PUBLISHED_STEPS = 250;
/** A diverged loss is shown as this; one of a fresh network is about 2.4. */
const CEILING = 100;

/** Decades of the rate at which the smoothed loss is reported. */
export const decades = [-7, -6, -5, -4, -3, -2, -1, 0, 1] as const;
export const lossName = (decade: number): string => `loss at 1e${decade}`;

const clipped = (loss: number): number => (loss < CEILING ? loss : CEILING);

export async function rangeTest(
  context: Surroundings,
  settings: TrainingSettings & { readonly rangeTest: number },
  { train }: Cohorts,
): Promise<RunResult> {
  const steps = settings.rangeTest;
  const gamma = (LAST_RATE / FIRST_RATE) ** (1 / (steps - 1));
  const schedule = exponentialLR(FIRST_RATE, { gamma });
  const samples = new Samples(train, settings, context.seed);
  const queue = new Prefetch((k) => samples.batch(k), { end: steps, ahead: 3 });
  const memory = MEMORY ** (PUBLISHED_STEPS / steps);
  manualSeed(context.seed);
  const trainer = new Trainer(settings);
  const curves = { learningRate: [] as number[], loss: [] as number[], smoothedLoss: [] as number[] };
  let average = 0;
  try {
    for (let k = 0; k < steps; k++) {
      using _ = scope();
      const batch = (await queue.next())!;
      const stream = random(context.seed, 'multidepth dropout', k);
      const loss = clipped(await trainer.step(batch, k, stream, schedule).combined.item());
      average = memory * average + (1 - memory) * loss;
      curves.learningRate.push(schedule(k).lr);
      curves.loss.push(loss);
      curves.smoothedLoss.push(average / (1 - memory ** (k + 1)));
      await context.progress(k + 1, steps);
    }
  } finally {
    trainer.dispose();
  }
  const at = (rate: number): number => {
    const k = Math.round(Math.log(rate / FIRST_RATE) / Math.log(gamma));
    return curves.smoothedLoss[Math.min(steps - 1, k)]!;
  };
  const lowest = curves.smoothedLoss.indexOf(Math.min(...curves.smoothedLoss));
  const metrics = Object.fromEntries(decades.map((decade) => [lossName(decade), at(10 ** decade)]));
  return { metrics: { ...metrics, rateOfLeastLoss: curves.learningRate[lowest]! }, curves };
}
