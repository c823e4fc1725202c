// The `webgpu` device: WGSL kernels on Dawn in Node and on `navigator.gpu` in browsers. Launches are recorded and return at
// once; the GPU works while the host records on. Leaves out shaders (kernels/*/*.wgsl) and the choice of plans (plans.webgpu.ts).
import {
  type DType,
  type Kernel,
  type Operand,
  packParams,
  type ParamValues,
  paramWords,
} from '../../../kernels/kernel.ts';
import type { WebGpuFacts, WebGpuPass, WebGpuPlan } from '../../../kernels/plan.ts';
import { type TunedPlans, type Tuning, tunedPlansFor, tuningFact } from '../../../kernels/tuning.ts';
import { webGpuPlans } from '../../../kernels/webgpu.ts';
import { DeviceError, OutOfMemoryError, UseAfterFreeError } from '../../errors.ts';
import { checkLaunch, planFor } from '../check-launch.ts';
import type { ElementsContext } from '../../elements.ts';
import { checkWrite } from '../check-write.ts';
import type { Device, DeviceStatistics, HostArray, LaunchObserver, Storage } from '../device.ts';
import {
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
  readonly launchClock: 'device' | 'none';
  readonly #gpu: GPUDevice;
  readonly #queue: CommandQueue;
  readonly #pipelines: PipelineCache;
  readonly #buffers: BufferStore;
  readonly #debug: boolean;
  readonly #preferPlan: WebGpuDeviceOptions['preferPlan'];
  readonly #tuned: TunedPlans | undefined;
  #nextId = 1;
  #liveBuffers = 0;
  #liveBytes = 0;
  #peakBytes = 0;
  #launches = 0;
  #disposed = false;

  constructor(gpu: GPUDevice, info: GPUAdapterInfo, options: WebGpuDeviceOptions) {
    const { limits } = gpu;
    this.#gpu = gpu;
    this.#debug = options.debug ?? false;
    this.#preferPlan = options.preferPlan;
    this.#pipelines = new PipelineCache(gpu);
    this.#queue = new CommandQueue(gpu);
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
    this.#tuned = tuning && tunedPlansFor(tuning, 'webgpu', facts);
    this.facts = tuning ? { ...facts, tuning: tuningFact(tuning, this.#tuned) } : facts;
  }

  allocate(length: number, dtype: DType): Storage {
    this.#checkAlive('allocate');
    const bytes = 4 * length;
    const most = this.planFacts.maxStorageBufferBindingSize;
    if (bytes > most) {
      throw new OutOfMemoryError('a buffer is longer than the adapter can bind', {
        operation: 'allocate',
        expected: `at most ${most} bytes`,
        given: `${bytes} bytes; ${this.#held()}`,
      });
    }
    const buffer = this.#buffers.take(bytes);
    const id = this.#nextId++;
    const storage: WebGpuStorage = { id, device: this, dtype, length, references: 1, version: 0, buffer };
    this.#liveBuffers++;
    this.#liveBytes += buffer.bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return storage;
  }

  release(storage: Storage): void {
    if (this.#disposed) return;
    const { buffer } = this.#own(storage, 'release');
    if (--storage.references > 0) return;
    this.#liveBuffers--;
    this.#liveBytes -= buffer.bytes;
    this.#buffers.give(buffer);
  }

  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void {
    this.#checkAlive('write');
    const { buffer, length, dtype } = this.#own(storage, 'write');
    const elements = checkWrite(storage, values, source);
    if (length === 0) return;
    storage.version++;
    const words = toWords(elements, dtype);
    if (buffer.lastBatch <= this.#queue.submitted) {
      this.#gpu.queue.writeBuffer(buffer.gpu, 0, words);
      return;
    }
    // Recorded launches still use the buffer: the values wait beside it and are copied in their turn.
    const upload = this.#buffers.takeUpload(buffer.bytes);
    this.#gpu.queue.writeBuffer(upload, 0, words);
    this.#queue.record({ kind: 'copy', source: upload, target: buffer.gpu, bytes: buffer.bytes });
    this.#queue.afterSubmit(() => this.#buffers.giveUpload(buffer.bytes, upload));
    buffer.lastBatch = this.#queue.recording;
  }

  async read(storage: Storage): Promise<HostArray> {
    this.#checkAlive('read');
    const { buffer, length, dtype } = this.#own(storage, 'read');
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
    this.#checkAlive(kernel.name);
    checkLaunch(this, kernel, inputs, outputs, params);
    if (outputs.every(({ length }) => length === 0)) return;
    for (const output of outputs) output.version++;
    const planner = planFor(webGpuPlans, kernel as unknown as Kernel<never>, 'webgpu');
    const preferred = this.#preferPlan?.(kernel.name, params) ?? this.#tuned?.preferred(kernel, params);
    const plan = planner(params as never, this.planFacts, preferred);
    const observed = kernel as unknown as Kernel<never>;
    this.observer?.before?.(observed, params, plan.name);
    this.#record(kernel, observed, inputs, outputs, params, plan);
    this.#launches++;
    this.#queue.endLaunch();
    if (this.#debug) this.#queue.flush();
    this.observer?.after?.(observed, params, plan.name);
  }

  async synchronize(): Promise<void> {
    this.#checkAlive('synchronize');
    await this.#submitted('synchronize');
    await this.#gpu.queue.onSubmittedWorkDone();
    await this.#queue.check('synchronize');
  }

  statistics(): DeviceStatistics {
    return {
      liveBuffers: this.#liveBuffers,
      liveBytes: this.#liveBytes,
      peakBytes: this.#peakBytes,
      pooledBytes: this.#buffers.pooledBytes,
      launches: this.#launches,
      submits: this.#queue.submits,
    };
  }

  resetPeakBytes(): void {
    this.#peakBytes = this.#liveBytes;
  }

  trim(): void {
    this.#queue.afterSubmit(this.#buffers.drain());
    this.#queue.flush();
  }

  dispose(): void {
    this.#disposed = true;
    this.#gpu.destroy();
  }

  #record<P extends ParamValues>(
    kernel: Kernel<P>,
    observed: Kernel<never>,
    inputs: Storage[],
    outputs: Storage[],
    params: P,
    plan: WebGpuPlan,
  ): void {
    const { block, offset } = this.#queue.parameters(paramWords(observed));
    packParams(kernel, params, block);
    const label = `${kernel.name}.${plan.name}`;
    const bound = new Bindings(kernel.inputs(params), inputs, kernel.outputs(params), outputs);
    const scratch = Object.entries(plan.scratch ?? {}).map(([name, bytes]) => {
      const buffer = this.#buffers.take(bytes);
      bound.add(name, buffer, true);
      return buffer;
    });
    for (const buffer of bound.buffers()) buffer.lastBatch = this.#queue.recording;
    let launch: LaunchRecord | undefined;
    const timer = this.launchClock === 'device' ? this.observer?.timer?.() : undefined;
    for (const pass of plan.passes) {
      if (pass.workgroups.includes(0)) continue;
      const { pattern, buffers } = bound.of(pass);
      const pipeline = this.#pipelines.pipeline(pass, pattern, label);
      // What can go wrong goes wrong when a pipeline is first used. Capturing every launch would cost about half as much
      // again as recording it, so the later ones are known by their label alone, except in debug mode.
      launch ??= { label, stack: this.#debug || !pipeline.pipeline ? captureStack() : undefined, timer };
      const group = this.#buffers.bindGroup(pipeline.layout, buffers);
      this.#queue.record({ kind: 'dispatch', pipeline, group, offset, workgroups: pass.workgroups, launch });
    }
    for (const buffer of scratch) this.#buffers.give(buffer);
  }

  /** Lets reads of the same turn of the event loop share one submit, and waits for it. */
  async #submitted(operation: string): Promise<void> {
    const serial = this.#queue.recording;
    await Promise.resolve();
    this.#queue.checkLost(operation);
    this.#queue.flush();
    await this.#queue.whenSubmitted(serial);
  }

  #held(): string {
    return `tensors hold ${this.#liveBytes} bytes in ${this.#liveBuffers} buffers, the pool ${this.#buffers.pooledBytes}`;
  }

  #checkAlive(operation: string): void {
    if (this.#disposed) throw new DeviceError('the device has been disposed of', { operation });
    this.#queue.checkLost(operation);
  }

  #own(storage: Storage, operation: string): WebGpuStorage {
    if (storage.device !== this) throw new DeviceError('the buffer belongs to another device', { operation });
    if (storage.references <= 0) throw new UseAfterFreeError('the buffer has been released', { operation });
    return storage as WebGpuStorage;
  }
}

/** Buffers of one launch by operand name. */
class Bindings {
  readonly #byName = new Map<string, { buffer: GpuBuffer; written: boolean }>();

  constructor(
    inputOperands: readonly Operand[],
    inputs: readonly Storage[],
    outputOperands: readonly Operand[],
    outputs: readonly Storage[],
  ) {
    for (const [i, { name }] of inputOperands.entries()) this.add(name, (inputs[i] as WebGpuStorage).buffer, false);
    for (const [i, { name }] of outputOperands.entries()) this.add(name, (outputs[i] as WebGpuStorage).buffer, true);
  }

  add(name: string, buffer: GpuBuffer, written: boolean): void {
    if (this.#byName.has(name)) throw new DeviceError(`two operands are called '${name}'`);
    this.#byName.set(name, { buffer, written });
  }

  *buffers(): Iterable<GpuBuffer> {
    for (const { buffer } of this.#byName.values()) yield buffer;
  }

  /** The buffers that a pass binds, in order, and its access pattern. */
  of(pass: WebGpuPass): { pattern: string; buffers: GpuBuffer[] } {
    const names = pass.bindings ?? [...this.#byName].map(([name, { written }]) => (written ? `${name}*` : name));
    let pattern = '';
    const buffers = names.map((marked) => {
      const written = marked.endsWith('*');
      const entry = this.#byName.get(written ? marked.slice(0, -1) : marked);
      if (!entry) throw new DeviceError(`a pass binds '${marked}', which the kernel does not have`);
      pattern += written ? 'w' : 'r';
      return entry.buffer;
    });
    return { pattern, buffers };
  }
}

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
  const adapter = await findAdapter(options);
  return new WebGpuDevice(await requestDevice(adapter), adapter.info, options);
}
