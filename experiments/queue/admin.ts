// Looking into a queue, and taking runs out of it or having them tried again.
import type { Job, JobType, Queue } from 'bullmq';
import { ConfigError } from '../../engine/index.ts';
import { suggestion } from '../runner/suggestion.ts';
import { connect, type Say, type Server } from './connection.ts';
import { type Made, QUEUE, removedKey, type RunJobData } from './jobs.ts';

/** Where a run stands, in the order in which it passes. */
const waiting: readonly JobType[] = ['prioritized', 'waiting', 'delayed', 'waiting-children'];
const states: readonly JobType[] = [...waiting, 'active', 'completed', 'failed'];

/** What is in a queue. */
export interface QueueStatus {
  readonly waiting: number;
  /** Of those that wait: for another run, or for their next try. */
  readonly held: number;
  readonly active: readonly string[];
  /** Done, and not fetched by the command that asked for them. */
  readonly done: number;
  readonly failed: readonly { readonly key: string; readonly reason: string }[];
  readonly workers: readonly string[];
}

type RunQueue = Queue<RunJobData, Made>;
type Found = Job<RunJobData, Made>;

/** Opens the queue for one answer. */
async function withQueue<T>(url: string, say: Say, body: (queue: RunQueue, server: Server) => Promise<T>): Promise<T> {
  const server = await connect(url, say);
  const queue: RunQueue = new server.bull.Queue(QUEUE, server.options);
  queue.on('error', (error) => server.hear(error));
  try {
    return await body(queue, server);
  } finally {
    await queue.close();
    await server.close();
  }
}

const found = async (queue: RunQueue, of: readonly JobType[]): Promise<Found[]> =>
  ((await queue.getJobs([...of])) as (Found | undefined)[]).filter((job) => job !== undefined);

export const queueStatus = (url: string, say: Say): Promise<QueueStatus> =>
  withQueue(url, say, async (queue) => {
    const counts = await queue.getJobCounts(...states);
    const of = (...names: readonly JobType[]): number => names.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
    const workers = await queue.getWorkers();
    return {
      waiting: of(...waiting),
      held: of('delayed', 'waiting-children'),
      active: (await found(queue, ['active'])).map(({ data }) => data.key),
      done: of('completed'),
      failed: (await found(queue, ['failed'])).map(({ data, failedReason }) => ({
        key: data.key,
        reason: failedReason.split('\n')[0]!,
      })),
      workers: workers.map(({ addr, rawname }) => rawname?.split(':w:')[1] ?? addr ?? 'unnamed'),
    };
  });

/** Takes runs out. Returns the keys of those that could be: one under way is its worker's. */
async function takeOut(jobs: readonly Found[], server: Server): Promise<string[]> {
  const out: string[] = [];
  for (const job of jobs) {
    // Marked before it is gone: the command that asked for it is to see that somebody has decided it.
    await server.redis.hset(removedKey, job.id!, '1');
    try {
      await job.remove({ removeChildren: false });
      out.push(job.data.key);
    } catch {
      await server.redis.hdel(removedKey, job.id!);
    }
  }
  return out;
}

/** Takes out all runs that nobody has begun. Those under way end. */
export const drainQueue = (url: string, say: Say): Promise<string[]> =>
  withQueue(url, say, async (queue, server) => takeOut(await found(queue, waiting), server));

/** The jobs of these runs, by their whole names. Throws ConfigError for one that is not among them. */
function named(jobs: readonly Found[], keys: readonly string[], what: string): Found[] {
  const known = jobs.map(({ data }) => data.key);
  for (const key of keys) {
    if (!known.includes(key))
      throw new ConfigError(`the queue has no ${what} '${key}'`, { hint: suggestion(key, known) });
  }
  return jobs.filter(({ data }) => keys.includes(data.key));
}

/** Has failed runs tried again, all where none is named. Returns their keys. */
export const retryFailed = (url: string, keys: readonly string[], say: Say): Promise<string[]> =>
  withQueue(url, say, async (queue) => {
    const failed = await found(queue, ['failed']);
    const chosen = keys.length > 0 ? named(failed, keys, 'failed run') : failed;
    for (const job of chosen) await job.retry('failed', { resetAttemptsMade: true });
    return chosen.map(({ data }) => data.key);
  });

/** Takes these runs out, wherever they stand. Returns the keys of those that are out. */
export const removeRuns = (url: string, keys: readonly string[], say: Say): Promise<string[]> =>
  withQueue(url, say, async (queue, server) => takeOut(named(await found(queue, states), keys, 'run'), server));
