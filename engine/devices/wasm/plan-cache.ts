// What a launch needs to know, found by its packed parameters: the plan with its exports resolved, and the operands to
// expect. Training repeats the same launches, so planning and describing happen once per shape, not once per launch.
import { type Kernel, packParams, paramWords, type ParamValues, sizeOf } from '../../../kernels/kernel.ts';
import type { WasmFacts, WasmPlan, WasmPlanner } from '../../../kernels/plan.ts';
import type { TunedPlans } from '../../../kernels/tuning.ts';
import { wasmPlans } from '../../../kernels/wasm.ts';
import { planFor } from '../check-launch.ts';

export interface ResolvedPhase {
  readonly index: number;
  readonly tasks: number;
  readonly grain: number;
  readonly constants: readonly number[];
}

export interface ResolvedPlan {
  /** The parameter words that may change the plan: floats count as zero or not zero. */
  readonly key: Int32Array;
  readonly plan: WasmPlan;
  readonly phases: readonly ResolvedPhase[];
  /** Lengths of inputs, then outputs. */
  readonly lengths: readonly number[];
  readonly inputs: number;
}

interface KernelRecord {
  readonly words: Int32Array;
  readonly key: Int32Array;
  readonly floats: readonly number[];
  readonly planner: WasmPlanner<never>;
  readonly plans: Map<number, ResolvedPlan[]>;
  count: number;
}

/** A kernel whose integer parameters never repeat must not fill the memory with plans. */
const MAX_PLANS_PER_KERNEL = 1024;

export class PlanCache {
  readonly #facts: WasmFacts;
  readonly #indexOf: (exportName: string) => number;
  readonly #tuned: TunedPlans | undefined;
  readonly #kernels = new Map<string, KernelRecord>();
  /** Packed words of the launch that was looked up last. */
  words: Int32Array = new Int32Array(0);

  constructor(facts: WasmFacts, indexOf: (exportName: string) => number, tuned?: TunedPlans) {
    this.#facts = facts;
    this.#indexOf = indexOf;
    this.#tuned = tuned;
  }

  /** The plan for these parameters, or undefined if it must be made. Leaves the packed words in `words`. */
  find<P extends ParamValues>(kernel: Kernel<P>, params: P): ResolvedPlan | undefined {
    const record = this.#kernels.get(kernel.name) ?? this.#addKernel(kernel);
    const words = packParams(kernel, params, record.words);
    this.words = words;
    const key = record.key;
    key.set(words);
    for (const at of record.floats) key[at] = words[at] << 1 === 0 ? 0 : 1;
    const candidates = record.plans.get(hash(key));
    if (candidates) for (const candidate of candidates) if (isEqual(candidate.key, key)) return candidate;
    return undefined;
  }

  /** Makes the plan for the parameters that `find` looked up last. */
  make<P extends ParamValues>(kernel: Kernel<P>, params: P): ResolvedPlan {
    const record = this.#kernels.get(kernel.name)!;
    if (record.count >= MAX_PLANS_PER_KERNEL) {
      record.plans.clear();
      record.count = 0;
    }
    const plan = record.planner(params as never, this.#facts, this.#tuned?.preferred(kernel, params));
    const inputs = kernel.inputs(params);
    const operands = [...inputs, ...kernel.outputs(params)];
    const resolved: ResolvedPlan = {
      key: record.key.slice(),
      plan,
      phases: plan.phases
        .filter(({ tasks }) => tasks > 0)
        .map(({ exportName, tasks, grain, constants }) => ({
          index: this.#indexOf(exportName),
          tasks,
          grain: grain ?? 1,
          constants: constants ?? [],
        })),
      lengths: operands.map(({ shape }) => sizeOf(shape)),
      inputs: inputs.length,
    };
    const at = hash(record.key);
    const candidates = record.plans.get(at);
    if (candidates) candidates.push(resolved);
    else record.plans.set(at, [resolved]);
    record.count++;
    return resolved;
  }

  #addKernel<P extends ParamValues>(kernel: Kernel<P>): KernelRecord {
    const length = paramWords(kernel as unknown as Kernel<never>);
    const floats: number[] = [];
    let at = 0;
    for (const type of Object.values<string>(kernel.fields)) {
      if (type === 'f32') floats.push(at);
      at += type.endsWith('x8') ? 8 : 1;
    }
    const record: KernelRecord = {
      words: new Int32Array(length),
      key: new Int32Array(length),
      floats,
      planner: planFor(wasmPlans, kernel as unknown as Kernel<never>, 'wasm'),
      plans: new Map(),
      count: 0,
    };
    this.#kernels.set(kernel.name, record);
    return record;
  }
}

function hash(key: Int32Array): number {
  let value = 0;
  for (let i = 0; i < key.length; i++) value = Math.imul(value ^ key[i], 0x01000193) ^ (value >>> 15);
  return value;
}

function isEqual(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
