// The words by which the calling thread and the workers agree, in the first page of the shared linear memory. Each word
// that several threads write has a cache line to itself.

/** The page's first 1024 bytes are free of module data (the compiler's --memoryBase). Indices of 32-bit words. */
export const Control = {
  /** Rises with every job; workers sleep on it. */
  generation: 16,
  /** 1 while the job's words below may be read. */
  open: 32,
  /** Workers between looking at `open` and having left the job; the caller waits until there are none. */
  active: 48,
  /** The first task that no thread has taken. */
  next: 64,
  /** Workers asleep, and whether the caller is: only then is waking worth a system call. */
  sleeping: 80,
  callerSleeps: 96,
  /** 1 after a worker's kernel trapped, which means a kernel wrote or read out of bounds. */
  failed: 112,
  /** 1: workers end. */
  stop: 128,
  /** The job: index of the export, address of the parameters, tasks, tasks taken at once. */
  exportIndex: 144,
  params: 145,
  tasks: 146,
  chunk: 147,
} as const;

/** Buffer tables of the threads: one of these many words each, and where the first stands (bytes). */
export const TABLE_WORDS = 64;
export const TABLES_AT = 49152;
export const MAX_THREADS = 32;
/** Where the packed parameter block of the running phase stands (bytes); 16 KiB. */
export const PARAMS_AT = 32768;

export type KernelExport = (params: number, buffers: number, begin: number, end: number) => void;

/** Exports of the kernels in the module's order, which is the same in every thread. */
export const kernelNames = (module: WebAssembly.Module): string[] =>
  WebAssembly.Module.exports(module)
    .filter(({ kind }) => kind === 'function')
    .map(({ name }) => name);

/** Takes chunks of the open job until none is left. Runs in the caller and in every worker. */
export function takeTasks(control: Int32Array, kernels: readonly KernelExport[], table: number): void {
  const kernel = kernels[control[Control.exportIndex]];
  const params = control[Control.params];
  const tasks = control[Control.tasks];
  const chunk = control[Control.chunk];
  for (;;) {
    const begin = Atomics.add(control, Control.next, chunk);
    if (begin >= tasks) return;
    kernel(params, table, begin, Math.min(begin + chunk, tasks));
  }
}
