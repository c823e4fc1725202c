// What a device needs to know of a launch, found by the packed parameters: its plan and the operands to expect. Training repeats
// the same launches, so that planning and describing happen once per shape, not once per launch.
import {
  type FieldType,
  fieldWords,
  type Kernel,
  type Operand,
  packParams,
  paramWords,
  type ParamValues,
  sizeOf,
} from '../../kernels/kernel.ts';
import { boundTwice, checkLaunch, mixesWords } from './check-launch.ts';
import type { Device, Storage } from './device.ts';

/** The operands of a launch as the kernel describes them. */
export interface Operands {
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Operand[];
}

export interface PlannedLaunch<Plan> extends Operands {
  /** The parameter words that may change the plan. */
  readonly key: Int32Array;
  /** The name of the plan that was asked for. */
  readonly prefer: string | undefined;
  readonly plan: Plan;
  /** Lengths and types of inputs, then outputs. */
  readonly lengths: readonly number[];
  readonly dtypes: readonly Operand['dtype'][];
  readonly mixesWords: boolean;
}

interface KernelRecord<Plan> {
  readonly words: Int32Array;
  readonly key: Int32Array;
  /** Words that count as zero or not zero. */
  readonly floats: readonly number[];
  readonly plans: Map<number, PlannedLaunch<Plan>[]>;
  count: number;
}

/** A kernel whose integer parameters never repeat must not fill the memory with plans. */
const MAX_PLANS_PER_KERNEL = 1024;

/** Makes the plan of a launch whose operands have been checked. */
export type MakePlan<Plan> = (
  kernel: Kernel<never>,
  params: ParamValues,
  operands: Operands,
  prefer: string | undefined,
) => Plan;

export class PlanCache<Plan> {
  readonly #device: Device;
  readonly #make: MakePlan<Plan>;
  readonly #kernels = new WeakMap<object, KernelRecord<Plan>>();
  /** Packed words of the launch that was looked up last. */
  words: Int32Array = new Int32Array(0);

  constructor(device: Device, make: MakePlan<Plan>) {
    this.#device = device;
    this.#make = make;
  }

  /**
   * The plan of a launch on these buffers. Leaves the packed parameters in `words`. Throws what `checkLaunch` does where the
   * device must not run it.
   */
  find<P extends ParamValues>(
    kernel: Kernel<P>,
    inputs: Storage[],
    outputs: Storage[],
    params: P,
    prefer?: string,
  ): PlannedLaunch<Plan> {
    let record = this.#kernels.get(kernel);
    if (!record) this.#kernels.set(kernel, (record = newRecord(kernel)));
    this.words = packParams(kernel, params, record.words);
    const known = lookUp(record, prefer);
    if (known && this.#fits(known, inputs, outputs)) return known;
    const operands: Operands = known ?? { inputs: kernel.inputs(params), outputs: kernel.outputs(params) };
    checkLaunch(this.#device, kernel.name, operands, inputs, outputs);
    return known ?? this.#add(record, kernel as unknown as Kernel<never>, params, operands, prefer);
  }

  #add(
    record: KernelRecord<Plan>,
    kernel: Kernel<never>,
    params: ParamValues,
    operands: Operands,
    prefer: string | undefined,
  ): PlannedLaunch<Plan> {
    if (record.count >= MAX_PLANS_PER_KERNEL) {
      record.plans.clear();
      record.count = 0;
    }
    const all = [...operands.inputs, ...operands.outputs];
    const planned: PlannedLaunch<Plan> = {
      ...operands,
      key: record.key.slice(),
      prefer,
      plan: this.#make(kernel, params, operands, prefer),
      lengths: all.map(({ shape }) => sizeOf(shape)),
      dtypes: all.map(({ dtype }) => dtype),
      mixesWords: mixesWords(kernel.name),
    };
    const at = hash(planned.key);
    const others = record.plans.get(at);
    if (others) others.push(planned);
    else record.plans.set(at, [planned]);
    record.count++;
    return planned;
  }

  /** `checkLaunch` without its words: whether it would let the launch pass, as far as can be told at once. */
  #fits(planned: PlannedLaunch<Plan>, inputs: Storage[], outputs: Storage[]): boolean {
    const { lengths, dtypes } = planned;
    const inputCount = planned.inputs.length;
    if (inputs.length !== inputCount || inputs.length + outputs.length !== lengths.length) return false;
    let words: boolean | undefined;
    for (let i = 0; i < lengths.length; i++) {
      const storage = i < inputCount ? inputs[i] : outputs[i - inputCount];
      if (storage.length !== lengths[i] || storage.device !== this.#device || storage.references <= 0) return false;
      if (dtypes[i] === 'word') {
        const isFloat = storage.dtype === 'float32';
        if (words !== undefined && words !== isFloat && !planned.mixesWords) return false;
        words = isFloat;
      } else if (storage.dtype !== dtypes[i]) return false;
    }
    return boundTwice(inputs, outputs) < 0;
  }
}

function newRecord<P extends ParamValues>(kernel: Kernel<P>): KernelRecord<never> {
  const length = paramWords(kernel);
  const floats: number[] = [];
  let at = 0;
  for (const type of Object.values(kernel.fields)) {
    // A learning rate changes in every step, and no plan of the library depends on more than whether a number is zero.
    if (type === 'f32' && !kernel.plans) floats.push(at);
    at += fieldWords(type);
  }
  return { words: new Int32Array(length), key: new Int32Array(length), floats, plans: new Map(), count: 0 };
}

/**
 * Whether a launch with other parameters has the same plan for certain: only numbers differ that plans do not depend on (see
 * `newRecord`).
 */
export function havePlanInCommon(kernel: Kernel<never>, before: ParamValues, after: ParamValues): boolean {
  const fields: { readonly [name: string]: FieldType } = kernel.fields;
  for (const name in fields) {
    const [a, b] = [before[name]!, after[name]!];
    if (typeof a === 'number' ? Object.is(a, b) : isSameList(a, b)) continue;
    if (fields[name] !== 'f32' || kernel.plans) return false;
    if ((Math.fround(a as number) === 0) !== (Math.fround(b as number) === 0)) return false;
  }
  return true;
}

const isSameList = (a: readonly number[], b: number | readonly number[]): boolean =>
  typeof b !== 'number' && a.length === b.length && a.every((value, i) => value === b[i]);

/** The plan for the words of the record, whose key is written. */
function lookUp<Plan>(record: KernelRecord<Plan>, prefer: string | undefined): PlannedLaunch<Plan> | undefined {
  const { words, key } = record;
  key.set(words);
  for (const at of record.floats) key[at] = words[at] << 1 === 0 ? 0 : 1;
  const candidates = record.plans.get(hash(key));
  if (candidates) {
    for (const candidate of candidates) {
      if (candidate.prefer === prefer && isEqual(candidate.key, key)) return candidate;
    }
  }
  return undefined;
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
