// A pool of worker processes that share a queue of runs. A worker that dies is replaced and its run tried once more, from
// its checkpoint; a run that fails is reported and the others go on.
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Profile } from '../../engine/index.ts';
import { withoutDawnWarnings } from './dawn-warnings.ts';
import type { WorkerMessage, WorkerTask } from './worker.ts';

export interface PoolEvents {
  started(task: WorkerTask): void;
  progress(task: WorkerTask, done: number, total: number): void;
  /** Some steps of a run that was to be profiled. Comes again if the run is tried again. */
  profile(task: WorkerTask, profile: Profile): void;
  /** What a user should know: a damaged checkpoint and what follows from it. */
  notice(task: WorkerTask, text: string): void;
  done(task: WorkerTask): void;
  failed(task: WorkerTask, message: string): void;
}

/** The built worker program, named in package.json. */
export const workerProgram = (): string => createRequire(import.meta.url).resolve('#run-worker');

/** A worker that is to stop ends between two steps, or by force after this time. */
const GRACE_MS = 5000;

/** Lines of a dead worker's stderr worth repeating. */
const STDERR_KEPT = 2000;

/**
 * Works through the tasks in order, `jobs` at a time. Resolves when all have ended, or, when `signal` is aborted, as soon as
 * the workers have been stopped.
 */
export async function runTasks(
  tasks: readonly WorkerTask[],
  jobs: number,
  events: PoolEvents,
  signal: AbortSignal,
): Promise<void> {
  const queue = tasks.map((task) => ({ task, attempts: 0 }));
  const lanes = Array.from({ length: Math.min(jobs, tasks.length) }, () => lane());
  await Promise.all(lanes);

  async function lane(): Promise<void> {
    let worker: ChildProcess | undefined;
    try {
      for (let next = queue.shift(); next && !signal.aborted; next = queue.shift()) {
        if (!worker?.connected) worker = startWorker(signal);
        if (next.attempts === 0) events.started(next.task);
        const death = await runOn(worker, next.task, events);
        if (death === undefined || signal.aborted) continue;
        worker = undefined;
        if (next.attempts === 0) queue.unshift({ task: next.task, attempts: 1 });
        else events.failed(next.task, death);
      }
    } finally {
      if (worker?.connected) worker.disconnect();
    }
  }
}

function startWorker(signal: AbortSignal): ChildProcess {
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

/** Resolves to undefined when the run ended, well or not, and to a description when the worker died under it. */
function runOn(worker: ChildProcess, task: WorkerTask, events: PoolEvents): Promise<string | undefined> {
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
        events.progress(task, message.done, message.total);
        return;
      }
      if (message.type === 'profile') {
        events.profile(task, message.profile);
        return;
      }
      if (message.type === 'notice') {
        events.notice(task, message.text);
        return;
      }
      if (message.type === 'done') events.done(task);
      else events.failed(task, message.message);
      settle(undefined);
    };
    const died = (code: number | null, by: NodeJS.Signals | null): void =>
      settle(`the worker process ended with ${by ?? `status ${code}`}${complaintText()}`);
    const settle = (death: string | undefined): void => {
      worker.off('message', listen);
      worker.off('exit', died);
      worker.stderr?.off('data', hear);
      resolve(death);
    };
    worker.on('message', listen);
    worker.on('exit', died);
    worker.stderr?.on('data', hear);
    worker.send(task, (error) => error && settle(`the worker process cannot be reached: ${error.message}`));
  });
}
