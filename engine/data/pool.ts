// The threads of a DataLoader. Each has the data set to itself; a batch is one request to the thread with the fewest of them.
import type { Worker } from 'node:worker_threads';
import { DataError } from '../errors.ts';
import type { DatasetSource } from './dataset.ts';
import { sampleError } from './sample-error.ts';
import type { BatchAnswer, BatchRequest } from './worker.ts';
import workerScript from './worker.ts?inline';

interface Waiting {
  resolve(samples: unknown[]): void;
  reject(error: Error): void;
}

class Member {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  /** Set once the thread has ended. */
  #end: Error | undefined;

  constructor(worker: Worker, { module }: DatasetSource) {
    this.#worker = worker;
    // A thread without work keeps no program alive.
    worker.unref();
    worker.on('message', (answer: BatchAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      if (!waiting) return;
      this.#settled(answer.id);
      if ('samples' in answer) waiting.resolve(answer.samples);
      else waiting.reject(sampleError(answer.failed, answer.reason, module));
    });
    worker.on('error', (cause) => this.#fail(sampleError(undefined, cause, module)));
    worker.on('exit', () =>
      this.#fail(new DataError('a worker has ended', { operation: 'DataLoader', given: module })),
    );
  }

  get requests(): number {
    return this.#waiting.size;
  }

  request(request: BatchRequest): Promise<unknown[]> {
    if (this.#end) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(request);
    });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #settled(id: number): void {
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
  }

  #fail(error: Error): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

export class WorkerPool {
  readonly #members: readonly Member[];
  #next = 0;

  private constructor(members: readonly Member[]) {
    this.#members = members;
  }

  /** Starts so many threads. A data set that cannot be made in them is told by the first request. */
  static async start(source: DatasetSource, count: number): Promise<WorkerPool> {
    const { Worker } = await import('node:worker_threads');
    const begin = (): Member => new Member(new Worker(workerScript, { eval: true, workerData: source }), source);
    return new WorkerPool(Array.from({ length: count }, begin));
  }

  /** The samples at `indices`, in their order. Rejects with DataError. */
  request(indices: Int32Array, epoch: number): Promise<unknown[]> {
    const idlest = this.#members.reduce((a, b) => (b.requests < a.requests ? b : a));
    return idlest.request({ id: this.#next++, indices, epoch });
  }

  /** Ends all threads; what has been asked for and has not come rejects. */
  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()));
  }
}
