// A pool of worker processes that share a queue of runs. A run that needs others waits for them, and is not made where one of them
// fails. A worker that dies is replaced and its run tried once more, from its checkpoint; a run that fails is reported and the
// others go on.
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Profile } from '../../engine/index.ts';
import { withoutDawnWarnings } from './dawn-warnings.ts';
import type { RunRequest } from './store.ts';
import type { WorkerMessage, WorkerTask } from './worker.ts';

/** A run to be made. */
export interface QueuedRun {
  readonly key: string;
  readonly request: RunRequest;
  /** Keys of the runs that must be done before it is begun. One that is not in the queue is done already. */
  readonly needs: readonly string[];
  /** What a worker is given, asked for when all that it needs is done; undefined where the run turns out to be on disk. */
  prepare(): Promise<WorkerTask | undefined>;
}

export interface PoolEvents {
  started(run: QueuedRun): void;
  progress(run: QueuedRun, done: number, total: number): void;
  /** Some steps of a run that was to be profiled. Comes again if the run is tried again. */
  profile(run: QueuedRun, profile: Profile): void;
  /** What a user should know: a damaged checkpoint and what follows from it. */
  notice(run: QueuedRun, text: string): void;
  done(run: QueuedRun): void;
  failed(run: QueuedRun, message: string): void;
}

/** The built worker program, named in package.json. */
export const workerProgram = (): string => createRequire(import.meta.url).resolve('#run-worker');

/** A worker that is to stop ends between two steps, or by force after this time. */
const GRACE_MS = 5000;

/** Lines of a dead worker's stderr worth repeating. */
const STDERR_KEPT = 2000;

/** How a run ended; `again`: another try may go better; `died` is what became of its worker. */
type Outcome = { readonly failed?: string; readonly again?: boolean; readonly died?: string };

interface Entry {
  readonly run: QueuedRun;
  readonly attempts: number;
}

/** Runs in order, of which each is given out when those that it needs are done. */
class Queue {
  #waiting: Entry[];
  /** Keys of runs that are not done. */
  readonly #open: Set<string>;
  #sleepers: (() => void)[] = [];

  constructor(runs: readonly QueuedRun[]) {
    this.#waiting = runs.map((run) => ({ run, attempts: 0 }));
    this.#open = new Set(runs.map(({ key }) => key));
  }

  /** The next run that can be made; undefined when there is none any more. */
  async next(signal: AbortSignal): Promise<Entry | undefined> {
    while (this.#waiting.length > 0 && !signal.aborted) {
      const at = this.#waiting.findIndex(({ run }) => run.needs.every((key) => !this.#open.has(key)));
      if (at >= 0) return this.#waiting.splice(at, 1)[0];
      // What it waits for is with another worker, whose end is told.
      await new Promise<void>((resolve) => this.#sleepers.push(resolve));
    }
    return undefined;
  }

  again({ run }: Entry): void {
    this.#waiting.unshift({ run, attempts: 1 });
    this.wake();
  }

  done({ key }: QueuedRun): void {
    this.#open.delete(key);
    this.wake();
  }

  /** Takes out, and returns, the runs that cannot be made without this one. */
  without({ key }: QueuedRun): QueuedRun[] {
    const lost = this.#waiting.flatMap(({ run }) => (run.needs.includes(key) ? [run] : []));
    this.#waiting = this.#waiting.filter(({ run }) => !lost.includes(run));
    this.wake();
    return lost;
  }

  /** Has all who wait look again. */
  wake(): void {
    const sleepers = this.#sleepers;
    this.#sleepers = [];
    sleepers.forEach((wake) => wake());
  }
}

/**
 * Works through the runs, `jobs` at a time, in order as far as they need not wait for others. Resolves when all have ended, or, when
 * `signal` is aborted, as soon as the workers have been stopped.
 */
export async function runTasks(
  runs: readonly QueuedRun[],
  jobs: number,
  events: PoolEvents,
  signal: AbortSignal,
): Promise<void> {
  const queue = new Queue(runs);
  await Promise.all(Array.from({ length: Math.min(jobs, runs.length) }, () => lane()));

  function fail(run: QueuedRun, message: string): void {
    events.failed(run, message);
    for (const each of queue.without(run)) fail(each, `it needs the run '${run.request.run}', which failed`);
  }

  function end(entry: Entry, { failed, died }: Outcome): void {
    const { run, attempts } = entry;
    if (died !== undefined && signal.aborted) return;
    if (died !== undefined && attempts === 0) queue.again(entry);
    else if (died !== undefined || failed !== undefined) fail(run, (died ?? failed)!);
    else {
      events.done(run);
      queue.done(run);
    }
  }

  async function lane(): Promise<void> {
    let worker: ChildProcess | undefined;
    try {
      for (let next = await queue.next(signal); next; next = await queue.next(signal)) {
        const { run, attempts } = next;
        let task: WorkerTask | undefined;
        try {
          task = await run.prepare();
        } catch (error) {
          fail(run, (error as Error).message);
          continue;
        }
        if (!task) {
          end(next, {});
          continue;
        }
        if (!worker?.connected) worker = startWorker(signal);
        if (attempts === 0) events.started(run);
        const outcome = await runOn(worker, task, run, events);
        if (outcome.died !== undefined) worker = undefined;
        end(next, outcome);
      }
    } finally {
      // Those that wait for a run of this lane see that there is nothing more to wait for.
      queue.wake();
      if (worker?.connected) worker.disconnect();
    }
  }
}

/** A worker process, which ends with this one, and when `signal` is aborted. */
export function startWorker(signal: AbortSignal): ChildProcess {
  const worker = fork(workerProgram(), [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
  const kill = (): void => void worker.kill('SIGKILL');
  const stop = (): void => {
    worker.kill('SIGTERM');
    setTimeout(kill, GRACE_MS).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  process.once('exit', kill);
  worker.once('exit', () => {
    signal.removeEventListener('abort', stop);
    process.off('exit', kill);
  });
  return worker;
}

/** Has a worker make a run. */
export function runOn(worker: ChildProcess, task: WorkerTask, run: QueuedRun, events: PoolEvents): Promise<Outcome> {
  return new Promise((resolve) => {
    let complaint = '';
    const hear = (chunk: Buffer): void => {
      complaint = (complaint + chunk.toString()).slice(-STDERR_KEPT);
    };
    const complaintText = (): string => {
      const text = withoutDawnWarnings(complaint).trim();
      return text && `: ${text}`;
    };
    const listen = (message: WorkerMessage): void => {
      if (message.type === 'progress') {
        events.progress(run, message.done, message.total);
        return;
      }
      if (message.type === 'profile') {
        events.profile(run, message.profile);
        return;
      }
      if (message.type === 'notice') {
        events.notice(run, message.text);
        return;
      }
      settle(message.type === 'done' ? {} : { failed: message.message, again: message.again });
    };
    const died = (code: number | null, by: NodeJS.Signals | null): void =>
      settle({ died: `the worker process ended with ${by ?? `status ${code}`}${complaintText()}` });
    const settle = (outcome: Outcome): void => {
      worker.off('message', listen);
      worker.off('exit', died);
      worker.stderr?.off('data', hear);
      resolve(outcome);
    };
    worker.on('message', listen);
    worker.on('exit', died);
    worker.stderr?.on('data', hear);
    worker.send(task, (error) => error && settle({ died: `the worker process cannot be reached: ${error.message}` }));
  });
}
