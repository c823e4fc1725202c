// Scratch memory of the running launch: one block that all threads share and one that is cut into a part per thread.
// Kept between launches and only ever replaced by a longer one.
interface Block {
  address: number;
  bytes: number;
}

export class Scratch {
  /** Bytes between the parts of two threads. */
  stride = 0;
  readonly #allocate: (bytes: number) => number;
  readonly #free: (address: number, bytes: number) => void;
  readonly #shared: Block = { address: 0, bytes: 0 };
  readonly #threads: Block = { address: 0, bytes: 0 };

  constructor(allocate: (bytes: number) => number, free: (address: number, bytes: number) => void) {
    this.#allocate = allocate;
    this.#free = free;
  }

  shared(bytes: number): number {
    return this.#atLeast(this.#shared, bytes);
  }

  /** Address of the first thread's part; the others follow at `stride`. */
  perThread(bytes: number, threads: number): number {
    this.stride = Math.max(this.stride, Math.ceil(bytes / 64) * 64);
    return this.#atLeast(this.#threads, this.stride * threads);
  }

  free(): void {
    for (const block of [this.#shared, this.#threads]) this.#drop(block);
    this.stride = 0;
  }

  #atLeast(block: Block, bytes: number): number {
    if (block.bytes < bytes) {
      this.#drop(block);
      block.address = this.#allocate(bytes);
      block.bytes = bytes;
    }
    return block.address;
  }

  #drop(block: Block): void {
    if (block.bytes > 0) this.#free(block.address, block.bytes);
    block.bytes = 0;
  }
}
