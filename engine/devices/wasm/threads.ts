// The thread pool: splits [0, tasks) of one kernel phase among the calling thread and workers over a shared memory.
// Who takes which chunk is left to chance; kernels give the same bits either way. Leaves out queues: one job at a time,
// and `run` returns when it has ended.
import { DeviceError } from '../../errors.ts';
import { Control, kernelNames, MAX_THREADS, TABLE_WORDS, TABLES_AT, takeTasks, type KernelExport } from './control.ts';
import type { WorkerStart } from './worker.ts';
import workerScript from './worker.ts?inline';

interface PoolWorker {
  stop(): void;
}

/** Chunks per thread: enough that a thread which starts late does not hold up the others. */
const CHUNKS_PER_THREAD = 4;
const SPINS_BEFORE_SLEEP = 20_000;

export const tableAddress = (thread: number): number => TABLES_AT + 4 * TABLE_WORDS * thread;

export class ThreadPool {
  readonly threads: number;
  readonly #kernels: KernelExport[];
  readonly #indices: Map<string, number>;
  readonly #control: Int32Array;
  readonly #workers: PoolWorker[];
  readonly #maySleep: boolean;

  private constructor(
    instance: WebAssembly.Instance,
    names: string[],
    control: Int32Array,
    workers: PoolWorker[],
    maySleep: boolean,
  ) {
    this.threads = workers.length + 1;
    this.#kernels = names.map((name) => instance.exports[name] as KernelExport);
    this.#indices = new Map(names.map((name, i) => [name, i]));
    this.#control = control;
    this.#workers = workers;
    this.#maySleep = maySleep;
  }

  /** Starts `threads` - 1 workers; the caller is the remaining thread. `memory` must be shared if there are workers. */
  static async create(module: WebAssembly.Module, memory: WebAssembly.Memory, threads: number): Promise<ThreadPool> {
    const instance = await WebAssembly.instantiate(module, { env: { memory } });
    const starts = Array.from({ length: Math.min(threads, MAX_THREADS) - 1 }, (_, i) =>
      startWorker({ module, memory, table: tableAddress(i + 1) }),
    );
    const workers = await Promise.all(starts);
    const onBrowserMainThread = typeof document === 'object';
    const control = new Int32Array(memory.buffer, 0, 1024 / 4);
    return new ThreadPool(instance, kernelNames(module), control, workers, !onBrowserMainThread);
  }

  /** Place of an export in `run`'s first argument. Throws DeviceError if the module has none of that name. */
  indexOf(exportName: string): number {
    const index = this.#indices.get(exportName);
    if (index === undefined) throw new DeviceError(`the WebAssembly module exports no kernel ${exportName}`);
    return index;
  }

  /** Whether `run` will hand out work, so that the workers' tables must be filled in. */
  isParallel(tasks: number, grain: number): boolean {
    return this.#workers.length > 0 && tasks >= 2 * grain;
  }

  run(index: number, params: number, tasks: number, grain: number): void {
    if (!this.isParallel(tasks, grain)) {
      this.#kernels[index](params, TABLES_AT, 0, tasks);
      return;
    }
    const control = this.#control;
    control[Control.exportIndex] = index;
    control[Control.params] = params;
    control[Control.tasks] = tasks;
    control[Control.chunk] = Math.max(grain, Math.ceil(tasks / (this.threads * CHUNKS_PER_THREAD)));
    control[Control.next] = 0;
    Atomics.store(control, Control.open, 1);
    Atomics.add(control, Control.generation, 1);
    if (Atomics.load(control, Control.sleeping) > 0) Atomics.notify(control, Control.generation);
    try {
      takeTasks(control, this.#kernels, TABLES_AT);
    } finally {
      Atomics.store(control, Control.open, 0);
      this.#awaitWorkers();
    }
    if (Atomics.load(control, Control.failed)) {
      Atomics.store(control, Control.failed, 0);
      throw new DeviceError('a kernel trapped in a worker thread');
    }
  }

  /** A worker that comes late finds `open` 0 and leaves: only those inside the job are waited for. */
  #awaitWorkers(): void {
    const control = this.#control;
    for (let spins = 0; Atomics.load(control, Control.active) > 0; spins++) {
      if (spins < SPINS_BEFORE_SLEEP || !this.#maySleep) continue;
      Atomics.store(control, Control.callerSleeps, 1);
      const active = Atomics.load(control, Control.active);
      if (active > 0) Atomics.wait(control, Control.active, active);
      Atomics.store(control, Control.callerSleeps, 0);
    }
  }

  dispose(): void {
    // Without workers the memory may be unshared, and a view of it dead once it has grown.
    if (!this.#workers.length) return;
    Atomics.store(this.#control, Control.stop, 1);
    Atomics.add(this.#control, Control.generation, 1);
    Atomics.notify(this.#control, Control.generation);
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
