// A bounded queue of values that are made ahead of their use, in order. Making is asynchronous (decoding in other threads),
// so that the one who takes seldom waits; how often it did is counted.
import { setImmediate as turn } from 'node:timers/promises';
import { takes } from '../../engine/call-check.ts';
import { region } from '../../engine/index.ts';
import { callback, number, requiredOptions } from '../../engine/parameters.ts';

/** Options of `Prefetch`. */
export interface PrefetchOptions {
  /** Index of the first value. */
  readonly first?: number;
  /** Values stop before this index. */
  readonly end: number;
  /** Values made or being made before they are asked for. */
  readonly ahead: number;
}

interface Slot<T> {
  readonly value: Promise<T>;
  settled: boolean;
}

const takesPrefetch = takes('Prefetch', {
  make: callback,
  options: requiredOptions<PrefetchOptions>({ first: number, end: number, ahead: number }, 'end', 'ahead'),
});

/** Values made ahead of being asked for, in order, at most a few at a time. */
export class Prefetch<T> {
  /** How often `next` had to wait for a value, the first one left out: nothing can be ahead of that. */
  stalls = 0;
  readonly #make: (index: number) => Promise<T>;
  readonly #options: PrefetchOptions;
  readonly #queue: Slot<T>[] = [];
  #started: number;
  #taken = 0;

  constructor(...args: [make: (index: number) => Promise<T>, options: PrefetchOptions]) {
    const [make, options] = takesPrefetch(args);
    this.#make = make;
    this.#options = options;
    this.#started = options.first ?? 0;
  }

  /** Values in the queue, ready or not; never more than `ahead`. */
  get waiting(): number {
    return this.#queue.length;
  }

  #fill(): void {
    while (this.#started < this.#options.end && this.#queue.length < this.#options.ahead) {
      const slot: Slot<T> = { value: this.#make(this.#started++), settled: false };
      const settle = (): void => void (slot.settled = true);
      // A failure is told to the one who takes the value, not to the process.
      slot.value.then(settle, settle);
      this.#queue.push(slot);
    }
  }

  /** The next value. Rejects with what making it rejected with; undefined after the last one. */
  next(): Promise<T | undefined> {
    return region('data', () => this.#next());
  }

  async #next(): Promise<T | undefined> {
    this.#fill();
    const slot = this.#queue.shift();
    if (!slot) return undefined;
    // Training blocks this thread: without a turn of its loop, what other threads have finished would not be seen.
    await turn();
    if (!slot.settled && this.#taken > 0) this.stalls++;
    this.#taken++;
    const value = await slot.value;
    this.#fill();
    return value;
  }
}
