// The threads of the device: the calling one and workers over a shared memory, which run the phases of launches in the order in
// which they were submitted (queue.ts). With one thread there is no queue: `submit` returns when the phase has ended.
import { DeviceError } from '../../errors.ts';
import {
  type JobPlace,
  kernelNames,
  type KernelExport,
  MAX_THREADS,
  PARAMS_AT,
  queueBytes,
  QueueCaller,
  TABLE_AT,
} from './queue.ts';
import type { WorkerStart } from './worker.ts';
import workerScript from './worker.ts?inline';

interface PoolWorker {
  stop(): void;
}

export interface ThreadOptions {
  readonly module: WebAssembly.Module;
  /** Shared if there are several threads. */
  readonly memory: WebAssembly.Memory;
  readonly threads: number;
  /** Reserves memory for the queue (queueBytes). */
  readonly allocate: (bytes: number) => number;
}

const WITHOUT_QUEUE: JobPlace = { params: PARAMS_AT, table: TABLE_AT };

export class ThreadPool {
  readonly threads: number;
  readonly #kernels: KernelExport[];
  readonly #indices: Map<string, number>;
  readonly #queue: QueueCaller | undefined;
  readonly #workers: PoolWorker[];

  private constructor(kernels: KernelExport[], names: string[], queue: QueueCaller | undefined, workers: PoolWorker[]) {
    this.threads = workers.length + 1;
    this.#kernels = kernels;
    this.#indices = new Map(names.map((name, i) => [name, i]));
    this.#queue = queue;
    this.#workers = workers;
  }

  /** Starts one worker less than there are to be threads: the caller is the first of them. */
  static async create({ module, memory, threads: wanted, allocate }: ThreadOptions): Promise<ThreadPool> {
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    const names = kernelNames(module);
    const kernels = names.map((name) => exports[name] as KernelExport);
    const threads = Math.min(wanted, MAX_THREADS);
    if (threads === 1) return new ThreadPool(kernels, names, undefined, []);
    const place = { memory, address: allocate(queueBytes(threads)), threads };
    const onBrowserMainThread = typeof document === 'object';
    const queue = new QueueCaller(place, kernels, !onBrowserMainThread);
    const starts = Array.from({ length: threads - 1 }, (_, i) => startWorker({ module, place, thread: i + 1 }));
    return new ThreadPool(kernels, names, queue, await Promise.all(starts));
  }

  /** Place of an export in `submit`'s second argument. Throws DeviceError if the module has none of that name. */
  indexOf(exportName: string): number {
    const index = this.#indices.get(exportName);
    if (index === undefined) throw new DeviceError(`the WebAssembly module exports no kernel ${exportName}`);
    return index;
  }

  /** How many phases have been submitted: a number for `finish`. */
  get submitted(): number {
    return this.#queue?.next ?? 0;
  }

  /** Milliseconds in which the queue was empty; undefined without one. */
  get idleMilliseconds(): number | undefined {
    return this.#queue?.idleMilliseconds;
  }

  /** Where the next phase's parameters and each thread's table are to be written before it is submitted. */
  reserve(paramWords: number): JobPlace {
    return this.#queue?.reserve(paramWords) ?? WITHOUT_QUEUE;
  }

  /**
   * Lets an export run tasks [0, tasks), after all that was submitted before; `grain` tasks are worth a thread. Throws
   * DeviceError, which names the `kernel`, if it traps; with a queue, a later call does.
   */
  submit(kernel: string, index: number, tasks: number, grain: number, { params, table }: JobPlace): void {
    if (this.#queue) return this.#queue.add(kernel, index, tasks, grain, params);
    try {
      this.#kernels[index](params, table, 0, tasks);
    } catch (cause) {
      throw new DeviceError(`the kernel trapped: ${String(cause)}`, { operation: kernel, cause });
    }
  }

  /** Returns when the first `submitted` phases, or all, have ended. Throws DeviceError if one has trapped in the meantime. */
  finish(submitted?: number): void {
    this.#queue?.finish(submitted);
    this.check();
  }

  /** Throws DeviceError if a phase has trapped since it was asked last. */
  check(): void {
    const operation = this.#queue?.takeFailure();
    if (operation !== undefined) throw new DeviceError('the kernel trapped', { operation });
  }

  dispose(): void {
    this.#queue?.stop();
    for (const worker of this.#workers.splice(0)) worker.stop();
  }
}

async function startWorker(data: WorkerStart): Promise<PoolWorker> {
  if (typeof process === 'object' && process.versions?.node) {
    const { Worker } = await import('node:worker_threads');
    const worker = new Worker(workerScript, { eval: true, workerData: data });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', (cause) => reject(new DeviceError('a worker thread did not start', { cause })));
    });
    worker.unref(); // a script that returns ends the process by itself
    return { stop: () => void worker.terminate() };
  }
  const url = URL.createObjectURL(new Blob([workerScript], { type: 'text/javascript' }));
  const worker = new Worker(url);
  await new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = ({ message }) => reject(new DeviceError(`a worker thread did not start: ${message}`));
    worker.postMessage(data);
  });
  URL.revokeObjectURL(url);
  return { stop: () => worker.terminate() };
}
