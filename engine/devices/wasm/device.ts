// The `wasm` device: SIMD kernels over one linear memory, run by the calling thread and a pool of workers. A launch
// returns when its work is done, so reading needs no queue. Leaves out browsers' asynchronous waiting: a launch blocks.
import type { DType, Kernel, ParamValues } from '../../../kernels/kernel.ts';
import { type Tuning, tunedPlansFor, tuningFact } from '../../../kernels/tuning.ts';
import { DeviceError, UseAfterFreeError, WgradError } from '../../errors.ts';
import { checkLaunch } from '../check-launch.ts';
import type { Device, DeviceStatistics, HostArray, LaunchObserver, Storage } from '../device.ts';
import { ExactSizePool } from '../pool.ts';
import { PARAMS_AT, TABLES_AT } from './control.ts';
import { defaultThreads, type LoadedModule, loadModule, type WasmModules } from './load.ts';
import { blockBytes, LinearMemory } from './memory.ts';
import { PlanCache, type ResolvedPlan } from './plan-cache.ts';
import { Scratch } from './scratch.ts';
import { tableAddress, ThreadPool } from './threads.ts';

export interface WasmDeviceOptions {
  /** Threads that compute, the calling one included. Default: those of the processor, at most 16. */
  threads?: number;
  /** false: do not use relaxed SIMD even where there is one. Its fused multiply-add rounds once instead of twice. */
  relaxedSimd?: boolean;
  /** Kernels in the place of the library's, for launches of kernels that bring WASM plans along. They run on one thread. */
  modules?: WasmModules;
  /** Measured tables of plans; the one for this device is used, if there is one. */
  tuning?: Tuning;
}

interface WasmStorage extends Storage {
  /** Byte address in the linear memory. */
  readonly address: number;
}

class WasmDevice implements Device {
  readonly name = 'wasm';
  readonly description: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  observer: LaunchObserver | undefined;
  readonly launchClock = 'host';
  readonly #memory: LinearMemory;
  readonly #threads: ThreadPool;
  readonly #plans: PlanCache;
  readonly #scratch: Scratch;
  /** Addresses of released blocks by their size. */
  readonly #pool = new ExactSizePool<number>();
  #nextId = 1;
  #liveBuffers = 0;
  #liveBytes = 0;
  #peakBytes = 0;
  #launches = 0;
  #disposed = false;

  constructor(loaded: LoadedModule, threads: ThreadPool, tuning: Tuning | undefined) {
    const { relaxedSimd, shared } = loaded;
    this.#memory = new LinearMemory(loaded.memory, loaded.maximumPages);
    this.#threads = threads;
    const facts = { threads: threads.threads, relaxedSimd, shared };
    const tuned = tuning && tunedPlansFor(tuning, 'wasm', facts);
    this.#plans = new PlanCache({ threads: threads.threads, relaxedSimd }, (name) => threads.indexOf(name), tuned);
    this.#scratch = new Scratch(
      (bytes) => this.#reserve(bytes),
      (address, bytes) => this.#memory.free(address, bytes),
    );
    this.facts = tuning ? { ...facts, tuning: tuningFact(tuning, tuned) } : facts;
    const plural = threads.threads === 1 ? 'thread' : 'threads';
    this.description = `wasm (${relaxedSimd ? 'relaxed SIMD' : 'SIMD'}, ${threads.threads} ${plural})`;
  }

  allocate(length: number, dtype: DType): Storage {
    this.#checkAlive('allocate');
    const bytes = blockBytes(4 * length);
    const address = this.#pool.take(bytes) ?? this.#reserve(4 * length);
    this.#liveBuffers++;
    this.#liveBytes += 4 * length;
    if (this.#liveBytes > this.#peakBytes) this.#peakBytes = this.#liveBytes;
    const storage: WasmStorage = { id: this.#nextId++, device: this, dtype, length, references: 1, address };
    return storage;
  }

  release(storage: Storage): void {
    if (this.#disposed) return;
    const { address, length } = this.#own(storage, 'release');
    if (--storage.references > 0) return;
    this.#liveBuffers--;
    this.#liveBytes -= 4 * length;
    this.#pool.give(blockBytes(4 * length), address);
  }

  write(storage: Storage, values: ArrayLike<number>): void {
    const { dtype, address, length } = this.#own(storage, 'write');
    if (values.length !== length) {
      throw new DeviceError('wrong number of values', {
        operation: 'write',
        expected: String(length),
        given: String(values.length),
      });
    }
    (dtype === 'float32' ? this.#memory.float32 : this.#memory.int32).set(values, address / 4);
  }

  read(storage: Storage): Promise<HostArray> {
    return new Promise((resolve) => {
      const { dtype, address, length } = this.#own(storage, 'read');
      const { float32, int32 } = this.#memory;
      resolve((dtype === 'float32' ? float32 : int32).slice(address / 4, address / 4 + length));
    });
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    this.#checkAlive(kernel.name);
    let resolved = this.#plans.find(kernel, params);
    if (resolved === undefined || !this.#fits(resolved, inputs, outputs)) {
      checkLaunch(this, kernel, inputs, outputs, params);
      resolved ??= this.#plans.make(kernel, params);
    }
    const observed = kernel as unknown as Kernel<never>;
    this.observer?.before?.(observed, params, resolved.plan.name);
    try {
      this.#run(resolved, inputs, outputs);
    } catch (cause) {
      if (cause instanceof WgradError) throw cause;
      throw new DeviceError(`the kernel trapped: ${String(cause)}`, { operation: kernel.name, cause });
    }
    this.#launches++;
    this.observer?.after?.(observed, params, resolved.plan.name);
  }

  /** Launches end before they return, so there is nothing to wait for. */
  synchronize(): Promise<void> {
    return Promise.resolve();
  }

  statistics(): DeviceStatistics {
    return {
      liveBuffers: this.#liveBuffers,
      liveBytes: this.#liveBytes,
      peakBytes: this.#peakBytes,
      pooledBytes: this.#pool.bytes,
      launches: this.#launches,
      submits: this.#launches,
    };
  }

  resetPeakBytes(): void {
    this.#peakBytes = this.#liveBytes;
  }

  trim(): void {
    this.#pool.drain((address, bytes) => this.#memory.freeBlock(address, bytes));
    this.#scratch.free();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#threads.dispose();
    this.#pool.drain(() => undefined);
    this.#liveBuffers = 0;
    this.#liveBytes = 0;
  }

  /** The cheap part of checkLaunch, for parameters that have been launched before. */
  #fits({ lengths, inputs: inputCount }: ResolvedPlan, inputs: Storage[], outputs: Storage[]): boolean {
    if (inputs.length !== inputCount || inputs.length + outputs.length !== lengths.length) return false;
    for (let i = 0; i < lengths.length; i++) {
      const storage = i < inputCount ? inputs[i] : outputs[i - inputCount];
      if (storage.length !== lengths[i] || storage.device !== this || storage.references <= 0) return false;
    }
    for (const output of outputs) if (inputs.includes(output)) return false;
    return true;
  }

  #run({ plan, phases }: ResolvedPlan, inputs: Storage[], outputs: Storage[]): void {
    if (phases.length === 0) return;
    const threads = this.#threads;
    const shared = plan.sharedScratch ? this.#scratch.shared(plan.sharedScratch) : 0;
    const perThread = plan.threadScratch ?? 0;
    const own = perThread ? this.#scratch.perThread(perThread, threads.threads) : 0;
    const words = this.#plans.words;
    const heap = this.#memory.int32; // taken after the scratch, which may have made the memory grow
    heap.set(words, PARAMS_AT / 4);
    this.#fillTable(heap, TABLES_AT, inputs, outputs, shared, own);
    let filled = 1;
    for (const { index, tasks, grain, constants } of phases) {
      const at = PARAMS_AT / 4 + words.length;
      for (let i = 0; i < constants.length; i++) heap[at + i] = constants[i];
      if (threads.isParallel(tasks, grain)) {
        for (; filled < threads.threads; filled++) {
          const scratch = own + filled * this.#scratch.stride;
          this.#fillTable(heap, tableAddress(filled), inputs, outputs, shared, perThread ? scratch : 0);
        }
      }
      threads.run(index, PARAMS_AT, tasks, grain);
    }
  }

  #fillTable(
    heap: Int32Array,
    table: number,
    inputs: Storage[],
    outputs: Storage[],
    shared: number,
    own: number,
  ): void {
    let at = table / 4;
    for (let i = 0; i < inputs.length; i++) heap[at++] = (inputs[i] as WasmStorage).address;
    for (let i = 0; i < outputs.length; i++) heap[at++] = (outputs[i] as WasmStorage).address;
    heap[at++] = shared;
    heap[at] = own;
  }

  #reserve(bytes: number): number {
    let address = this.#memory.allocate(bytes);
    if (address === undefined) {
      this.#pool.drain((pooled, size) => this.#memory.freeBlock(pooled, size));
      address = this.#memory.allocate(bytes);
    }
    if (address !== undefined) return address;
    throw this.#memory.outOfMemory(bytes, `${this.#liveBytes} bytes held in ${this.#liveBuffers} buffers`);
  }

  #own(storage: Storage, operation: string): WasmStorage {
    this.#checkAlive(operation);
    if (storage.device !== this) throw new DeviceError('the buffer belongs to another device', { operation });
    if (storage.references <= 0) throw new UseAfterFreeError('the buffer has been released', { operation });
    return storage as WasmStorage;
  }

  #checkAlive(operation: string): void {
    if (this.#disposed) throw new DeviceError('the device has been disposed of', { operation });
  }
}

/** A device with its own memory and threads. Throws DeviceError where WebAssembly SIMD is missing. */
export async function createWasmDevice(options: WasmDeviceOptions = {}): Promise<Device> {
  const wanted = options.threads ?? (await defaultThreads());
  if (!Number.isInteger(wanted) || wanted < 1) {
    throw new DeviceError('not a number of threads', { operation: 'createWasmDevice', given: String(wanted) });
  }
  const loaded = await loadModule(options.relaxedSimd ?? true, wanted, options.modules);
  const threads = await ThreadPool.create(loaded.module, loaded.memory, loaded.shared ? wanted : 1);
  return new WasmDevice(loaded, threads, options.tuning);
}
