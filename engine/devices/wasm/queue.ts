// The queue of jobs in the shared linear memory: the calling thread adds them, all threads take their tasks. Jobs run one after
// the other, each when the one before it has ended, so a job may read whatever earlier ones wrote, and memory that was released
// may serve later jobs at once. Which thread takes which tasks is left to chance; kernels give the same bits either way.
// Numbers of jobs are 32-bit and wrap: only their differences mean anything.
import { MAX_LIST } from '../../../kernels/params.ts';

/** Jobs that may wait. With as many a training step is planned far enough ahead of the workers. */
const SLOTS = 128;

/** Words of the queue's head. Each that several threads write has a cache line to itself. */
export const Head = {
  /** Jobs added so far; workers sleep on it. */
  added: 0,
  /** Jobs that have ended; the caller sleeps on it. */
  ended: 16,
  /** Workers asleep, and whether the caller is: only then is waking worth a system call. */
  sleeping: 32,
  callerSleeps: 48,
  /** One more than the place in the queue of a job whose kernel trapped, or 0. */
  failed: 64,
  /** 1: workers end. */
  stop: 80,
  /** When the last job ended, a float64 of milliseconds: whoever ends a job writes it, before `ended`. */
  endedAt: 88,
  words: 96,
} as const;

/** Words of a slot: the job, then lines that several threads write, then tables and parameters. */
const Slot = {
  kernel: 0,
  tasks: 1,
  /** Tasks taken at once. */
  chunk: 2,
  /** Parts of the tasks, one for each thread: threads that keep to their part find in their cache what they wrote before. */
  parts: 3,
  params: 4,
  /** Threads that may be reading the slot. */
  readers: 16,
  /** Tasks that have ended. */
  finished: 32,
  /** First task of each part that no thread has taken, a line for each. */
  next: 48,
} as const;

const LINE = 16;
/**
 * Words of a thread's table of buffers: operands, then the addresses of shared and own scratch. Most operands has a step of an
 * optimiser, five for each parameter.
 */
const TABLE_WORDS = LINE * Math.ceil((5 * MAX_LIST + 2) / LINE);
/** Words of a job's parameters and constants. Longer ones, which are rare, stand in the first page. */
const PARAM_WORDS = 512;
/**
 * Places in the memory's first page (bytes): a packed parameter block of up to 16 KiB, and the table of buffers of a thread that
 * has no queue. The module's own data lies before them.
 */
export const PARAMS_AT = 32768;
export const TABLE_AT = 49152;
export const MAX_THREADS = 32;

/** Enough that a thread which starts late does not hold up the others. */
const CHUNKS_PER_THREAD = 4;

/** How long a thread looks before it sleeps: launches of a training step follow closely. */
const SPIN_MILLISECONDS = 0.1;

export type KernelExport = (params: number, buffers: number, begin: number, end: number) => void;

/** Exports of the kernels in the module's order, which is the same in every thread. */
export const kernelNames = (module: WebAssembly.Module): string[] =>
  WebAssembly.Module.exports(module)
    .filter(({ kind }) => kind === 'function')
    .map(({ name }) => name);

const slotWords = (threads: number): number => Slot.next + threads * (LINE + TABLE_WORDS) + PARAM_WORDS;

/** Bytes of a queue for so many threads, all zero at the beginning. */
export const queueBytes = (threads: number): number => 4 * (Head.words + SLOTS * slotWords(threads));

export interface QueuePlace {
  readonly memory: WebAssembly.Memory;
  /** Byte address. */
  readonly address: number;
  readonly threads: number;
}

/** Looks at a word until it no longer has the value (true), or for SPIN_MILLISECONDS. */
function seesChange(words: Int32Array, index: number, value: number): boolean {
  const until = performance.now() + SPIN_MILLISECONDS;
  do {
    for (let i = 0; i < 100; i++) if (Atomics.load(words, index) !== value) return true;
  } while (performance.now() < until);
  return false;
}

/** Milliseconds on a clock that all threads share. */
const sharedClock = (): number => performance.timeOrigin + performance.now();

/** What all threads do with the queue. */
export class JobQueue {
  protected readonly words: Int32Array;
  protected readonly endedAt: Float64Array;
  protected readonly threads: number;
  readonly #address: number;
  readonly #slotWords: number;
  readonly #kernels: readonly KernelExport[];

  constructor({ memory, address, threads }: QueuePlace, kernels: readonly KernelExport[]) {
    this.words = new Int32Array(memory.buffer, address, queueBytes(threads) / 4);
    this.endedAt = new Float64Array(memory.buffer, address + 4 * Head.endedAt, 1);
    this.threads = threads;
    this.#address = address;
    this.#slotWords = slotWords(threads);
    this.#kernels = kernels;
  }

  protected slotOf(job: number): number {
    return Head.words + (job & (SLOTS - 1)) * this.#slotWords;
  }

  protected tableOf(slot: number, thread: number): number {
    return this.#address + 4 * (slot + Slot.next + this.threads * LINE + thread * TABLE_WORDS);
  }

  protected paramsOf(slot: number): number {
    return this.#address + 4 * (slot + Slot.next + this.threads * (LINE + TABLE_WORDS));
  }

  protected hasEnded(job: number): boolean {
    return ((Atomics.load(this.words, Head.ended) - job) | 0) > 0;
  }

  /** Runs tasks of the running job until none is left to take: the thread's own part first, then what others left. */
  protected takeTasks(job: number, thread: number): void {
    const { words } = this;
    const slot = this.slotOf(job);
    const kernel = this.#kernels[words[slot + Slot.kernel]];
    const tasks = words[slot + Slot.tasks];
    const chunk = words[slot + Slot.chunk];
    const parts = words[slot + Slot.parts];
    const params = words[slot + Slot.params];
    const table = this.tableOf(slot, thread);
    let done = 0;
    for (let k = 0; k < parts; k++) {
      const part = (thread + k) % parts;
      const next = slot + Slot.next + part * LINE;
      const end = partStart(tasks, part + 1, parts);
      while (Atomics.load(words, next) < end) {
        const begin = Atomics.add(words, next, chunk);
        if (begin >= end) break;
        const until = Math.min(begin + chunk, end);
        try {
          kernel(params, table, begin, until);
        } catch {
          Atomics.store(words, Head.failed, 1 + (job & (SLOTS - 1)));
        }
        done += until - begin;
      }
    }
    if (done === 0 || Atomics.add(words, slot + Slot.finished, done) + done < tasks) return;
    this.endedAt[0] = sharedClock();
    Atomics.store(words, Head.ended, job + 1);
    if (Atomics.load(words, Head.callerSleeps)) Atomics.notify(words, Head.ended);
  }
}

const partStart = (tasks: number, part: number, parts: number): number => Math.floor((tasks * part) / parts);

/** The workers' side. */
export class QueueWorker extends JobQueue {
  /** Takes part in all jobs, until it is told to stop. */
  serve(thread: number): void {
    const { words } = this;
    let job = Atomics.load(words, Head.ended);
    for (;;) {
      this.#awaitJob(job);
      if (Atomics.load(words, Head.stop)) return;
      const readers = this.slotOf(job) + Slot.readers;
      Atomics.add(words, readers, 1);
      // From here on the slot stays as it is, unless it had been given to another job before.
      if (!this.hasEnded(job)) {
        this.#awaitTurn(job);
        this.takeTasks(job, thread);
      }
      Atomics.sub(words, readers, 1);
      const ended = Atomics.load(words, Head.ended);
      job = ((ended - job) | 0) > 0 ? ended : (job + 1) | 0;
    }
  }

  #awaitJob(job: number): void {
    const { words } = this;
    while (!seesChange(words, Head.added, job)) {
      Atomics.add(words, Head.sleeping, 1);
      Atomics.wait(words, Head.added, job);
      Atomics.sub(words, Head.sleeping, 1);
    }
  }

  /** Until the job before this one has ended, whose last tasks another thread runs. Nobody wakes a worker that sleeps here. */
  #awaitTurn(job: number): void {
    const { words } = this;
    const before = (job - 1) | 0;
    if (Atomics.load(words, Head.ended) !== before) return;
    while (!seesChange(words, Head.ended, before)) Atomics.wait(words, Head.ended, before, SPIN_MILLISECONDS);
  }
}

/** Where the caller writes what a job reads. */
export interface JobPlace {
  /** Byte addresses of the parameters and of the first thread's table; the tables of the others follow at TABLE_STRIDE. */
  readonly params: number;
  readonly table: number;
}

/** Bytes from one thread's table to the next. */
export const TABLE_STRIDE = 4 * TABLE_WORDS;

/** The caller's side. It helps to run jobs while it waits, and when the queue is full. */
export class QueueCaller extends JobQueue {
  /** Milliseconds in which no job was running, from the end of the first one to the last that was added. */
  idleMilliseconds = 0;
  #added: number;
  readonly #maySleep: boolean;
  readonly #names: string[] = Array.from({ length: SLOTS }, () => '');

  constructor(place: QueuePlace, kernels: readonly KernelExport[], maySleep: boolean) {
    super(place, kernels);
    this.#maySleep = maySleep;
    this.#added = this.words[Head.added];
  }

  /** Number of the next job: what is added from now on has this number or a later one. */
  get next(): number {
    return this.#added;
  }

  /** Waits until the next job may be written; its parameters are so many words. */
  reserve(paramWords: number): JobPlace {
    const { words } = this;
    const job = this.#added;
    if (paramWords > PARAM_WORDS) this.finish();
    // A caller that let the full queue go on for one job at a time would come late to every job.
    if (!this.hasEnded((job - SLOTS) | 0)) this.#await((job - SLOTS / 2) | 0);
    const slot = this.slotOf(job);
    while (Atomics.load(words, slot + Slot.readers) > 0); // a few instructions, unless a worker is interrupted there
    return { params: paramWords > PARAM_WORDS ? PARAMS_AT : this.paramsOf(slot), table: this.tableOf(slot, 0) };
  }

  /** Adds the job that was written to the place that `reserve` gave. */
  add(name: string, kernel: number, tasks: number, grain: number, params: number): void {
    const { words } = this;
    const job = this.#added;
    const slot = this.slotOf(job);
    // Too little work for two threads is not divided.
    const parts = tasks >= 2 * grain ? this.threads : 1;
    const chunk = parts === 1 ? tasks : Math.max(grain, Math.ceil(tasks / (parts * CHUNKS_PER_THREAD)));
    this.#names[job & (SLOTS - 1)] = name;
    words[slot + Slot.kernel] = kernel;
    words[slot + Slot.tasks] = tasks;
    words[slot + Slot.chunk] = chunk;
    words[slot + Slot.parts] = parts;
    words[slot + Slot.params] = params;
    words[slot + Slot.finished] = 0;
    for (let part = 0; part < parts; part++) words[slot + Slot.next + part * LINE] = partStart(tasks, part, parts);
    if (this.endedAt[0] > 0 && this.hasEnded((job - 1) | 0)) this.idleMilliseconds += sharedClock() - this.endedAt[0];
    this.#added = (job + 1) | 0;
    Atomics.store(words, Head.added, this.#added);
    if (Atomics.load(words, Head.sleeping) > 0) Atomics.notify(words, Head.added);
  }

  /** Returns when the jobs before number `next` have ended. */
  finish(next = this.#added): void {
    if (((this.#added - next) | 0) < 0) return; // a number from before the numbers wrapped
    this.#await(next);
  }

  /** The name of a job that has failed since it was asked last. */
  takeFailure(): string | undefined {
    if (Atomics.load(this.words, Head.failed) === 0) return undefined;
    return this.#names[Atomics.exchange(this.words, Head.failed, 0) - 1];
  }

  /** Lets the workers end. */
  stop(): void {
    Atomics.store(this.words, Head.stop, 1);
    Atomics.add(this.words, Head.added, 1);
    Atomics.notify(this.words, Head.added);
  }

  /** Until so many jobs have ended. */
  #await(ended: number): void {
    for (;;) {
      const job = Atomics.load(this.words, Head.ended);
      if (((job - ended) | 0) >= 0) return;
      this.#help(job);
    }
  }

  /** Takes part in a job, the running one when it was looked for, and waits for its end. */
  #help(job: number): void {
    const { words } = this;
    this.takeTasks(job, 0);
    while (!seesChange(words, Head.ended, job)) {
      if (!this.#maySleep) continue;
      Atomics.store(words, Head.callerSleeps, 1);
      Atomics.wait(words, Head.ended, job);
      Atomics.store(words, Head.callerSleeps, 0);
    }
  }
}
