// A worker of the thread pool: takes part in the jobs of the queue. Bundled to one script and started from its text, in Node
// and in browsers.
import { type KernelExport, kernelNames, type QueuePlace, QueueWorker } from './queue.ts';

export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly place: QueuePlace;
  /** From 1 on: the calling thread is number 0. */
  readonly thread: number;
}

function serve({ module, place, thread }: WorkerStart): void {
  const { exports } = new WebAssembly.Instance(module, { env: { memory: place.memory } });
  const kernels = kernelNames(module).map((name) => exports[name] as KernelExport);
  new QueueWorker(place, kernels).serve(thread);
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
