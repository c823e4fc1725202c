// The allocator of the wasm device: blocks of one linear memory, best fit over a sorted list of free blocks that merge with their
// neighbours; what lies behind all others is the last resort, for it has not been touched. Leaves out reuse by size, which the pool
// in front of it does for short buffers, and reference counting.
import { OutOfMemoryError } from '../../errors.ts';

const PAGE = 65536;
/** Cache lines: no two buffers share one, so threads that write neighbouring buffers do not disturb each other. */
const ALIGNMENT = 64;
/** Kernels may load whole vectors that start inside a buffer and end behind it. */
const READABLE_BEHIND = 64;
/** Growing in steps keeps the number of times that the views must be made anew small. */
const GROWTH = 16 * 1024 * 1024;

/** Bytes a block of this many takes. An empty buffer has a place of its own too. */
export const blockBytes = (bytes: number): number =>
  Math.max(ALIGNMENT, Math.ceil((bytes + READABLE_BEHIND) / ALIGNMENT) * ALIGNMENT);

export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  float32!: Float32Array;
  int32!: Int32Array;
  readonly #maximumBytes: number;
  /** Free blocks by rising address; no two touch. */
  readonly #starts: number[] = [];
  readonly #sizes: number[] = [];
  #end: number;

  /** Leaves the first page to the module's own data and the thread pool. */
  constructor(memory: WebAssembly.Memory, maximumPages: number) {
    this.memory = memory;
    this.#maximumBytes = maximumPages * PAGE;
    this.#end = memory.buffer.byteLength;
    if (this.#end > PAGE) this.#insert(PAGE, this.#end - PAGE);
    this.#view();
  }

  /** Address of a block of `blockBytes(bytes)`, or undefined if no free block can serve it. */
  take(bytes: number): number | undefined {
    const size = blockBytes(bytes);
    const at = this.#bestFor(size);
    if (at === undefined) return undefined;
    const address = this.#starts[at];
    if (this.#sizes[at] === size) {
      this.#starts.splice(at, 1);
      this.#sizes.splice(at, 1);
    } else {
      this.#starts[at] += size;
      this.#sizes[at] -= size;
    }
    return address;
  }

  /** As `take`, but grows the memory if that is needed; undefined if it cannot grow so far. */
  allocate(bytes: number): number | undefined {
    return this.take(bytes) ?? (this.#grow(blockBytes(bytes)) ? this.take(bytes) : undefined);
  }

  /** Gives back what `take` or `allocate` gave; `size` is that of the whole block. */
  freeBlock(address: number, size: number): void {
    this.#insert(address, size);
  }

  /** The error to throw when `allocate` cannot serve a request. */
  outOfMemory(bytes: number, holding: string): OutOfMemoryError {
    return new OutOfMemoryError('the linear memory is full', {
      operation: 'allocate',
      given: `${bytes} bytes, with ${holding}`,
      hint: `WebAssembly addresses ${this.#maximumBytes / 2 ** 30} GiB; release tensors or use a smaller batch`,
    });
  }

  /** Place of the free block that leaves the least of itself over. */
  #bestFor(size: number): number | undefined {
    const last = this.#sizes.length - 1;
    let best: number | undefined;
    for (let i = 0; i < last; i++) {
      const free = this.#sizes[i];
      if (free >= size && (best === undefined || free < this.#sizes[best])) best = i;
    }
    return best ?? (this.#sizes[last] >= size ? last : undefined);
  }

  #insert(start: number, size: number): void {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle] < start) low = middle + 1;
      else high = middle;
    }
    const touchesNext = low < this.#starts.length && start + size === this.#starts[low];
    const touchesPrevious = low > 0 && this.#starts[low - 1] + this.#sizes[low - 1] === start;
    if (touchesPrevious) {
      this.#sizes[low - 1] += size + (touchesNext ? this.#sizes[low] : 0);
      if (!touchesNext) return;
      this.#starts.splice(low, 1);
      this.#sizes.splice(low, 1);
    } else if (touchesNext) {
      this.#starts[low] = start;
      this.#sizes[low] += size;
    } else {
      this.#starts.splice(low, 0, start);
      this.#sizes.splice(low, 0, size);
    }
  }

  /** Makes the last free block at least `size` long. */
  #grow(size: number): boolean {
    const last = this.#starts.length - 1;
    const trailing = last >= 0 && this.#starts[last] + this.#sizes[last] === this.#end ? this.#sizes[last] : 0;
    const room = this.#maximumBytes - this.#end;
    const missing = size - trailing;
    if (missing > room) return false;
    const wanted = Math.max(missing, Math.min(room, Math.max(GROWTH, this.#end / 4)));
    const pages = this.#growPages(Math.ceil(wanted / PAGE)) || this.#growPages(Math.ceil(missing / PAGE));
    if (pages === 0) return false;
    this.#insert(this.#end, pages * PAGE);
    this.#end += pages * PAGE;
    this.#view();
    return true;
  }

  #growPages(pages: number): number {
    const grown = Math.min(pages, (this.#maximumBytes - this.#end) / PAGE);
    try {
      this.memory.grow(grown);
      return grown;
    } catch {
      return 0; // the machine has less than the maximum
    }
  }

  #view(): void {
    this.float32 = new Float32Array(this.memory.buffer);
    this.int32 = new Int32Array(this.memory.buffer);
  }
}
