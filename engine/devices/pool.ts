// Exact-size buffer pool shared by the devices: training repeats the same sizes, so a freed buffer of a size is the best
// candidate for the next request of that size, and nothing is ever split or merged. (The wasm device keeps short buffers alone here.)

export class ExactSizePool<Buffer> {
  readonly #free = new Map<number, Buffer[]>();
  bytes = 0;

  take(bytes: number): Buffer | undefined {
    const buffer = this.#free.get(bytes)?.pop();
    if (buffer !== undefined) this.bytes -= bytes;
    return buffer;
  }

  give(bytes: number, buffer: Buffer): void {
    const list = this.#free.get(bytes);
    if (list) list.push(buffer);
    else this.#free.set(bytes, [buffer]);
    this.bytes += bytes;
  }

  /** Empties the pool, handing each buffer to `destroy`. */
  drain(destroy: (buffer: Buffer, bytes: number) => void): void {
    for (const [bytes, list] of this.#free) for (const buffer of list) destroy(buffer, bytes);
    this.#free.clear();
    this.bytes = 0;
  }
}
