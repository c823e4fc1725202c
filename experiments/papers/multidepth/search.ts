// The weights tuned by hand: the paper does not disclose its pair, so a few regression weights are tried, one network each,
// and the best validation SILog of the regression output is taken. The whole search is reported.
import type { RunContext, RunResult } from '../../runner/paper.ts';
import { trainSeries } from '../../runner/series.ts';
import { type Output, outputs } from './evaluation.ts';
import type { TrainingSettings } from './settings.ts';
import { type Cohorts, trainNetwork } from './training.ts';

/** Name of a tried weight's score among the metrics. */
export const scoreName = (output: Output, weight: number): string => `${output} at ${weight}`;

export async function searchWeights(
  context: RunContext,
  settings: TrainingSettings,
  cohorts: Cohorts,
): Promise<RunResult> {
  const { search } = settings;
  const results = await trainSeries(context, search.length, (inner, i) => {
    const objective = { kind: 'constant', regression: search[i]!, classification: 1 } as const;
    // The network of the best weight is kept under the name that other runs use.
    const keep: RunContext['keep'] = (name, ...rest) => context.keep(`${name}-${search[i]}`, ...rest);
    return trainNetwork({ ...inner, keep }, { ...settings, objective }, cohorts);
  });
  const scores = results.map(({ metrics }) => metrics.regression ?? Infinity);
  const at = scores.indexOf(Math.min(...scores));
  const best = results[at]!;
  const tried = search.flatMap((weight, i) =>
    outputs.map((output) => [scoreName(output, weight), results[i]!.metrics[output]!] as const),
  );
  return { ...best, metrics: { ...best.metrics, bestWeight: search[at]!, ...Object.fromEntries(tried) } };
}
