// The weights tuned by hand: the paper does not disclose its pair, so a few regression weights are tried, one network each,
// and the best validation SILog of the regression output is taken. The whole search is reported.
import type { RunResult } from '../../runner/paper.ts';
import type { TrainingSettings } from './settings.ts';
import { type Cohorts, type Surroundings, trainNetwork } from './training.ts';

interface Position {
  /** Results of the weights tried so far. */
  done: RunResult[];
  /** Where the present network stands. */
  inner: unknown;
}

/** Name of a tried weight's score among the metrics. */
export const scoreName = (output: 'regression' | 'classification', weight: number): string => `${output} at ${weight}`;

const scoreOf = ({ metrics }: RunResult): number => metrics.regression ?? Infinity;

export async function searchWeights(
  context: Surroundings,
  settings: TrainingSettings,
  cohorts: Cohorts,
): Promise<RunResult> {
  const { search } = settings;
  const checkpoint = await context.resume();
  const position = (checkpoint?.position ?? { done: [], inner: undefined }) as Position;
  let states = checkpoint?.states;
  for (let i = position.done.length; i < search.length; i++) {
    const inner: Surroundings = {
      ...context,
      resume: () => Promise.resolve(states ? { states, position: position.inner } : undefined),
      save: (saved) => context.save({ states: saved.states, position: { done: position.done, inner: saved.position } }),
      // The network of the best weight is kept under the name that other runs use.
      keep: (name, state, metadata) => context.keep(`${name}-${search[i]}`, state, metadata),
      progress: (done, total) => context.progress(i * total + done, search.length * total),
    };
    const objective = { kind: 'constant', regression: search[i]!, classification: 1 } as const;
    position.done.push(await trainNetwork(inner, { ...settings, objective }, cohorts));
    states = undefined;
  }
  const scores = position.done.map(scoreOf);
  const at = scores.indexOf(Math.min(...scores));
  const best = position.done[at]!;
  const tried = search.flatMap((weight, i) =>
    (['regression', 'classification'] as const).map(
      (output) => [scoreName(output, weight), position.done[i]!.metrics[output]!] as const,
    ),
  );
  return { ...best, metrics: { ...best.metrics, bestWeight: search[at]!, ...Object.fromEntries(tried) } };
}
