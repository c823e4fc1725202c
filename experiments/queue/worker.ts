// A worker of a queue: takes runs, makes each in a process of its own as the pool does, and renews its lease on them meanwhile. BullMQ
// gives a run whose lease has ended to another worker, and refuses the completion of the one that has lost it.
import { type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Worker } from 'bullmq';
import { DataError } from '../../engine/index.ts';
import { checkpointChecksum } from '../runner/checkpoint.ts';
import { readWhole, writeWhole } from '../runner/files.ts';
import { runOn, startWorker } from '../runner/pool.ts';
import { recordSchema, type NeededWeights } from '../runner/store.ts';
import { attemptFolder, publish, runFilesBelow, takeOver } from './attempts.ts';
import { aborted, connect, type Say, type Server } from './connection.ts';
import {
  earlierKey,
  FILES_KEPT_S,
  filesKey,
  type Made,
  madeSchema,
  QUEUE,
  readGrid,
  type RunJob,
  type RunJobData,
  runJobSchema,
  VERSION,
  weightsAmong,
} from './jobs.ts';

export interface WorkOptions {
  readonly url: string;
  /** The run folder, where this machine has it too. */
  readonly out?: string | undefined;
  /** Folder of real data here; otherwise the one that the run names. */
  readonly data?: string | undefined;
  /** Runs at a time. Default: one per core. */
  readonly jobs?: number | undefined;
  /** How long a run stays this worker's without a sign of life of it. */
  readonly leaseMs: number;
  readonly say: Say;
  readonly signal: AbortSignal;
}

/** How often a run may lose its worker before it is kept aside: it may be the cause. */
const MOST_LOSSES = 10;
/** Milliseconds until a run whose needs are not there is looked at again; it is woken when they are. */
const LOOK_AGAIN_MS = 15_000;
const PROGRESS_MS = 1000;

/** What a run waits for is not there yet. */
class NotYet extends Error {}

/** One worker of a process. Resolves when `signal` is aborted and its runs have been given back. */
export async function work(options: WorkOptions): Promise<void> {
  const { say, signal, leaseMs } = options;
  const server = await connect(options.url, say);
  const own = await mkdtemp(path.join(os.tmpdir(), 'wgrad-worker-'));
  const jobs = options.jobs ?? os.availableParallelism();
  const maker = new Maker(server, options, own, Math.max(1, Math.floor(os.availableParallelism() / jobs)));
  const worker = new server.bull.Worker<RunJobData, Made>(
    QUEUE,
    (job, token, lost) => maker.make(job, token!, AbortSignal.any([signal, ...(lost ? [lost as AbortSignal] : [])])),
    {
      ...server.options,
      name: maker.name,
      concurrency: jobs,
      lockDuration: leaseMs,
      stalledInterval: leaseMs,
      maxStalledCount: MOST_LOSSES,
      drainDelay: 1,
      runRetryDelay: 1000,
      autorun: false,
    },
  );
  worker.on('error', (error) => server.hear(error));
  worker.on('lockRenewalFailed', (lost) => {
    for (const job of lost) {
      say(`${maker.keyOf(job)}: the lease is lost, the run is another worker's now`);
      worker.cancelJob(job);
    }
  });
  worker.on('completed', (job, made) => maker.completed(job, made));
  worker.on('failed', (job, error) => job && say(`${job.data.key}: failed: ${error.message.split('\n')[0]}`));
  const running = worker.run();
  try {
    await aborted(signal);
    await closed(worker);
    await maker.end();
    await running.catch(() => undefined);
  } finally {
    await server.close();
    await rm(own, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A server that is away may keep a worker from closing; a signal is obeyed all the same. */
async function closed(worker: Pick<Worker, 'close'>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([worker.close(), new Promise((resolve) => (timer = setTimeout(resolve, 8000)))]);
  clearTimeout(timer);
}

/** Makes the runs of one worker. */
class Maker {
  readonly name = `${os.hostname()}:${process.pid}`;
  readonly #server: Server;
  readonly #options: WorkOptions;
  readonly #own: string;
  readonly #threads: number;
  readonly #idle: ChildProcess[] = [];
  readonly #keys = new Map<string, string>();
  readonly #publishing = new Set<Promise<void>>();
  readonly #queue;

  constructor(server: Server, options: WorkOptions, own: string, threads: number) {
    this.#server = server;
    this.#options = options;
    this.#own = own;
    this.#threads = threads;
    this.#queue = new server.bull.Queue<RunJobData, Made>(QUEUE, server.options);
    this.#queue.on('error', (error) => server.hear(error));
  }

  keyOf = (job: string): string => this.#keys.get(job) ?? job;

  /** Makes one attempt at a run. Rejects with what BullMQ is to do where there is no result. */
  async make(job: RunJob, token: string, signal: AbortSignal): Promise<Made> {
    const { DelayedError, UnrecoverableError, WaitingError } = this.#server.bull;
    const { say } = this.#options;
    const id = job.id!;
    this.#keys.set(id, job.data.key);
    try {
      const parsed = runJobSchema.safeParse(job.data);
      if (!parsed.success || parsed.data.version !== VERSION) {
        const given = parsed.data?.version ?? 'another';
        throw new UnrecoverableError(`the run is for wgrad ${given}; this worker is wgrad ${VERSION}`);
      }
      const made = await this.#attempt(id, parsed.data, job, signal);
      return made;
    } catch (error) {
      if (error instanceof NotYet) {
        await job.moveToDelayed(Date.now() + LOOK_AGAIN_MS, token);
        throw new DelayedError();
      }
      if (this.#options.signal.aborted) {
        // Another worker may take it at once.
        await job.moveToWait(token).catch(() => undefined);
        say(`${job.data.key}: given back`);
        throw new WaitingError();
      }
      if (error instanceof DataError) throw new UnrecoverableError(error.message);
      throw error;
    } finally {
      this.#keys.delete(id);
    }
  }

  async #attempt(id: string, data: RunJobData, job: RunJob, signal: AbortSignal): Promise<Made> {
    const { out } = this.#options;
    const isShared = out !== undefined && (await readGrid(out)) === data.grid;
    const attempt = randomUUID();
    const root = isShared ? attemptFolder(out, id, attempt) : path.join(this.#own, attempt);
    try {
      const needs: NeededWeights[] = [];
      for (const need of data.needs) {
        const file = await this.#needed(data.grid, need, root, isShared ? out : undefined);
        needs.push({ run: need.run, file, checksum: await checkpointChecksum(file) });
      }
      if (isShared) await takeOver(out, id, root);
      const request = {
        ...data.request,
        data: this.#options.data ?? data.request.data,
        ...(needs.length > 0 ? { needs } : {}),
      };
      if (!(await hasRecord(root)))
        await this.#train({ ...data, request }, root, isShared ? out : this.#own, job, signal);
      const files = await runFilesBelow(root);
      if (!isShared) await this.#upload(filesKey(id, attempt), root, files);
      return { attempt, isShared, files, worker: this.name };
    } finally {
      if (!isShared) await rm(root, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /** The file of weights that a run is made with. */
  async #needed(
    grid: string,
    { run, weights, job, file }: RunJobData['needs'][number],
    root: string,
    out: string | undefined,
  ): Promise<string> {
    const { UnrecoverableError } = this.#server.bull;
    if (job === undefined) {
      return out === undefined ? this.#download(earlierKey(grid), file!, root) : path.join(out, file!);
    }
    const state = await this.#queue.getJobState(job);
    if (state === 'failed') throw new UnrecoverableError(`it needs the run '${run}', which failed`);
    if (state === 'unknown')
      throw new UnrecoverableError(`it needs the run '${run}', which is not in the queue any more`);
    const made = madeSchema.safeParse((await this.#queue.getJob(job))?.returnvalue);
    if (state !== 'completed' || !made.success) throw new NotYet();
    const name = weightsAmong(made.data.files, weights);
    if (name === undefined) throw new DataError(`the run '${run}' has kept no weights '${weights}'`);
    if (!made.data.isShared) return this.#download(filesKey(job, made.data.attempt), name, root);
    // Made in the folder that this worker does not have.
    if (out === undefined) throw new NotYet();
    await publish(out, job, made.data.attempt);
    return path.join(out, name);
  }

  async #download(key: string, file: string, root: string): Promise<string> {
    const content = await this.#server.redis.hgetBuffer(key, file);
    if (!content) throw new DataError(`${file} is not in the queue any more`);
    const target = path.join(root, 'needed', file);
    await writeWhole(target, content);
    return target;
  }

  async #upload(key: string, root: string, files: readonly string[]): Promise<void> {
    for (const file of files) {
      await this.#server.redis.hset(key, file, Buffer.from(await readWhole(path.join(root, file))));
    }
    await this.#server.redis.expire(key, FILES_KEPT_S);
  }

  async #train(data: RunJobData, root: string, home: string, job: RunJob, signal: AbortSignal): Promise<void> {
    const { say } = this.#options;
    const { key, request, facts } = data;
    const child = this.#idle.pop() ?? startWorker(this.#options.signal);
    const began = performance.now();
    let told = 0;
    const stop = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    const run = { key, request, needs: [], prepare: () => Promise.resolve(undefined) };
    const ignore = (): void => undefined;
    say(`${key}: started`);
    try {
      signal.throwIfAborted();
      const task = { request, out: root, cache: path.join(home, 'cache'), dataFacts: facts, threads: this.#threads };
      const outcome = await runOn(child, task, run, {
        ...{ started: ignore, done: ignore, failed: ignore, profile: ignore },
        progress(_, done, total) {
          if (performance.now() - told < PROGRESS_MS) return;
          told = performance.now();
          job.updateProgress({ done, total }).catch(ignore);
        },
        notice: (_, text) => say(`${key}: ${text}`),
      });
      signal.throwIfAborted();
      if (outcome.died !== undefined) throw new Error(outcome.died);
      if (outcome.failed !== undefined) {
        throw outcome.again ? new Error(outcome.failed) : new this.#server.bull.UnrecoverableError(outcome.failed);
      }
      say(`${key}: made in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    } finally {
      signal.removeEventListener('abort', stop);
      if (child.connected && !child.killed) this.#idle.push(child);
    }
  }

  /** Puts the files of a run that counts where they belong, and wakes those that wait for it. */
  completed(job: RunJob, made: Made): void {
    const { out, say } = this.#options;
    const published = (async () => {
      if (made.isShared && out !== undefined) await publish(out, job.id!, made.attempt);
      for (const id of job.data.then) await (await this.#queue.getJob(id))?.promote().catch(() => undefined);
    })().catch((error: Error) =>
      say(`${job.data.key}: ${error.message}; the command that asked for the run sees to it`),
    );
    this.#publishing.add(published);
    void published.finally(() => this.#publishing.delete(published));
  }

  async end(): Promise<void> {
    await Promise.all(this.#publishing);
    for (const child of this.#idle) child.disconnect();
    await this.#queue.close();
  }
}

/** Whether an attempt has ended: its record was there to be taken over. */
async function hasRecord(root: string): Promise<boolean> {
  for (const file of await runFilesBelow(root)) {
    if (!file.endsWith('.json')) continue;
    try {
      recordSchema.parse(JSON.parse(await readFile(path.join(root, file), 'utf8')));
      return true;
    } catch {
      await rm(path.join(root, file), { force: true });
    }
  }
  return false;
}
