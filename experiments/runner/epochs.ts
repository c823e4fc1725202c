// Steps counted in epochs: which batch of which epoch a step takes.

/** An order of items in batches of `size`; the last one may have fewer. */
export const batchesIn = (order: Int32Array, size: number): Int32Array[] =>
  Array.from({ length: Math.ceil(order.length / size) }, (_, i) => order.slice(i * size, (i + 1) * size));

/** The batches of epochs that all have the same number of them. Step k takes number k modulo `length` of its epoch. */
export class Epochs<T> {
  /** Batches of an epoch. */
  readonly length: number;
  readonly #batchesOf: (epoch: number) => readonly T[];
  #epoch = 0;
  #batches: readonly T[];

  constructor(batchesOf: (epoch: number) => readonly T[]) {
    this.#batchesOf = batchesOf;
    this.#batches = batchesOf(0);
    this.length = this.#batches.length;
  }

  at(step: number): T {
    const epoch = Math.floor(step / this.length);
    if (epoch !== this.#epoch) {
      this.#batches = this.#batchesOf(epoch);
      this.#epoch = epoch;
    }
    return this.#batches[step % this.length]!;
  }
}
