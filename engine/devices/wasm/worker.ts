// A worker of the thread pool: waits for a job, takes part in it, waits again. Bundled to one script and started from
// its text, in Node and in browsers.
import { Control, type KernelExport, kernelNames, takeTasks } from './control.ts';

export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of this thread's table of buffers. */
  readonly table: number;
}

/** How long a worker looks for the next job before it sleeps: launches of a training step follow closely. */
const SPIN_MILLISECONDS = 0.1;

function serve({ module, memory, table }: WorkerStart): void {
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
  const kernels = kernelNames(module).map((name) => exports[name] as KernelExport);
  const control = new Int32Array(memory.buffer, 0, 1024 / 4);
  let seen = 0;
  for (;;) {
    seen = nextGeneration(control, seen);
    if (Atomics.load(control, Control.stop)) return;
    Atomics.add(control, Control.active, 1);
    try {
      if (Atomics.load(control, Control.open)) takeTasks(control, kernels, table);
    } catch {
      Atomics.store(control, Control.failed, 1);
    }
    if (Atomics.sub(control, Control.active, 1) === 1 && Atomics.load(control, Control.callerSleeps)) {
      Atomics.notify(control, Control.active);
    }
  }
}

function nextGeneration(control: Int32Array, seen: number): number {
  const until = performance.now() + SPIN_MILLISECONDS;
  do {
    for (let i = 0; i < 100; i++) {
      const generation = Atomics.load(control, Control.generation);
      if (generation !== seen) return generation;
    }
  } while (performance.now() < until);
  Atomics.add(control, Control.sleeping, 1);
  Atomics.wait(control, Control.generation, seen);
  Atomics.sub(control, Control.sleeping, 1);
  return Atomics.load(control, Control.generation);
}

interface WorkerScope {
  onmessage?: (event: { data: WorkerStart }) => void;
  postMessage(message: string): void;
}

async function start(): Promise<void> {
  if (typeof process === 'object' && process.versions?.node) {
    const { parentPort, workerData } = await import('node:worker_threads');
    parentPort?.postMessage('ready');
    serve(workerData as WorkerStart);
  } else {
    const scope = globalThis as unknown as WorkerScope;
    scope.onmessage = ({ data }) => {
      scope.postMessage('ready');
      serve(data);
    };
  }
}

void start();
