// Several trainings one after the other in one run, as a search over a setting makes them. What has been trained is kept in the
// checkpoints of those that follow.
import type { Checkpoint } from './checkpoint.ts';
import type { Surroundings } from './training.ts';

interface Position<Result> {
  /** Results of the trainings that have ended. */
  readonly done: readonly Result[];
  /** Where the present one stands. */
  readonly inner: unknown;
}

/**
 * Runs `train(context, i)` for i = 0 to `count` - 1, each with a context of its own, and returns their results, which JSON must be
 * able to hold.
 */
export async function trainSeries<Context extends Surroundings, Result>(
  context: Context,
  count: number,
  train: (context: Context, i: number) => Promise<Result>,
): Promise<Result[]> {
  const checkpoint = await context.resume();
  const { done: before = [], inner } = (checkpoint?.position ?? {}) as Partial<Position<Result>>;
  const done = [...before];
  let last = checkpoint && { states: checkpoint.states, position: inner };
  for (let i = done.length; i < count; i++) {
    done.push(
      await train(
        {
          ...context,
          resume: () => Promise.resolve(last),
          save(checkpoint: Checkpoint) {
            last = checkpoint;
            return context.save({ states: checkpoint.states, position: { done, inner: checkpoint.position } });
          },
          progress: (steps: number, total: number) => context.progress(i * total + steps, count * total),
        },
        i,
      ),
    );
    last = undefined;
  }
  return done;
}
