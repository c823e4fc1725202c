// The `interpreter` device: the WGSL plans of the `webgpu` device, run by kernels/interpreter on the calling thread. It computes
// with the arithmetic of WGSL and reports what a GPU would not: data races, barriers in non-uniform control flow, and indices outside
// of arrays. Thousands of times slower than a GPU: for small shapes. `auto` never takes it.
import {
  type Access,
  Dispatcher,
  type Finding,
  Program,
  type Step,
  type Watcher,
} from '../../../kernels/interpreter/index.ts';
import type { DType, Kernel, ParamValues } from '../../../kernels/kernel.ts';
import type { WebGpuFacts, WebGpuPass } from '../../../kernels/plan.ts';
import { webGpuPlans } from '../../../kernels/webgpu.ts';
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
import { type BoundPass, bindPasses } from '../webgpu/resolve.ts';

/** What a launch was found to do wrong, and where: the text of the module has the lines. */
export interface LaunchFinding extends Finding {
  readonly kernel: string;
  readonly plan: string;
  readonly pass: number;
  readonly module: string;
}

/** Watches one invocation of one pass of every launch. */
export interface PassWatcher {
  readonly pass: number;
  /** Of the whole grid: `global_invocation_id`. */
  readonly invocation: readonly [number, number, number];
  /** Told before each statement, with the program that runs. */
  step(step: Step, program: Program): void;
  /** Told of each word of memory that is read or written. */
  access(access: Access): void;
}

/** How the interpreter runs shaders, and what becomes of what it finds. */
export interface InterpreterOptions {
  /** The plan to take for a launch; undefined leaves the choice to the rule. */
  readonly preferPlan?: (kernel: string, params: ParamValues) => string | undefined;
  /** Invocations of a subgroup. Default 8, the least that plans with subgroups take. */
  readonly subgroupSize?: number;
  /** Facts that plans are chosen by, where they are to differ from those of a software adapter. */
  readonly facts?: Partial<WebGpuFacts>;
  /** Told of all that is found. Without it a launch throws DeviceError for all but reads past the end of a buffer. */
  readonly onFinding?: (finding: LaunchFinding) => void;
}

interface InterpretedStorage extends Storage {
  readonly bytes: ArrayBuffer;
  readonly offset: number;
}

interface InterpretedPlan {
  readonly name: string;
  readonly passes: readonly BoundPass[];
  readonly scratch: readonly number[];
}

/** The content of a fresh buffer is unspecified: a NaN, and as an integer a number that shows. */
const UNSPECIFIED = 0xffaaaaaa;

const unspecified = (bytes: number): ArrayBuffer => new Uint32Array(bytes / 4).fill(UNSPECIFIED).buffer;

/**
 * A device on the host that runs the WGSL plans invocation by invocation, and sees races, barriers that not all reach and indices outside
 * of arrays. Slow: for tensors of up to some thousand elements.
 */
export class InterpreterDevice implements Device {
  readonly name = 'interpreter';
  readonly description: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** What the choice of plans depends on. */
  readonly planFacts: WebGpuFacts;
  observer: LaunchObserver | undefined;
  doorkeeper: Doorkeeper | undefined;
  /** Watches the launches that follow. */
  watcher: PassWatcher | undefined;
  readonly launchClock = 'host';
  readonly division: Division = { elementBytes: 4, viewBytes: (length) => Math.max(4, 4 * length), hasOffsets: true };
  readonly #options: InterpreterOptions;
  readonly #subgroupSize: number;
  readonly #room = new Room(Float32Array);
  readonly #ledger = new Ledger<InterpretedStorage>(this);
  readonly #dispatchers = new Map<string, Map<string, Dispatcher>>();
  readonly #plans: PlanCache<InterpretedPlan>;

  constructor(options: InterpreterOptions) {
    this.#options = options;
    this.#subgroupSize = options.subgroupSize ?? 8;
    this.description = `interpreter (WGSL on the host, subgroups of ${this.#subgroupSize})`;
    this.planFacts = {
      maxComputeWorkgroupsPerDimension: 65535,
      maxComputeInvocationsPerWorkgroup: 1024,
      maxComputeWorkgroupStorageSize: 32768,
      maxStorageBufferBindingSize: 2 ** 30,
      subgroups: true,
      subgroupMinSize: this.#subgroupSize,
      vendor: 'wgrad',
      architecture: 'interpreter',
      software: true,
      ...options.facts,
    };
    this.facts = { subgroupSize: this.#subgroupSize };
    this.#plans = new PlanCache(this, (kernel, params, operands, prefer) => {
      const planner = planFor(webGpuPlans, kernel, 'interpreter');
      if (operands.outputs.every(({ shape }) => shape.includes(0))) return { name: 'nothing', passes: [], scratch: [] };
      const plan = planner(params as never, this.planFacts, prefer);
      return {
        name: plan.name,
        passes: bindPasses(kernel.name, plan, operands),
        scratch: Object.values(plan.scratch ?? {}),
      };
    });
  }

  allocate(length: number, dtype: DType): Storage {
    if (this.doorkeeper) return this.doorkeeper.allocate(length, dtype);
    this.#ledger.checkAlive('allocate');
    const bytes = unspecified(4 * length);
    const id = this.#ledger.hold(bytes.byteLength);
    const own: InterpretedStorage = { id, device: this, dtype, length, references: 1, version: 0, bytes, offset: 0 };
    return own;
  }

  release(storage: Storage): void {
    if (this.#ledger.isDisposed) return;
    const own = this.#ledger.own(storage, 'release');
    if (!this.#ledger.drop(own, own.parent ? 0 : own.bytes.byteLength)) return;
    this.doorkeeper?.released(own);
    if (own.parent) this.release(own.parent);
  }

  view(parent: Storage, offset: number, length: number, dtype: DType): Storage {
    const { bytes } = this.#ledger.own(parent, 'view');
    parent.references++;
    const id = this.#ledger.hold(0);
    const own: InterpretedStorage = {
      id,
      device: this,
      dtype,
      length,
      references: 1,
      version: 0,
      parent,
      bytes,
      offset,
    };
    return own;
  }

  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void {
    if (this.doorkeeper) return this.doorkeeper.write(storage, values, source);
    const own = this.#ledger.own(storage, 'write');
    elementsOf(own).set(checkWrite(own, values, source, this.#room));
    own.version++;
  }

  read(storage: Storage): Promise<HostArray> {
    this.doorkeeper?.reads(storage);
    return new Promise((resolve) => resolve(elementsOf(this.#ledger.own(storage, 'read')).slice()));
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    if (this.doorkeeper) return this.doorkeeper.launch(kernel, inputs, outputs, params);
    this.prepare(kernel, inputs, outputs, params).run();
  }

  prepare<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): PreparedLaunch {
    this.#ledger.checkAlive(kernel.name);
    const prefer = this.#options.preferPlan?.(kernel.name, params);
    const { plan } = this.#plans.find(kernel, inputs, outputs, params, prefer);
    const any = kernel as unknown as Kernel<never>;
    return new PreparedPlan(plan.name, any, params, this.#plans.words.slice(), (tuned, words) => {
      this.#ledger.checkAlive(kernel.name);
      for (const output of outputs) output.version++;
      this.observer?.before?.(any, tuned, plan.name);
      this.#run(kernel.name, plan, words, [...inputs, ...outputs] as InterpretedStorage[]);
      this.#ledger.launches++;
      this.observer?.after?.(any, tuned, plan.name);
    });
  }

  /** Launches end before they return, so there is nothing to wait for. */
  synchronize(): Promise<void> {
    return Promise.resolve();
  }

  statistics(): DeviceStatistics {
    return this.#ledger.statistics(0);
  }

  resetPeakBytes(): void {
    this.#ledger.resetPeakBytes();
  }

  /** There is no pool. */
  trim(): void {
    this.#ledger.checkAlive('trim');
  }

  dispose(): void {
    this.#ledger.dispose();
  }

  #run(kernel: string, plan: InterpretedPlan, words: Int32Array, storages: readonly InterpretedStorage[]): void {
    const bound = storages.map(({ bytes, offset, length }) => ({ bytes, offset, length: 4 * length }));
    for (const bytes of plan.scratch) bound.push({ bytes: unspecified(bytes), offset: 0, length: bytes });
    const uniform = { bytes: words.slice().buffer };
    for (const [number, { pass, places }] of plan.passes.entries()) {
      const { watcher } = this;
      const isWatched = watcher?.pass === number;
      const dispatcher = this.#dispatcher(pass, isWatched);
      const buffers = new Map([[0, uniform], ...places.map((place, i) => [i + 1, bound[place]] as const)]);
      const { program } = dispatcher;
      const findings = dispatcher.dispatch(pass.workgroups, buffers, {
        subgroupSize: this.#subgroupSize,
        ...(isWatched ? { watcher: watcherOf(watcher, program) } : {}),
      });
      for (const finding of findings)
        this.#report({ ...finding, kernel, plan: plan.name, pass: number, module: pass.module });
    }
  }

  #report(finding: LaunchFinding): void {
    if (this.#options.onFinding) return this.#options.onFinding(finding);
    const { kind, kernel, plan, pass, message } = finding;
    if (kind === 'overread') return;
    throw new DeviceError(message, {
      operation: `${kernel}.${plan}, pass ${pass}`,
      hint: 'Give the device onFinding to go on, or step through the kernel with wgrad kernel --step',
    });
  }

  #dispatcher({ module, entryPoint, constants }: WebGpuPass, isStepped: boolean): Dispatcher {
    let dispatchers = this.#dispatchers.get(module);
    if (!dispatchers) this.#dispatchers.set(module, (dispatchers = new Map()));
    const key = `${entryPoint} ${isStepped} ${JSON.stringify(constants ?? {})}`;
    let dispatcher = dispatchers.get(key);
    if (!dispatcher) {
      dispatcher = new Dispatcher(new Program(module, { entryPoint, constants, isStepped }));
      dispatchers.set(key, dispatcher);
    }
    return dispatcher;
  }
}

const elementsOf = ({ bytes, offset, length, dtype }: InterpretedStorage): Float32Array | Int32Array =>
  dtype === 'float32' ? new Float32Array(bytes, offset, length) : new Int32Array(bytes, offset, length);

function watcherOf({ invocation, step, access }: PassWatcher, program: Program): Watcher {
  const { workgroupSize } = program;
  const workgroup = invocation.map((at, i) => Math.floor(at / workgroupSize[i]!)) as [number, number, number];
  const local = invocation.map((at, i) => at % workgroupSize[i]!) as [number, number, number];
  return { workgroup, local, step: (stop) => step(stop, program), access };
}

/** A device that interprets WGSL. Throws nothing: it runs everywhere. */
export const createInterpreterDevice = (options: InterpreterOptions = {}): InterpreterDevice =>
  new InterpreterDevice(options);
