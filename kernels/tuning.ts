// Measured tables of plans (`wgrad bench tune`): which plan was the fastest for a class of shapes on one adapter. Looking one
// up is a pure function of the shape, the facts of the device and the table; without an entry the planner's own rule holds.
import type { Kernel, ParamValues } from './kernel.ts';

export type TunedDevice = 'webgpu' | 'wasm';

type Facts = Readonly<Record<string, string | number | boolean>>;

/** The fastest plan that was measured for one shape. */
export interface TuningEntry {
  readonly kernel: string;
  /** As `shapeClass` gives it. */
  readonly shapes: string;
  readonly plan: string;
}

/** What was measured on one device. */
export interface TuningTable {
  readonly device: TunedDevice;
  /** Those of `tuningFacts`, as the device states them. */
  readonly facts: Facts;
  readonly entries: readonly TuningEntry[];
}

/** Tables of several devices, as one file holds them. */
export interface Tuning {
  /** Of the file, for the manifest. */
  readonly checksum: string;
  readonly tables: readonly TuningTable[];
}

/** The facts by which a table knows its device. Another driver may compile other code, another number of threads share it. */
const factNames: Readonly<Record<TunedDevice, readonly string[]>> = {
  webgpu: ['vendor', 'architecture', 'device', 'driver'],
  wasm: ['relaxedSimd', 'threads'],
};

export const tuningFacts = (device: TunedDevice, facts: Facts): Facts =>
  Object.fromEntries(factNames[device].map((name) => [name, facts[name] ?? '']));

/** Sizes up to here tell plans apart by themselves: kernel sizes, strides, flags. */
const EXACT = 8;

const sizeClass = (value: number): number => (value <= EXACT ? value : 2 ** Math.round(Math.log2(value)));

/** The whole parameters in the order of the kernel's fields, those above eight rounded to powers of two. */
export function shapeClass<P extends ParamValues>(kernel: Pick<Kernel<P>, 'fields'>, params: P): string {
  const sizes: number[] = [];
  for (const name in kernel.fields) {
    if (kernel.fields[name] === 'f32') continue;
    const value = params[name] as number | readonly number[];
    if (typeof value === 'number') sizes.push(sizeClass(value));
    else for (const each of value) sizes.push(sizeClass(each));
  }
  return sizes.join(' ');
}

/** The entries that hold for a device, to be asked at every launch. */
export class TunedPlans {
  readonly #byKernel = new Map<string, Map<string, string>>();

  constructor(entries: readonly TuningEntry[]) {
    for (const { kernel, shapes, plan } of entries) {
      const known = this.#byKernel.get(kernel) ?? new Map<string, string>();
      this.#byKernel.set(kernel, known.set(shapes, plan));
    }
  }

  /** The name of the plan for a launch; undefined where nothing was measured. */
  preferred<P extends ParamValues>(kernel: Kernel<P>, params: P): string | undefined {
    return this.#byKernel.get(kernel.name)?.get(shapeClass(kernel, params));
  }
}

/** The plans for a device with these facts; undefined where no table was measured on it. */
export function tunedPlansFor(tuning: Tuning, device: TunedDevice, facts: Facts): TunedPlans | undefined {
  const own = tuningFacts(device, facts);
  const table = tuning.tables.find(
    (each) => each.device === device && Object.keys(own).every((name) => each.facts[name] === own[name]),
  );
  return table && new TunedPlans(table.entries);
}

/** What a device says of its tuning among its facts: the checksum, or that none was measured on it. */
export const tuningFact = (tuning: Tuning, plans: TunedPlans | undefined): string =>
  plans ? tuning.checksum : `no table of ${tuning.checksum} is for this device`;
