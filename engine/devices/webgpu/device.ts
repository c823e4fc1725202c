// The `webgpu` device: WGSL kernels on Dawn in Node and on `navigator.gpu` in browsers. Launches are recorded and return at
// once; the GPU works while the host records on. Leaves out shaders (kernels/*/*.wgsl) and the choice of plans (plans.webgpu.ts).
import type { DType, Kernel, ParamValues } from '../../../kernels/kernel.ts';
import type { WebGpuFacts } from '../../../kernels/plan.ts';
import { type Tuning, tunedPlansFor, tuningFact } from '../../../kernels/tuning.ts';
import { webGpuPlans } from '../../../kernels/webgpu.ts';
import { DeviceError, OutOfMemoryError } from '../../errors.ts';
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
import {
  checkLimits,
  describeAdapter,
  findAdapter,
  grantedLimits,
  isSoftware,
  requestDevice,
  type WebGpuOptions,
} from './adapter.ts';
import { BufferStore, type GpuBuffer, MAP_READ } from './buffers.ts';
import { PipelineCache } from './pipelines.ts';
import { CommandQueue, type LaunchRecord } from './queue.ts';
import { type ResolvedPlan, resolvePlan } from './resolve.ts';

export interface WebGpuDeviceOptions extends WebGpuOptions {
  /** Submits every launch by itself and remembers where it was called, so that every error names its line. Slow. */
  debug?: boolean;
  /** The plan to take for a launch, from a benchmark or a test; undefined leaves the choice to the table and the rule. */
  preferPlan?: (kernel: string, params: ParamValues) => string | undefined;
  /** true: no fast algorithm. There is none on this device, so that only `facts` says what was asked for. */
  plainSums?: boolean;
  /** Measured tables of plans; the one for this adapter is used, if there is one. */
  tuning?: Tuning;
}

interface WebGpuStorage extends Storage {
  readonly buffer: GpuBuffer;
}

/** Frames to keep of a launch's stack: those of the engine come first. */
const STACK_FRAMES = 24;

export class WebGpuDevice implements Device {
  readonly name = 'webgpu';
  readonly description: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** What the choice of plans depends on. */
  readonly planFacts: WebGpuFacts;
  observer: LaunchObserver | undefined;
  doorkeeper: Doorkeeper | undefined;
  readonly launchClock: 'device' | 'none';
  readonly division: Division = { elementBytes: 4, viewBytes, hasOffsets: false };
  /** Its GPUDevice. */
  readonly gpu: GPUDevice;
  readonly #isShared: boolean;
  readonly #queue: CommandQueue;
  readonly #pipelines: PipelineCache;
  readonly #buffers: BufferStore;
  readonly #debug: boolean;
  readonly #preferPlan: WebGpuDeviceOptions['preferPlan'];
  readonly #room = new Room(Float32Array);
  readonly #ledger: Ledger<WebGpuStorage>;
  /** A launch that would write nothing has no plan. */
  readonly #plans: PlanCache<ResolvedPlan | undefined>;

  constructor(gpu: GPUDevice, info: GPUAdapterInfo, options: WebGpuDeviceOptions) {
    const { limits } = gpu;
    this.gpu = gpu;
    this.#isShared = gpu === options.device;
    this.#debug = options.debug ?? false;
    this.#preferPlan = options.preferPlan;
    this.#pipelines = new PipelineCache(gpu);
    this.#queue = new CommandQueue(gpu, this.#isShared);
    this.#ledger = new Ledger(this, (operation) => this.#queue.checkLost(operation));
    this.#buffers = new BufferStore(gpu, this.#queue.parameterBuffer, (make, bytes) =>
      this.#queue.guard(make, (message) => `${message.trim()} (a buffer of ${bytes} bytes; ${this.#held()})`),
    );
    this.launchClock = gpu.features.has('timestamp-query') ? 'device' : 'none';
    const software = isSoftware(info);
    this.description = `webgpu (${describeAdapter(info)}${software ? ', software' : ''})`;
    this.planFacts = {
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      subgroups: gpu.features.has('subgroups'),
      subgroupMinSize: gpu.features.has('subgroups') ? info.subgroupMinSize : 0,
      vendor: info.vendor,
      architecture: info.architecture,
      software,
    };
    const facts = {
      vendor: info.vendor,
      architecture: info.architecture,
      device: info.device,
      driver: info.description,
      software,
      features: [...gpu.features].sort().join(' '),
      ...grantedLimits(limits),
      ...(options.plainSums ? { plainSums: true } : {}),
    };
    const { tuning } = options;
    const tuned = tuning && tunedPlansFor(tuning, 'webgpu', facts);
    this.facts = tuning ? { ...facts, tuning: tuningFact(tuning, tuned) } : facts;
    this.#plans = new PlanCache(this, (kernel, params, operands, prefer) => {
      const planner = planFor(webGpuPlans, kernel, 'webgpu');
      if (operands.outputs.every(({ shape }) => shape.includes(0))) return undefined;
      const preferred = prefer ?? tuned?.preferred(kernel, params as never);
      const plan = planner(params as never, this.planFacts, preferred);
      return resolvePlan(kernel.name, plan, operands, this.#pipelines);
    });
  }

  allocate(length: number, dtype: DType): Storage {
    if (this.doorkeeper) return this.doorkeeper.allocate(length, dtype);
    this.#ledger.checkAlive('allocate');
    this.#checkLength('allocate', length);
    const buffer = this.#buffers.take(4 * length);
    const id = this.#ledger.hold(buffer.bytes);
    const storage: WebGpuStorage = { id, device: this, dtype, length, references: 1, version: 0, buffer };
    return storage;
  }

  release(storage: Storage): void {
    if (this.#ledger.isDisposed) return;
    const own = this.#ledger.own(storage, 'release');
    if (!this.#ledger.drop(own, own.parent ? 0 : own.buffer.bytes)) return;
    this.doorkeeper?.released(own);
    if (own.parent) this.release(own.parent);
    else this.#buffers.give(own.buffer);
  }

  view(parent: Storage, _offset: number, length: number, dtype: DType): Storage {
    const buffer = this.#buffers.part(this.#ledger.own(parent, 'view').buffer, viewBytes(length));
    parent.references++;
    const id = this.#ledger.hold(0);
    const own: WebGpuStorage = { id, device: this, dtype, length, references: 1, version: 0, parent, buffer };
    return own;
  }

  /** Somebody else's buffer, which is neither destroyed nor reused here. That it is of this device, the next read tells. */
  adopt(gpu: GPUBuffer, length: number, dtype: DType): Storage {
    this.#ledger.checkAlive('tensorFromBuffer');
    this.#checkLength('tensorFromBuffer', length);
    this.#queue.guard(
      () => {
        const encoder = this.gpu.createCommandEncoder();
        encoder.copyBufferToBuffer(gpu, 0, this.#queue.parameterBuffer, 0, 4);
        encoder.finish();
      },
      (message) => `tensorFromBuffer: ${message.trim()}`,
    );
    const buffer = this.#buffers.part({ gpu }, 0);
    // The reference of the owner is the parent's, and is never dropped.
    const owners: WebGpuStorage = { id: 0, device: this, dtype, length, references: Infinity, version: 0, buffer };
    return this.view(owners, 0, length, dtype);
  }

  /** The buffer behind a storage, when all that was recorded so far has been submitted. */
  async bufferOf(storage: Storage): Promise<GPUBuffer> {
    this.#ledger.checkAlive('bufferOf');
    this.doorkeeper?.reads(storage);
    const { buffer } = this.#ledger.own(storage, 'bufferOf');
    await this.#submitted('bufferOf');
    return buffer.gpu;
  }

  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void {
    if (this.doorkeeper) return this.doorkeeper.write(storage, values, source);
    this.#ledger.checkAlive('write');
    const { buffer, length, dtype, parent } = this.#ledger.own(storage, 'write');
    const elements = checkWrite(storage, values, source, this.#room);
    if (length === 0) return;
    storage.version++;
    const words = toWords(elements, dtype);
    // Of a view it is not known who else uses its memory.
    if (!parent && buffer.lastBatch <= this.#queue.submitted) {
      this.gpu.queue.writeBuffer(buffer.gpu, 0, words);
      return;
    }
    // Recorded launches still use the buffer: the values wait beside it and are copied in their turn.
    const upload = this.#buffers.takeUpload(buffer.bytes);
    this.gpu.queue.writeBuffer(upload, 0, words);
    this.#queue.record({ kind: 'copy', source: upload, target: buffer.gpu, bytes: buffer.bytes });
    this.#queue.afterSubmit(() => this.#buffers.giveUpload(buffer.bytes, upload));
    buffer.lastBatch = this.#queue.recording;
  }

  async read(storage: Storage): Promise<HostArray> {
    this.#ledger.checkAlive('read');
    this.doorkeeper?.reads(storage);
    const { buffer, length, dtype } = this.#ledger.own(storage, 'read');
    if (length === 0) {
      await this.synchronize();
      return dtype === 'float32' ? new Float32Array(0) : new Int32Array(0);
    }
    const staging = this.#buffers.takeStaging(buffer.bytes);
    this.#queue.record({ kind: 'copy', source: buffer.gpu, target: staging, bytes: buffer.bytes });
    buffer.lastBatch = this.#queue.recording;
    await this.#submitted('read');
    try {
      await staging.mapAsync(MAP_READ);
    } catch (cause) {
      await this.#queue.check('read');
      throw new DeviceError('the buffer could not be read', { operation: 'read', cause });
    }
    const bytes = staging.getMappedRange().slice(0);
    staging.unmap();
    this.#buffers.giveStaging(buffer.bytes, staging);
    await this.#queue.check('read');
    return dtype === 'float32' ? new Float32Array(bytes) : new Int32Array(bytes);
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    if (this.doorkeeper) return this.doorkeeper.launch(kernel, inputs, outputs, params);
    this.#ledger.checkAlive(kernel.name);
    const { plan } = this.#plans.find(kernel, inputs, outputs, params, this.#preferPlan?.(kernel.name, params));
    if (!plan) return;
    const buffers = buffersOf(inputs, outputs);
    for (const bytes of plan.scratch) buffers.push(this.#buffers.take(bytes));
    const groups = this.#bind(plan, buffers);
    this.#launch(kernel as unknown as Kernel<never>, params, plan, this.#plans.words, buffers, groups, outputs);
    for (let i = inputs.length + outputs.length; i < buffers.length; i++) this.#buffers.give(buffers[i]);
  }

  prepare<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): PreparedLaunch {
    this.#ledger.checkAlive(kernel.name);
    const { plan } = this.#plans.find(kernel, inputs, outputs, params, this.#preferPlan?.(kernel.name, params));
    const any = kernel as unknown as Kernel<never>;
    const words = this.#plans.words.slice();
    if (!plan) return new PreparedPlan(undefined, any, params, words, () => undefined);
    const buffers = buffersOf(inputs, outputs);
    plan.scratch.forEach((bytes, i) => buffers.push(this.#buffers.scratch(bytes, i)));
    const groups = this.#bind(plan, buffers);
    return new PreparedPlan(plan.name, any, params, words, (tuned, packed) => {
      this.#ledger.checkAlive(kernel.name);
      this.#launch(any, tuned, plan, packed, buffers, groups, outputs);
    });
  }

  async synchronize(): Promise<void> {
    this.#ledger.checkAlive('synchronize');
    await this.#submitted('synchronize');
    await this.gpu.queue.onSubmittedWorkDone();
    await this.#queue.check('synchronize');
  }

  statistics(): DeviceStatistics {
    return this.#ledger.statistics(this.#buffers.pooledBytes, this.#queue.submits);
  }

  resetPeakBytes(): void {
    this.#ledger.resetPeakBytes();
  }

  trim(): void {
    this.#queue.afterSubmit(this.#buffers.drain());
    this.#queue.flush();
  }

  dispose(): void {
    this.#ledger.dispose();
    this.#buffers.destroy();
    if (!this.#isShared) this.gpu.destroy();
  }

  #bind({ passes }: ResolvedPlan, buffers: readonly GpuBuffer[]): GPUBindGroup[] {
    return passes.map(({ pipeline, places }) => this.#buffers.bindGroup(pipeline.layout, buffers, places));
  }

  #launch(
    kernel: Kernel<never>,
    params: ParamValues,
    plan: ResolvedPlan,
    words: Int32Array,
    buffers: readonly GpuBuffer[],
    groups: readonly GPUBindGroup[],
    outputs: readonly Storage[],
  ): void {
    for (const output of outputs) output.version++;
    this.observer?.before?.(kernel, params, plan.name);
    this.#record(plan, words, buffers, groups);
    this.#ledger.launches++;
    this.#queue.endLaunch();
    if (this.#debug) this.#queue.flush();
    this.observer?.after?.(kernel, params, plan.name);
  }

  #record(
    { label, passes }: ResolvedPlan,
    words: Int32Array,
    buffers: readonly GpuBuffer[],
    groups: readonly GPUBindGroup[],
  ): void {
    const offset = this.#queue.parameters(words);
    const batch = this.#queue.recording;
    for (let i = 0; i < buffers.length; i++) buffers[i].lastBatch = batch;
    let launch: LaunchRecord | undefined;
    const timer = this.launchClock === 'device' ? this.observer?.timer?.() : undefined;
    for (let i = 0; i < passes.length; i++) {
      const { pipeline, workgroups } = passes[i];
      // What can go wrong goes wrong when a pipeline is first used. Capturing every launch would cost about half as much
      // again as recording it, so the later ones are known by their label alone, except in debug mode.
      launch ??= { label, stack: this.#debug || !pipeline.pipeline ? captureStack() : undefined, timer };
      this.#queue.record({ kind: 'dispatch', pipeline, group: groups[i], offset, workgroups, launch });
    }
  }

  /** Lets reads of the same turn of the event loop share one submit, and waits for it. */
  async #submitted(operation: string): Promise<void> {
    const serial = this.#queue.recording;
    await Promise.resolve();
    this.#queue.checkLost(operation);
    this.#queue.flush();
    await this.#queue.whenSubmitted(serial);
  }

  #checkLength(operation: string, length: number): void {
    const most = this.planFacts.maxStorageBufferBindingSize;
    if (4 * length <= most) return;
    throw new OutOfMemoryError('a buffer is longer than the device can bind', {
      operation,
      expected: `at most ${most} bytes`,
      given: `${4 * length} bytes; ${this.#held()}`,
      hint: this.#isShared ? moreBytes : undefined,
    });
  }

  #held(): string {
    return `${this.#ledger.held}, ${this.#buffers.pooledBytes} in the pool`;
  }
}

const moreBytes = 'requestDevice({ requiredLimits }) with more maxStorageBufferBindingSize and maxBufferSize';

const viewBytes = (length: number): number => Math.max(4, 4 * length);

const buffersOf = (inputs: readonly Storage[], outputs: readonly Storage[]): GpuBuffer[] =>
  [...inputs, ...outputs].map((storage) => (storage as WebGpuStorage).buffer);

/** The stack of the launch. Its text is made only when an error needs it. */
function captureStack(): { readonly stack?: string } {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_FRAMES;
  const stack = new Error();
  Error.stackTraceLimit = limit;
  return stack;
}

/** The values as 32-bit words that stay valid until the call that takes them returns. */
function toWords(values: ArrayLike<number>, dtype: DType): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
  const Words = dtype === 'float32' ? Float32Array : Int32Array;
  if (values instanceof Words && values.buffer instanceof ArrayBuffer) return values as Float32Array<ArrayBuffer>;
  return new Words(values);
}

/**
 * Opens the WebGPU device. Throws DeviceError, with what to install, if there is no adapter of the wanted kind.
 * In Node the process exits by itself when nothing is left to do, whether or not the device is disposed of.
 */
export async function createWebGpuDevice(options: WebGpuDeviceOptions = {}): Promise<WebGpuDevice> {
  const { device } = options;
  if (device) {
    checkLimits(device);
    return new WebGpuDevice(device, device.adapterInfo, options);
  }
  const adapter = await findAdapter(options);
  return new WebGpuDevice(await requestDevice(adapter), adapter.info, options);
}
