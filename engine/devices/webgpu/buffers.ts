// Storage buffers of one GPUDevice: an exact-size pool, and bind groups cached per set of buffers. A released buffer goes
// back to the pool at once: whatever reuses it is recorded later and the queue runs in order.
import { ExactSizePool } from '../pool.ts';
import type { BindLayout } from './pipelines.ts';

/** One GPUBuffer. `lastBatch` is the newest batch whose commands name it, for telling whether a write would overtake. */
export interface GpuBuffer {
  readonly id: number;
  readonly gpu: GPUBuffer;
  readonly bytes: number;
  lastBatch: number;
}

/** The bits of GPUBufferUsage and GPUMapMode, which are no globals in Node. */
export const usage = {
  mapRead: 1,
  copySource: 4,
  copyTarget: 8,
  uniform: 64,
  storage: 128,
  queryResolve: 512,
} as const;
export const MAP_READ = 1;

/** Bytes that a bind group shows of the parameter block. The ring has that much room after its last block. */
export const PARAMETER_WINDOW = 256;
const MOST_BIND_GROUPS = 8192;

export class BufferStore {
  readonly #device: GPUDevice;
  readonly #parameters: GPUBuffer;
  readonly #guard: (make: () => GPUBuffer, bytes: number) => GPUBuffer;
  readonly #pool = new ExactSizePool<GpuBuffer>();
  readonly #staging = new ExactSizePool<GPUBuffer>();
  readonly #uploads = new ExactSizePool<GPUBuffer>();
  readonly #scratch = new Map<string, GpuBuffer>();
  readonly #made = new Set<GPUBuffer>();
  #groups = new Map<string, GPUBindGroup>();
  #nextId = 1;

  /** `guard` runs each creation, so that the owner can watch for the driver's refusal. */
  constructor(device: GPUDevice, parameters: GPUBuffer, guard: (make: () => GPUBuffer, bytes: number) => GPUBuffer) {
    this.#device = device;
    this.#parameters = parameters;
    this.#guard = guard;
  }

  get pooledBytes(): number {
    return this.#pool.bytes + this.#staging.bytes + this.#uploads.bytes;
  }

  /** A storage buffer of unspecified content. Empty tensors get one word, because bindings cannot be empty. */
  take(bytes: number): GpuBuffer {
    const size = Math.max(4, bytes);
    const pooled = this.#pool.take(size);
    if (pooled) return pooled;
    const gpu = this.#make(size, usage.storage | usage.copySource | usage.copyTarget);
    return { id: this.#nextId++, gpu, bytes: size, lastBatch: 0 };
  }

  #make(size: number, flags: number): GPUBuffer {
    const made = this.#guard(() => this.#device.createBuffer({ size, usage: flags }), size);
    this.#made.add(made);
    return made;
  }

  /** The first bytes of a buffer as one of their own. */
  part({ gpu }: Pick<GpuBuffer, 'gpu'>, bytes: number): GpuBuffer {
    return { id: this.#nextId++, gpu, bytes, lastBatch: 0 };
  }

  /** Scratch number `place` of a prepared launch. Launches run one after the other, so all that need as much share it. */
  scratch(bytes: number, place: number): GpuBuffer {
    const key = `${bytes} ${place}`;
    let buffer = this.#scratch.get(key);
    if (!buffer) this.#scratch.set(key, (buffer = this.take(bytes)));
    return buffer;
  }

  give(buffer: GpuBuffer): void {
    this.#pool.give(buffer.bytes, buffer);
  }

  /** A buffer that the host can map for reading. */
  takeStaging(bytes: number): GPUBuffer {
    return this.#staging.take(bytes) ?? this.#make(bytes, usage.mapRead | usage.copyTarget);
  }

  giveStaging(bytes: number, buffer: GPUBuffer): void {
    this.#staging.give(bytes, buffer);
  }

  /** A buffer for values that wait for their turn. No recorded command may name it, so it has a pool of its own. */
  takeUpload(bytes: number): GPUBuffer {
    return this.#uploads.take(bytes) ?? this.#make(bytes, usage.copySource | usage.copyTarget);
  }

  /** To be called when the copy out of it has been submitted. */
  giveUpload(bytes: number, buffer: GPUBuffer): void {
    this.#uploads.give(bytes, buffer);
  }

  /** Binds those of `buffers` that stand at `places`. */
  bindGroup(layout: BindLayout, buffers: readonly GpuBuffer[], places: readonly number[]): GPUBindGroup {
    let key = layout.pattern;
    for (let i = 0; i < places.length; i++) key += `,${buffers[places[i]].id}`;
    let group = this.#groups.get(key);
    if (!group) {
      if (this.#groups.size >= MOST_BIND_GROUPS) this.#groups = new Map();
      const parameters = { binding: 0, resource: { buffer: this.#parameters, offset: 0, size: PARAMETER_WINDOW } };
      const storage = places.map((place, i) => {
        const { gpu, bytes } = buffers[place];
        return { binding: i + 1, resource: { buffer: gpu, size: bytes } };
      });
      group = this.#device.createBindGroup({ layout: layout.group, entries: [parameters, ...storage] });
      this.#groups.set(key, group);
    }
    return group;
  }

  /** Empties the pools and returns what destroys their buffers, to be called when nothing recorded names them any more. */
  drain(): () => void {
    const drained: GPUBuffer[] = [];
    this.#groups = new Map();
    this.#pool.drain(({ gpu }) => drained.push(gpu));
    this.#staging.drain((buffer) => drained.push(buffer));
    this.#uploads.drain((buffer) => drained.push(buffer));
    return () => this.#destroy(drained);
  }

  /** Destroys every buffer that was made here. */
  destroy(): void {
    this.#destroy(this.#made);
    this.#parameters.destroy();
  }

  #destroy(buffers: Iterable<GPUBuffer>): void {
    for (const buffer of buffers) {
      buffer.destroy();
      this.#made.delete(buffer);
    }
  }
}
