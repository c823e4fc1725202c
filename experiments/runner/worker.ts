// The program of a worker process: takes runs from its parent one after the other, and ends when the parent is gone. And that of a
// replica, a thread of such a process that makes one run together with it.
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { WriteError } from '../../engine/errors.ts';
import { DeviceError, type Profile } from '../../engine/index.ts';
import type { DataFacts } from './paper.ts';
import { answerQuestion, type DeviceAnswer, type DeviceQuestion } from './probe.ts';
import { Exchange, ReplicaLostError } from '../parallel/exchange.ts';
import { type ReplicaMessage, type ReplicaStart, withReplicas } from '../parallel/replicas.ts';
import { execute, type ExecuteOptions } from './execute.ts';
import { workerProgram } from './pool.ts';
import type { RunRequest } from './store.ts';

export interface WorkerTask {
  readonly request: RunRequest;
  readonly out: string;
  /** What is worked out once for several runs. Default: `cache` in `out`. */
  readonly cache?: string;
  readonly dataFacts: DataFacts;
  readonly threads: number;
  /** Threads that make the run together. Default: 1. */
  readonly replicas?: number;
  /** Profile some of its steps. */
  readonly profile?: boolean;
  /** Run its training steps as they are. */
  readonly eager?: boolean | undefined;
  /** false: without vectors of 256 bits. */
  readonly wide?: boolean | undefined;
}

export type WorkerMessage =
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'profile'; readonly profile: Profile }
  | { readonly type: 'notice'; readonly text: string }
  | { readonly type: 'done' }
  | {
      readonly type: 'failed';
      readonly message: string;
      /** Whether it was the machine that failed (a full disk, a lost device), not the run. */
      readonly again: boolean;
    };

const send = (message: WorkerMessage | DeviceAnswer): void => {
  if (process.connected) process.send?.(message);
};

const isOfMachine = (error: unknown): boolean =>
  error instanceof WriteError || error instanceof DeviceError || (error instanceof Error && 'code' in error);

const messageOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** Makes the run, where its batches are made of parts together with its replicas. */
async function makeRun(task: WorkerTask, options: Omit<ExecuteOptions, 'exchange'>): Promise<void> {
  const { request, replicas = 1 } = task;
  const parts = Number(request.set?.parts ?? 1);
  const make = async (exchange?: Exchange) => void (await execute(request, { ...options, exchange }));
  if (parts === 1) return make();
  await withReplicas({ program: workerProgram(), task, parts, replicas }, make);
}

function make(task: WorkerTask): void {
  const { out, cache, dataFacts, threads, profile, eager, wide } = task;
  const report = (done: number, total: number): void => send({ type: 'progress', done, total });
  const notice = (text: string): void => send({ type: 'notice', text });
  const profiled = profile ? (made: Profile): void => send({ type: 'profile', profile: made }) : undefined;
  makeRun(task, { out, cache, dataFacts, threads, eager, wide, report, notice, profile: profiled }).then(
    () => send({ type: 'done' }),
    (error: unknown) => {
      send({ type: 'failed', message: messageOf(error), again: isOfMachine(error) });
    },
  );
}

/** Makes a run as one of the replicas that are not the first: without a word, and without a file. */
async function follow({ task, ...place }: ReplicaStart<WorkerTask>): Promise<void> {
  const exchange = new Exchange(place, place.memory);
  const { request, ...options } = task;
  const say = (message: ReplicaMessage): void => parentPort!.postMessage(message);
  const ignore = (): void => undefined;
  try {
    await execute(request, { ...options, profile: undefined, report: ignore, notice: ignore, exchange });
    say({ type: 'done' });
  } catch (error) {
    say({ type: 'failed', message: messageOf(error), isLost: error instanceof ReplicaLostError });
  }
}

function serve(): void {
  process.on('message', (message: WorkerTask | DeviceQuestion) => {
    if ('probe' in message) void answerQuestion(message).then(send);
    else make(message);
  });
  process.on('disconnect', () => process.exit(0));
  // A terminal sends its signals to all processes of a command: whether to stop is for the parent to say, by SIGTERM. Ending by
  // `exit` removes a file that was half written.
  for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => undefined);
  process.on('SIGTERM', () => process.exit(143));
}

if (isMainThread) serve();
else void follow(workerData as ReplicaStart<WorkerTask>);
