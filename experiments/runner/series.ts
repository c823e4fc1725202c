// Several trainings one after the other in one run, as a search over a setting makes them. What has been trained is kept in the
// checkpoints of those that follow.
import type { RunContext, RunResult } from './paper.ts';

interface Position {
  /** Results of the trainings that have ended. */
  readonly done: readonly RunResult[];
  /** Where the present one stands. */
  readonly inner: unknown;
}

/** Runs `train(context, i)` for i = 0 to `count` - 1, each with a context of its own, and returns their results. */
export async function trainSeries(
  context: RunContext,
  count: number,
  train: (context: RunContext, i: number) => Promise<RunResult>,
): Promise<RunResult[]> {
  const checkpoint = await context.resume();
  const { done: before = [], inner } = (checkpoint?.position ?? {}) as Partial<Position>;
  const done = [...before];
  let last = checkpoint && { states: checkpoint.states, position: inner };
  for (let i = done.length; i < count; i++) {
    done.push(
      await train(
        {
          ...context,
          resume: () => Promise.resolve(last),
          save(checkpoint) {
            last = checkpoint;
            return context.save({ states: checkpoint.states, position: { done, inner: checkpoint.position } });
          },
          progress: (steps, total) => context.progress(i * total + steps, count * total),
        },
        i,
      ),
    );
    last = undefined;
  }
  return done;
}
