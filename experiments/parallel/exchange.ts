// Sums over the parts of a batch, for replicas that are threads of one process: each part's values in shared memory, added up in
// the order of the parts, whichever replica has made which. Sums are of float64 and are rounded by who takes them: they are the
// same bits for any number of replicas. Leaves out processes and machines, which share no memory in Node.
import { ConfigError } from '../../engine/index.ts';

/** What replicas share: counters of their meetings, and places for the values of the parts. */
export interface SharedMemory {
  readonly control: SharedArrayBuffer;
  readonly values: SharedArrayBuffer;
}

/** A replica, from 0 on, of `replicas`; `parts` of a batch are shared out between them. */
export interface ExchangePlace {
  readonly parts: number;
  readonly replicas: number;
  readonly replica: number;
}

/** Values that are exchanged at once: longer lists go piece by piece, so that memory does not grow with the network. */
const PIECE = 2 ** 17;

const KEEP_ALIVE_MS = 60_000;

/** Places in `control`. */
const [ROUND, ARRIVED, LOST] = [0, 1, 2];

/** Atomics.waitAsync, which Node has and TypeScript's ES2023 does not know. */
type WaitAsync = (
  array: Int32Array,
  index: number,
  value: number,
) => { readonly async: false } | { readonly async: true; readonly value: Promise<unknown> };
const waitAsync = (Atomics as unknown as { readonly waitAsync: WaitAsync }).waitAsync;

/** Another replica has failed or ended, so that a sum cannot be made. Who started them knows why. */
export class ReplicaLostError extends Error {
  override readonly name = 'ReplicaLostError';
  readonly replica: number;

  constructor(replica: number) {
    super(`replica ${replica + 1} has ended before the others`);
    this.replica = replica;
  }
}

/** Throws ConfigError where the parts of a batch do not go into the replicas. */
export function checkShared(parts: number, replicas: number): void {
  if (parts % replicas === 0) return;
  throw new ConfigError(`${parts} parts of a batch cannot be shared out evenly between ${replicas} replicas`, {
    expected: `a multiple of ${replicas} parts`,
  });
}

/** Memory for replicas that exchange values of so many parts. */
export const sharedMemory = (parts: number): SharedMemory => ({
  control: new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT),
  values: new SharedArrayBuffer(2 * parts * PIECE * Float64Array.BYTES_PER_ELEMENT),
});

/** The way of one replica to the sums of all. Every replica makes the same calls in the same order. */
export class Exchange {
  readonly parts: number;
  readonly replicas: number;
  readonly replica: number;
  readonly #control: Int32Array;
  readonly #values: Float64Array;
  #turn = 0;

  /** Throws ConfigError where the parts do not go into the replicas. */
  constructor({ parts, replicas, replica }: ExchangePlace, memory: SharedMemory = sharedMemory(parts)) {
    checkShared(parts, replicas);
    this.parts = parts;
    this.replicas = replicas;
    this.replica = replica;
    this.#control = new Int32Array(memory.control);
    this.#values = new Float64Array(memory.values);
  }

  /** Whether part `index` is this replica's: neighbouring parts are made by the same one. */
  owns(index: number): boolean {
    return Math.floor((index * this.replicas) / this.parts) === this.replica;
  }

  /** Resolves when all replicas have come here. Rejects with ReplicaLostError when one will not. */
  async meet(): Promise<void> {
    if (this.replicas === 1) return;
    const control = this.#control;
    this.#refuseLost();
    const round = Atomics.load(control, ROUND);
    if (Atomics.add(control, ARRIVED, 1) + 1 === this.replicas) {
      Atomics.store(control, ARRIVED, 0);
      Atomics.add(control, ROUND, 1);
      Atomics.notify(control, ROUND);
      return;
    }
    // Node ends a thread that has nothing but such a wait to do.
    const alive = setInterval(() => undefined, KEEP_ALIVE_MS);
    try {
      while (Atomics.load(control, ROUND) === round) {
        const wait = waitAsync(control, ROUND, round);
        if (wait.async) await wait.value;
      }
    } finally {
      clearInterval(alive);
    }
    this.#refuseLost();
  }

  /** Lets all who wait, or come to wait, know that this replica (or the one of that number) will not come any more. */
  leave(replica = this.replica): void {
    Atomics.compareExchange(this.#control, LOST, 0, replica + 1);
    Atomics.add(this.#control, ROUND, 1);
    Atomics.notify(this.#control, ROUND);
  }

  #refuseLost(): void {
    const lost = Atomics.load(this.#control, LOST);
    if (lost > 0) throw new ReplicaLostError(lost - 1);
  }

  /**
   * The sum of the lists of all parts, `length` numbers each, added up in the order of the parts. `own` are the lists of this
   * replica's parts by their index; a part without a list counts as zeros.
   */
  async sum(length: number, own: ReadonlyMap<number, Float64Array>): Promise<Float64Array> {
    const sum = new Float64Array(length);
    for (let from = 0; from < length; from += PIECE) {
      const size = Math.min(PIECE, length - from);
      // Two sets of places in turn: whoever writes the next piece leaves this one to those that still read it.
      this.#turn = 1 - this.#turn;
      for (let part = 0; part < this.parts; part++) {
        if (!this.owns(part)) continue;
        const place = this.#place(part, size);
        const values = own.get(part);
        if (values) place.set(values.subarray(from, from + size));
        else place.fill(0);
      }
      await this.meet();
      const piece = sum.subarray(from, from + size);
      piece.set(this.#place(0, size));
      for (let part = 1; part < this.parts; part++) {
        const values = this.#place(part, size);
        for (let i = 0; i < size; i++) piece[i]! += values[i]!;
      }
    }
    return sum;
  }

  #place(part: number, size: number): Float64Array {
    const at = (this.#turn * this.parts + part) * PIECE;
    return this.#values.subarray(at, at + size);
  }
}
