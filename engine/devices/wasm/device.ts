// The `wasm` device: SIMD kernels over one linear memory, run by the calling thread and a pool of workers. With workers a launch
// is queued; reading and writing wait for what was queued before. Leaves out browsers' asynchronous waiting: they block.
import type { DType, Kernel, ParamValues } from '../../../kernels/kernel.ts';
import { type Tuning, tunedPlansFor, tuningFact } from '../../../kernels/tuning.ts';
import type { WasmPlan } from '../../../kernels/plan.ts';
import { wasmPlans } from '../../../kernels/wasm.ts';
import { DeviceError } from '../../errors.ts';
import { planFor } from '../check-launch.ts';
import { type ElementsContext, Room } from '../../elements.ts';
import { checkWrite } from '../check-write.ts';
import type {
  Device,
  DeviceStatistics,
  Division,
  Doorkeeper,
  HostArray,
  LaunchObserver,
  PreparedLaunch,
  Storage,
} from '../device.ts';
import { Ledger } from '../ledger.ts';
import { PlanCache } from '../plan-cache.ts';
import { PreparedPlan } from '../prepared.ts';
import { ExactSizePool } from '../pool.ts';
import { defaultThreads, type LoadedModule, loadModule, type WasmModules } from './load.ts';
import { blockBytes, LinearMemory } from './memory.ts';
import { TABLE_STRIDE } from './queue.ts';
import { Scratch } from './scratch.ts';
import { ThreadPool } from './threads.ts';

/**
 * Buffers of at most so many bytes wait for the next one of their size. Longer ones go back to the allocator at once, which joins them:
 * where every size is another one, as in a dense block, blocks that wait for their like take an eighth of the memory.
 */
const POOLED_BYTES = 65536;

export interface WasmDeviceOptions {
  /** Threads that compute, the calling one included. Default: those of the processor, at most 16. */
  threads?: number;
  /** false: do not use relaxed SIMD even where there is one. Its fused multiply-add rounds once instead of twice. */
  relaxedSimd?: boolean;
  /**
   * false: do not ask V8 for vectors of 256 bits, which Node 24 and later have behind a flag. The bits are the same; `facts` says
   * `wide` where it was asked. It is asked for the whole process, and cannot be taken back.
   */
  wide?: boolean;
  /** Kernels in the place of the library's, for launches of kernels that bring WASM plans along. They run on one thread. */
  modules?: WasmModules;
  /**
   * true: every sum of products is made term by term, no convolution by a fast algorithm (Winograd's). Slower; the errors are those of
   * plain float32 sums, and `facts` says so.
   */
  plainSums?: boolean;
  /** Measured tables of plans; the one for this device is used, if there is one. */
  tuning?: Tuning;
}

interface Block {
  /** Byte address in the linear memory. */
  readonly address: number;
  /** How many phases had been submitted when a kernel was last given it: until they have ended the host must not write it. */
  busyUntil: number;
}

interface WasmStorage extends Storage {
  readonly block: Block;
}

interface ResolvedPhase {
  readonly index: number;
  readonly tasks: number;
  readonly grain: number;
  readonly constants: readonly number[];
}

/** A plan with its exports resolved. */
interface ResolvedPlan {
  readonly plan: WasmPlan;
  readonly phases: readonly ResolvedPhase[];
}

class WasmDevice implements Device {
  readonly name = 'wasm';
  readonly description: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  observer: LaunchObserver | undefined;
  doorkeeper: Doorkeeper | undefined;
  readonly launchClock = 'host';
  readonly division: Division = { elementBytes: 4, viewBytes: (length) => blockBytes(4 * length), hasOffsets: true };
  readonly #memory: LinearMemory;
  readonly #threads: ThreadPool;
  readonly #room = new Room(Float32Array);
  readonly #ledger = new Ledger<WasmStorage>(this);
  readonly #plans: PlanCache<ResolvedPlan>;
  readonly #scratch: Scratch;
  /** Released short blocks by their size. */
  readonly #pool = new ExactSizePool<Block>();
  /** Phases submitted when memory was last given back to the allocator: they may still use what it gives out. */
  #freedAt = 0;

  constructor(loaded: LoadedModule, memory: LinearMemory, threads: ThreadPool, options: WasmDeviceOptions) {
    const { tuning, plainSums = false } = options;
    const { relaxedSimd, shared, wide } = loaded;
    this.#memory = memory;
    this.#threads = threads;
    const facts = { threads: threads.threads, relaxedSimd, shared, ...(plainSums ? { plainSums } : {}) };
    const tuned = tuning && tunedPlansFor(tuning, 'wasm', facts);
    const planFacts = { threads: threads.threads, relaxedSimd, plainSums };
    this.#plans = new PlanCache(this, (kernel, params) => {
      const planner = planFor(wasmPlans, kernel, 'wasm');
      return resolve(planner(params as never, planFacts, tuned?.preferred(kernel, params as never)), threads);
    });
    this.#scratch = new Scratch(
      (bytes) => this.#reserve(bytes),
      (address, bytes) => this.#free(address, blockBytes(bytes)),
    );
    this.facts = { ...facts, ...(wide ? { wide } : {}), ...(tuning ? { tuning: tuningFact(tuning, tuned) } : {}) };
    const plural = threads.threads === 1 ? 'thread' : 'threads';
    this.description = `wasm (${relaxedSimd ? 'relaxed SIMD' : 'SIMD'}, ${threads.threads} ${plural})`;
  }

  allocate(length: number, dtype: DType): Storage {
    if (this.doorkeeper) return this.doorkeeper.allocate(length, dtype);
    this.#ledger.checkAlive('allocate');
    const bytes = blockBytes(4 * length);
    const block = this.#pool.take(bytes) ?? { address: this.#reserve(4 * length), busyUntil: this.#freedAt };
    const id = this.#ledger.hold(4 * length);
    const storage: WasmStorage = { id, device: this, dtype, length, references: 1, version: 0, block };
    return storage;
  }

  release(storage: Storage): void {
    if (this.#ledger.isDisposed) return;
    const own = this.#ledger.own(storage, 'release');
    const bytes = 4 * own.length;
    if (!this.#ledger.drop(own, own.parent ? 0 : bytes)) return;
    this.doorkeeper?.released(own);
    if (own.parent) this.release(own.parent);
    else if (blockBytes(bytes) <= POOLED_BYTES) this.#pool.give(blockBytes(bytes), own.block);
    else this.#free(own.block.address, blockBytes(bytes));
  }

  view(parent: Storage, offset: number, length: number, dtype: DType): Storage {
    const { block } = this.#ledger.own(parent, 'view');
    parent.references++;
    const id = this.#ledger.hold(0);
    const own: WasmStorage = {
      ...{ id, device: this, dtype, length, references: 1, version: 0, parent },
      block: { address: block.address + offset, busyUntil: 0 },
    };
    return own;
  }

  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void {
    if (this.doorkeeper) return this.doorkeeper.write(storage, values, source);
    const { dtype, block, parent } = this.#ledger.own(storage, 'write');
    const elements = checkWrite(storage, values, source, this.#room);
    storage.version++;
    // Others that lie in the same memory may be in use still.
    this.#threads.finish(parent ? undefined : block.busyUntil);
    const at = block.address / 4;
    if (!Array.isArray(elements)) (dtype === 'float32' ? this.#memory.float32 : this.#memory.int32).set(elements, at);
    else if (dtype === 'float32') copyFloats(this.#memory.float32, at, elements);
    else copyWords(this.#memory.int32, at, elements);
  }

  read(storage: Storage): Promise<HostArray> {
    this.doorkeeper?.reads(storage);
    return new Promise((resolve) => {
      const { dtype, block, length } = this.#ledger.own(storage, 'read');
      this.#threads.finish();
      const { float32, int32 } = this.#memory;
      resolve((dtype === 'float32' ? float32 : int32).slice(block.address / 4, block.address / 4 + length));
    });
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    if (this.doorkeeper) return this.doorkeeper.launch(kernel, inputs, outputs, params);
    this.#ledger.checkAlive(kernel.name);
    const { plan } = this.#plans.find(kernel, inputs, outputs, params);
    this.#launch(kernel as unknown as Kernel<never>, params, plan, this.#plans.words, inputs, outputs);
  }

  prepare<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): PreparedLaunch {
    this.#ledger.checkAlive(kernel.name);
    const { plan } = this.#plans.find(kernel, inputs, outputs, params);
    const any = kernel as unknown as Kernel<never>;
    return new PreparedPlan(plan.plan.name, any, params, this.#plans.words.slice(), (tuned, words) => {
      this.#ledger.checkAlive(kernel.name);
      this.#launch(any, tuned, plan, words, inputs, outputs);
    });
  }

  synchronize(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#ledger.isDisposed) this.#threads.finish();
      resolve();
    });
  }

  statistics(): DeviceStatistics {
    const { idleMilliseconds } = this.#threads;
    return {
      ...this.#ledger.statistics(this.#pool.bytes),
      ...(idleMilliseconds !== undefined && { idleMilliseconds }),
    };
  }

  resetPeakBytes(): void {
    this.#ledger.resetPeakBytes();
  }

  trim(): void {
    this.#pool.drain(({ address }, bytes) => this.#free(address, bytes));
    this.#scratch.free();
  }

  dispose(): void {
    if (this.#ledger.isDisposed) return;
    this.#ledger.dispose();
    this.#threads.dispose();
    this.#pool.drain(() => undefined);
  }

  #launch(
    kernel: Kernel<never>,
    params: ParamValues,
    resolved: ResolvedPlan,
    words: Int32Array,
    inputs: Storage[],
    outputs: Storage[],
  ): void {
    for (const output of outputs) output.version++;
    const { observer } = this;
    // Whoever takes the time around a launch wants it alone: with a wait before and after.
    if (observer?.after) this.#threads.finish();
    observer?.before?.(kernel, params, resolved.plan.name);
    this.#run(kernel.name, resolved, words, inputs, outputs);
    this.#ledger.launches++;
    if (!observer?.after) return;
    this.#threads.finish();
    observer.after(kernel, params, resolved.plan.name);
  }

  #run(name: string, { plan, phases }: ResolvedPlan, words: Int32Array, inputs: Storage[], outputs: Storage[]): void {
    if (phases.length === 0) return;
    const threads = this.#threads;
    threads.check();
    const shared = plan.sharedScratch ? this.#scratch.shared(plan.sharedScratch) : 0;
    const own = plan.threadScratch ? this.#scratch.perThread(plan.threadScratch, threads.threads) : 0;
    const stride = own && this.#scratch.stride;
    for (const { index, tasks, grain, constants } of phases) {
      const place = threads.reserve(words.length + constants.length);
      const heap = this.#memory.int32; // taken after the scratch, which may have made the memory grow
      heap.set(words, place.params / 4);
      const at = place.params / 4 + words.length;
      for (let i = 0; i < constants.length; i++) heap[at + i] = constants[i];
      for (let thread = 0; thread < threads.threads; thread++) {
        this.#fillTable(heap, place.table + thread * TABLE_STRIDE, inputs, outputs, shared, own + thread * stride);
      }
      threads.submit(name, index, tasks, grain, place);
    }
    const { submitted } = threads;
    for (let i = 0; i < inputs.length; i++) (inputs[i] as WasmStorage).block.busyUntil = submitted;
    for (let i = 0; i < outputs.length; i++) (outputs[i] as WasmStorage).block.busyUntil = submitted;
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
    for (let i = 0; i < inputs.length; i++) heap[at++] = (inputs[i] as WasmStorage).block.address;
    for (let i = 0; i < outputs.length; i++) heap[at++] = (outputs[i] as WasmStorage).block.address;
    heap[at++] = shared;
    heap[at] = own;
  }

  #reserve(bytes: number): number {
    let address = this.#memory.take(bytes);
    if (address === undefined) {
      // What waits in the pool for requests of its size serves others too, before the memory grows.
      this.#pool.drain((pooled, size) => this.#free(pooled.address, size));
      address = this.#memory.allocate(bytes);
    }
    if (address !== undefined) return address;
    throw this.#memory.outOfMemory(bytes, this.#ledger.held);
  }

  #free(address: number, size: number): void {
    this.#memory.freeBlock(address, size);
    this.#freedAt = this.#threads.submitted;
  }
}

// Short lists by loops, each of which knows its own kind of array: the engines' `set` takes five times as long for them.

function copyFloats(heap: Float32Array, at: number, values: readonly number[]): void {
  for (let i = 0; i < values.length; i++) heap[at + i] = values[i]!;
}

function copyWords(heap: Int32Array, at: number, values: readonly number[]): void {
  for (let i = 0; i < values.length; i++) heap[at + i] = values[i]!;
}

function resolve(plan: WasmPlan, threads: ThreadPool): ResolvedPlan {
  const phases = plan.phases
    .filter(({ tasks }) => tasks > 0)
    .map(({ exportName, tasks, grain = 1, constants = [] }) => ({
      index: threads.indexOf(exportName),
      tasks,
      grain,
      constants,
    }));
  return { plan, phases };
}

/** A device with its own memory and threads. Throws DeviceError where WebAssembly SIMD is missing. */
export async function createWasmDevice(options: WasmDeviceOptions = {}): Promise<Device> {
  const wanted = options.threads ?? (await defaultThreads());
  if (!Number.isInteger(wanted) || wanted < 1) {
    throw new DeviceError('not a number of threads', { operation: 'createWasmDevice', given: String(wanted) });
  }
  const { relaxedSimd = true, wide = true, modules } = options;
  const loaded = await loadModule({ relaxedSimd, wide, threads: wanted }, modules);
  const { module, memory, maximumPages, shared } = loaded;
  const linear = new LinearMemory(memory, maximumPages);
  const allocate = (bytes: number): number => {
    const address = linear.allocate(bytes);
    if (address === undefined) throw linear.outOfMemory(bytes, 'nothing held yet');
    return address;
  };
  const threads = await ThreadPool.create({ module, memory, threads: shared ? wanted : 1, allocate });
  return new WasmDevice(loaded, linear, threads, options);
}
