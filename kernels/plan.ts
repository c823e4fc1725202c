// How a device runs a kernel. Choosing a plan is a pure function of the parameters and of facts about the device,
// so it is tested without one. Plans differ in speed and rounding only, and none uses float atomics.
import type { NdArray } from 'ndarray';
import type { Kernel, ParamValues } from './kernel.ts';

/** One operand of a reference plan, contiguous: float64 for float32 operands, int32 for int32 and bool. */
export type ReferenceArray = NdArray<Float64Array | Int32Array>;

/** Float64 loops over ndarrays in the kernel's own shapes. They define what the operation means. */
export type ReferencePlan<P extends ParamValues> = (
  inputs: ReferenceArray[],
  outputs: ReferenceArray[],
  params: P,
) => void;

/** SPILL_BYTES of tile-loops.as.ts, in words: what private scratch starts with where its loops run. */
export const SPILL_WORDS = 112;

/** The size of the parts of nearly equal size, of at most `most`, that `size` is cut into. */
export const evenParts = (size: number, most: number): number =>
  size === 0 ? 1 : Math.ceil(size / Math.ceil(size / Math.max(1, Math.floor(most))));

/**
 * One phase of a WASM plan: `exportName(params, buffers, begin, end)` is called for disjoint ranges that cover [0, tasks).
 * `params` points at the packed block; `buffers` at the u32 addresses of inputs, outputs, the shared scratch and the
 * calling thread's private scratch, in that order (the scratch entries are always there, 0 when not asked for).
 * A phase starts when the one before it has ended. Which thread takes which range must not change a bit of the result.
 */
export interface WasmPhase {
  readonly exportName: string;
  readonly tasks: number;
  /** Smallest number of tasks worth handing to another thread. */
  readonly grain?: number;
  /** Words that stand behind the packed block in this phase: what the planner has worked out for the kernel. */
  readonly constants?: readonly number[];
}

export interface WasmPlan {
  readonly name: string;
  readonly phases: readonly WasmPhase[];
  /** Bytes of scratch shared by all threads, and private to each. */
  readonly sharedScratch?: number;
  readonly threadScratch?: number;
}

export interface WasmFacts {
  readonly threads: number;
  readonly relaxedSimd: boolean;
  /** No fast algorithm, whatever it would gain. */
  readonly plainSums?: boolean;
}

/**
 * Chooses a plan. `prefer` names the plan wanted by a benchmark, a test or a measured table; it is passed over where it cannot
 * take the parameters. Devices keep plans: one in a table may depend on whether an `f32` parameter is zero, not on its value.
 */
export type WasmPlanner<P extends ParamValues> = (params: P, facts: WasmFacts, prefer?: string) => WasmPlan;

/**
 * One compute pass. Group 0: binding 0 is the uniform parameter block, then inputs, outputs and scratch buffers in order
 * (`bindings` selects and orders them for this pass; default all).
 */
export interface WebGpuPass {
  /** WGSL text, as imported from the .wgsl file. */
  readonly module: string;
  readonly entryPoint?: string;
  readonly constants?: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
  /** Names of operands or scratch buffers, in the order of bindings 1, 2, ... A trailing `*` marks read_write. */
  readonly bindings?: readonly string[];
}

/** One variant of a kernel on WebGPU: its passes and their scratch memory. */
export interface WebGpuPlan {
  readonly name: string;
  readonly passes: readonly WebGpuPass[];
  /** Scratch buffers by name, in bytes. */
  readonly scratch?: Readonly<Record<string, number>>;
}

/** What a plan may depend on: granted limits and features of the adapter. */
export interface WebGpuFacts {
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly subgroups: boolean;
  /** Threads of the smallest subgroup the adapter may form; 0 without subgroups. */
  readonly subgroupMinSize: number;
  readonly vendor: string;
  readonly architecture: string;
  /** A software adapter has no cache of its own to fill: it prefers other tile sizes. */
  readonly software: boolean;
}

/** Chooses a plan, as `WasmPlanner` does. */
export type WebGpuPlanner<P extends ParamValues> = (params: P, facts: WebGpuFacts, prefer?: string) => WebGpuPlan;

/** What a kernel that is declared outside of the tables brings along. */
export interface OwnPlans<P extends ParamValues> {
  readonly reference?: ReferencePlan<P>;
  readonly webgpu?: WebGpuPlanner<P>;
  /** Names exports of the module that the device has been given; that of the library is closed. */
  readonly wasm?: WasmPlanner<P>;
}

/** A table from kernels to one device's plans. */
export class PlanTable<Plan> {
  readonly #device: string;
  readonly #plans = new Map<string, { plan: Plan; variants: readonly string[] }>();

  constructor(device: 'reference' | 'wasm' | 'webgpu') {
    this.#device = device;
  }

  /** `variants` are the names of the plans that the planner chooses among; those of launches without work do not count. */
  add(kernel: { readonly name: string }, plan: Plan, ...variants: string[]): this {
    if (this.#plans.has(kernel.name)) throw new Error(`kernel ${kernel.name} has two plans`);
    this.#plans.set(kernel.name, { plan, variants });
    return this;
  }

  /** The kernel's own plan for this device, if it brings plans along, else that of the table. */
  find(kernel: { readonly name: string; readonly plans?: object }): Plan | undefined {
    if (kernel.plans) return (kernel.plans as Readonly<Record<string, Plan>>)[this.#device];
    return this.#plans.get(kernel.name)?.plan;
  }

  get(kernel: { readonly name: string }): Plan {
    const plan = this.find(kernel);
    if (!plan) throw new Error(`kernel ${kernel.name} has no plan for this device`);
    return plan;
  }

  variants(kernel: { readonly name: string }): readonly string[] {
    return this.#plans.get(kernel.name)?.variants ?? [];
  }

  names(): string[] {
    return [...this.#plans.keys()];
  }
}

export type AnyKernel = Kernel<never>;
