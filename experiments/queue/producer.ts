// The side of a queue that asks for runs: puts them in as flows, follows them, and fetches what counts of each. Whatever is lost on the
// way (the connection, the data of the server, a worker) shows in a look at all open runs, which is repeated.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import type { FlowJob, FlowProducer, Queue, QueueEvents } from 'bullmq';
import { readWhole, writeJson, writeWhole } from '../runner/files.ts';
import { type PlannedRun, storeOf } from '../runner/needs.ts';
import type { PoolEvents, QueuedRun } from '../runner/pool.ts';
import { publish } from './attempts.ts';
import { aborted, connect, type Say, type Server } from './connection.ts';
import {
  earlierKey,
  FILES_KEPT_S,
  filesKey,
  gridFile,
  jobId,
  type Made,
  madeSchema,
  QUEUE,
  readGrid,
  removedKey,
  type RunJobData,
  VERSION,
} from './jobs.ts';
import { shownUrl } from './url.ts';

export interface QueueOptions {
  readonly url: string;
  /** Smaller is sooner; of the grids in one queue. */
  readonly priority?: number | undefined;
}

/** What is asked for. */
export interface Grid {
  /** Runs that are not on disk. */
  readonly runs: readonly PlannedRun[];
  /** The same, as the display knows them. */
  readonly tasks: readonly QueuedRun[];
  readonly out: string;
  readonly events: PoolEvents;
  readonly say: Say;
  readonly signal: AbortSignal;
}

/** Between two looks at all open runs; events tell of most ends before. */
const LOOK_MS = 2000;
/** Jobs of one request to the server. */
const CHUNK = 500;
/** How often a run is tried, the first time included, where the machine was at fault. */
const TRIES = 3;
const BACK_OFF_MS = 1000;
/** Priorities of one grid: its runs keep their order among those of other grids of the same priority. */
const RANKS = 20_000;

function* chunks<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += CHUNK) yield all.slice(at, at + CHUNK);
}

/** The name of the folder's grid, which stays the same for the same folder. */
async function gridOf(out: string): Promise<string> {
  const known = await readGrid(out);
  if (known !== undefined) return known;
  const grid = randomUUID().slice(0, 8);
  await writeJson(gridFile(out), { grid });
  return grid;
}

/** A run in the queue. */
export interface Asked {
  readonly id: string;
  readonly data: RunJobData;
  readonly run: QueuedRun;
}

/** The jobs of runs, a run behind those that it needs. Runs that are not among them are on disk. */
async function jobsOf(runs: readonly PlannedRun[], out: string, grid: string): Promise<RunJobData[]> {
  const ids = new Map<string, string>();
  const made: RunJobData[] = [];
  for (const { key, request, part, needs } of runs) {
    const needed: RunJobData['needs'] = [];
    for (const { by, weights } of needs) {
      const job = ids.get(by.key);
      const file = job === undefined ? path.relative(out, (await storeOf(by, out)).weightsFile(weights)) : undefined;
      needed.push({ run: by.request.run, weights, ...(job === undefined ? { file } : { job }) });
    }
    const data = { version: VERSION, grid, key, request, facts: part.data, needs: needed, then: [] };
    ids.set(key, jobId(data));
    made.push(data);
  }
  return made;
}

/** The runs as trees: one that a single other run needs is its child; of others, the job itself looks whether they are done. */
export function flowsOf(asked: readonly Pick<Asked, 'id' | 'data'>[], priority = 50): FlowJob[] {
  const waiting = new Map<string, string[]>();
  for (const { id, data } of asked) {
    for (const { job } of data.needs) if (job) waiting.set(job, [...(waiting.get(job) ?? []), id]);
  }
  const flows = new Map<string, FlowJob>();
  const isChild = new Set<string>();
  for (const [rank, { id, data }] of asked.entries()) {
    const sole = data.needs.flatMap(({ job }) =>
      job && waiting.get(job)!.length === 1 && flows.has(job) ? [job] : [],
    );
    const flow: FlowJob = {
      name: 'run',
      queueName: QUEUE,
      data: { ...data, then: (waiting.get(id)?.length ?? 0) > 1 ? waiting.get(id)! : [] },
      opts: {
        jobId: id,
        priority: priority * RANKS + Math.min(rank, RANKS - 1),
        attempts: TRIES,
        backoff: { type: 'exponential', delay: BACK_OFF_MS },
        failParentOnFailure: true,
      },
      ...(sole.length > 0 ? { children: sole.map((job) => flows.get(job)!) } : {}),
    } as FlowJob;
    sole.forEach((job) => isChild.add(job));
    flows.set(id, flow);
  }
  return [...flows].flatMap(([id, flow]) => (isChild.has(id) ? [] : [flow]));
}

/** `gone`: neither there nor taken out by anybody: the server has lost it. */
type State = 'completed' | 'failed' | 'removed' | 'open' | 'gone';

/** Follows runs in a queue to their ends. */
export class Follower {
  readonly #server: Server;
  readonly #queue: Queue<RunJobData, Made>;
  readonly #flows: FlowProducer;

  constructor(server: Server) {
    this.#server = server;
    this.#queue = new server.bull.Queue(QUEUE, server.options);
    this.#flows = new server.bull.FlowProducer(server.options);
    this.#queue.on('error', (error) => server.hear(error));
    this.#flows.on('error', (error) => server.hear(error));
  }

  async add(asked: readonly Pick<Asked, 'id' | 'data'>[], priority?: number): Promise<void> {
    for (const part of chunks(asked)) await this.#server.redis.hdel(removedKey, ...part.map(({ id }) => id));
    for (const part of chunks(flowsOf(asked, priority))) await this.#flows.addBulk([...part]);
  }

  async states(ids: readonly string[]): Promise<State[]> {
    const states: State[] = [];
    for (const part of chunks(ids)) {
      const asking = this.#server.redis.pipeline();
      for (const id of part) {
        asking.zscore(this.#queue.toKey('completed'), id).zscore(this.#queue.toKey('failed'), id);
        asking.exists(this.#queue.toKey(id)).hexists(removedKey, id);
      }
      const answers = ((await asking.exec()) ?? []).map(([error, value]) => {
        if (error) throw error;
        return value;
      });
      for (const at of part.keys()) {
        const [completed, failed, exists, removed] = answers.slice(4 * at, 4 * at + 4);
        states.push(
          completed != null ? 'completed' : failed != null ? 'failed' : exists ? 'open' : removed ? 'removed' : 'gone',
        );
      }
    }
    return states;
  }

  async made(id: string): Promise<Made | undefined> {
    const job = await this.#queue.getJob(id);
    return madeSchema.safeParse(job?.returnvalue).data;
  }

  async reason(id: string): Promise<string> {
    return (await this.#queue.getJob(id))?.failedReason ?? 'it failed, and nothing says why';
  }

  /** Takes jobs out, whatever they have come to. */
  async remove(ids: readonly string[]): Promise<void> {
    for (const part of chunks(ids)) {
      await Promise.all(part.map((id) => this.#queue.remove(id, { removeChildren: false }).catch(() => 0)));
    }
  }

  workers(): Promise<number> {
    return this.#queue.getWorkersCount();
  }

  /** Events of the queue as they come. Tells which runs are begun and how far they are. */
  events(): QueueEvents {
    const events = new this.#server.bull.QueueEvents(QUEUE, this.#server.options);
    events.on('error', (error) => this.#server.hear(error));
    return events;
  }

  async close(): Promise<void> {
    await Promise.all([this.#queue.close(), this.#flows.close()]);
  }
}

/** Fetches the files of a finished run into the run folder. */
async function collect(server: Server, out: string, id: string, { attempt, isShared, files }: Made): Promise<void> {
  if (isShared) return publish(out, id, attempt);
  const key = filesKey(id, attempt);
  // In the order of the attempt: records are the last.
  for (const file of files) {
    const target = path.resolve(out, file);
    const content = target.startsWith(path.join(out, 'runs') + path.sep)
      ? await server.redis.hgetBuffer(key, file)
      : null;
    if (content) await writeWhole(target, content);
  }
}

/** Files that were there before, for workers that do not have the folder. */
async function uploadEarlier(server: Server, out: string, grid: string, asked: readonly Asked[]): Promise<void> {
  const files = new Set(asked.flatMap(({ data }) => data.needs.flatMap(({ file }) => file ?? [])));
  for (const file of files) {
    await server.redis.hset(earlierKey(grid), file, Buffer.from(await readWhole(path.join(out, file))));
  }
  if (files.size > 0) await server.redis.expire(earlierKey(grid), FILES_KEPT_S);
}

/**
 * Has the runs made by the workers of a queue. Resolves when all have ended, or when `signal` is aborted: they stay in the queue then, and
 * the same command goes on with them.
 */
export async function makeByQueue(
  { runs, tasks, out, events, say, signal }: Grid,
  options: QueueOptions,
): Promise<void> {
  const server = await connect(options.url, say);
  const follower = new Follower(server);
  const grid = await gridOf(out);
  const planned = new Map(runs.map((run) => [run.key, run]));
  const byKey = new Map(tasks.map((task) => [task.key, task]));
  const asked = (await jobsOf(runs, out, grid)).map((data) => ({ id: jobId(data), data, run: byKey.get(data.key)! }));
  const open = new Map(asked.map((each) => [each.id, each]));
  const ended: string[] = [];
  const uploads: string[] = [];
  const heard = follower.events();
  let wake: () => void = () => undefined;
  const begun = new Set<string>();
  const begin = (id: string): Asked | undefined => {
    const found = open.get(id);
    if (found && !begun.has(id)) events.started(found.run);
    if (found) begun.add(id);
    return found;
  };
  heard.on('active', ({ jobId: id }) => void begin(id));
  heard.on('progress', ({ jobId: id, data }) => {
    const { done, total } = data as { done: number; total: number };
    const found = begin(id);
    if (found) events.progress(found.run, done, total);
  });
  heard.on('completed', ({ jobId: id }) => open.has(id) && wake());
  heard.on('failed', ({ jobId: id }) => open.has(id) && wake());
  /** A server that is away does not keep the command from stopping. */
  const stopped = aborted(signal);
  void stopped.then(() => wake());

  const end = (id: string, tell: (asked: Asked) => void): void => {
    const found = begin(id)!;
    open.delete(id);
    ended.push(id);
    tell(found);
  };
  /** Whether the run's files are where they belong. */
  const fetched = async ({ id, data }: Asked): Promise<boolean> => {
    const made = await follower.made(id);
    if (!made) return false;
    await collect(server, out, id, made);
    if (!made.isShared) uploads.push(filesKey(id, made.attempt));
    return (await (await storeOf(planned.get(data.key)!, out)).read()) !== undefined;
  };
  /** Looks at all open runs. Those that were lost are put in again. */
  const look = async (isFirst: boolean): Promise<void> => {
    const list = [...open.values()];
    const states = await follower.states(list.map(({ id }) => id));
    const lost: Asked[] = [];
    for (const [i, each] of list.entries()) {
      const { id, run } = each;
      const state = states[i]!;
      if (state === 'completed') {
        if (await fetched(each)) end(id, () => events.done(run));
        else {
          events.notice(run, 'its files are gone: it is made again');
          await follower.remove([id]);
          lost.push(each);
        }
      } else if (state === 'failed' && !isFirst) {
        const reason = await follower.reason(id);
        const needed = each.data.needs.map((need) => `'${need.run}'`).join(' and ');
        end(id, () =>
          events.failed(run, /^child .* failed$/.test(reason) ? `it needs the run ${needed}, which failed` : reason),
        );
      } else if (state === 'removed' && !isFirst) {
        end(id, () => events.failed(run, 'it was taken out of the queue'));
      } else if (state !== 'open') {
        // The command is given again: what failed is tried anew.
        if (state === 'failed') await follower.remove([id]);
        lost.push(each);
      }
    }
    if (lost.length > 0 && !isFirst) say(`${lost.length} run(s) were lost by the queue: they are put in again`);
    await follower.add(lost, options.priority);
  };

  try {
    await Promise.race([uploadEarlier(server, out, grid, asked), stopped]);
    for (let isFirst = true; open.size > 0 && !signal.aborted; isFirst = false) {
      await Promise.race([look(isFirst), stopped]);
      if (signal.aborted) break;
      if (isFirst && (await follower.workers()) === 0) {
        say(`no worker is at ${shownUrl(options.url)} yet; start some: wgrad worker --queue ${shownUrl(options.url)}`);
      }
      if (open.size === 0) break;
      const early = new AbortController();
      wake = () => early.abort();
      if (signal.aborted) break;
      await pass(LOOK_MS, undefined, { signal: early.signal }).catch(() => undefined);
    }
    if (open.size === 0) {
      const states = await follower.states(ended);
      await follower.remove(ended.filter((_, i) => states[i] === 'completed'));
      for (const part of chunks([...uploads, earlierKey(grid)])) await server.redis.del(...part);
    }
  } finally {
    if (server.redis.status === 'ready') {
      await heard.close().catch(() => undefined);
      await follower.close().catch(() => undefined);
    }
    await server.close();
  }
}
