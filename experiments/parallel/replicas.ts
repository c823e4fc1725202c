// Replicas of a run: threads of one process that all make the same run in step with each other, each the backward passes of its own
// parts of a batch. The first is the process's own thread: it alone writes files and reports. Data, updates and validation are made
// by each of them, to the same bits, so that nothing but sums of gradients has to be exchanged.
import { Worker } from 'node:worker_threads';
import { Exchange, ReplicaLostError, sharedMemory, type SharedMemory } from './exchange.ts';

/** What the thread of a replica is started with. */
export interface ReplicaStart<Task> {
  readonly task: Task;
  readonly parts: number;
  readonly replicas: number;
  readonly replica: number;
  readonly memory: SharedMemory;
}

/** What a replica says when it has ended. */
export type ReplicaMessage =
  | { readonly type: 'done' }
  | {
      readonly type: 'failed';
      readonly message: string;
      /** It has waited for one that had left. */ readonly isLost: boolean;
    };

export interface ReplicaOptions<Task> {
  /** The program that a thread runs: it is given a `ReplicaStart` as its `workerData`. */
  readonly program: string;
  readonly task: Task;
  readonly parts: number;
  readonly replicas: number;
}

/**
 * Has replicas make a run together, and `lead` be the first of them. Rejects with what the first one to fail has failed with, and
 * with an Error where a thread ended without a word. No thread is left.
 */
export async function withReplicas<Task, Result>(
  { program, task, parts, replicas }: ReplicaOptions<Task>,
  lead: (exchange: Exchange) => Promise<Result>,
): Promise<Result> {
  const memory = sharedMemory(parts);
  const exchange = new Exchange({ parts, replicas, replica: 0 }, memory);
  const failures = new Map<number, Error>();
  const ends: Promise<void>[] = [];
  const threads = Array.from({ length: replicas - 1 }, (_, i) => {
    const replica = i + 1;
    const name = `replica ${replica + 1} of ${replicas}`;
    const start: ReplicaStart<Task> = { task, parts, replicas, replica, memory };
    // Its output is not the command's: what it says comes as a message.
    const thread = new Worker(program, { workerData: start, stdout: true, stderr: true });
    let isDone = false;
    const fail = (error: Error): void => {
      if (isDone) return;
      isDone = true;
      failures.set(replica, error);
      exchange.leave(replica);
    };
    thread.on('message', (message: ReplicaMessage) => {
      if (message.type === 'done') isDone = true;
      else fail(message.isLost ? new ReplicaLostError(replica) : failureOf(message.message));
    });
    thread.on('error', (error) => fail(new Error(`${name} failed: ${error.message}`, { cause: error })));
    ends.push(
      new Promise((resolve) => {
        thread.on('exit', (status) => {
          fail(new Error(`${name} ended with status ${status}`));
          resolve();
        });
      }),
    );
    return thread;
  });
  try {
    return await lead(exchange);
  } catch (error) {
    exchange.leave();
    if (!(error instanceof ReplicaLostError)) throw error;
    // What has happened to it is told by its thread, soon after it has left.
    while (failures.size === 0) await Promise.race([...ends, new Promise((resolve) => setTimeout(resolve, TOLD_MS))]);
    throw firstOwn(failures) ?? error;
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

/** How often the leader looks whether a lost replica has told why. */
const TOLD_MS = 10;

/** The failure that is no other replica's. */
const firstOwn = (failures: ReadonlyMap<number, Error>): Error | undefined =>
  [...failures.values()].find((error) => !(error instanceof ReplicaLostError));

/** An error of a thread, whose text ends with where in the code it was. */
function failureOf(text: string): Error {
  const error = new Error(text.split('\n')[0]);
  error.stack = text;
  return error;
}
