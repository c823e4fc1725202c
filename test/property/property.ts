// One property of an operation: outputs and gradients of any device agree with float64 within the rounding of float32, and
// what is linear satisfies <A x, g> = <x, A' g>. Families of random operations are in families/.
//
// The bound of an element is u r S: u = 2^-24 the unit roundoff, S the sum of the absolute values of the terms that were
// added up for it, and r = `roundings`, a constant plus 2 sqrt(terms), since the errors of a long sum behave like a walk.
import fc from 'fast-check';
import {
  abs,
  type Device,
  type DType,
  grad,
  type HostArray,
  noGrad,
  random,
  scope,
  setDefaultDevice,
  tensor,
  type Tensor,
} from '../../engine/index.ts';
import { sizeOf } from '../../engine/shape.ts';

/** Content of an input. `whole` are small integers, which tie, and whose sums float32 holds exactly. */
type Values = 'normal' | 'positive' | 'aboveOne' | 'whole' | 'bool' | { readonly below: number } | readonly number[];

export interface PropertyInput {
  readonly shape: readonly number[];
  /** Numbers of a normal distribution unless told otherwise; `below` draws int32 indices. */
  readonly values?: Values;
  /** Not differentiated. */
  readonly constant?: true;
}

type Operation = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/** Tensors of the reference device to derive the bound from. */
export interface Evaluated {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly cotangents: readonly Tensor[];
  /** One per differentiated input. */
  readonly gradients: readonly Tensor[];
}

/** S for every float32 output and every gradient, each of that shape or broadcasting to it. */
type Magnitude = (evaluated: Evaluated) => readonly Tensor[];

export interface PropertyCase {
  readonly label: string;
  readonly inputs: readonly PropertyInput[];
  readonly f: Operation;
  /** r above: 0 where nothing may be rounded. */
  readonly roundings: number;
  /**
   * How S is found. `terms` (default): the operation, and its gradient, of absolute values, which is right for everything
   * linear with coefficients >= 0 in each input. `cotangents`: only those are made positive, where the values of the inputs
   * choose what is added. Or an expression.
   */
  readonly magnitude?: 'terms' | 'cotangents' | Magnitude;
  /** Stands for `f` under `terms`, where `f` subtracts. */
  readonly absolute?: Operation;
  /** Sets of inputs in which the operation is linear, all others held fixed. */
  readonly linear?: readonly (readonly number[])[];
}

/** 2 sqrt(terms) for sums and 8 for what is done before and after. */
export const roundingsOf = (terms: number): number => 8 + 2 * Math.sqrt(terms);

const UNIT_ROUNDOFF = 2 ** -24;

interface Content {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly values: ArrayLike<number>;
  readonly isDifferentiated: boolean;
}

function contentOf({ shape, values = 'normal', constant }: PropertyInput, dataSeed: number, index: number): Content {
  const draws = random(dataSeed, 'property', index);
  const n = sizeOf(shape);
  const floats = (list: ArrayLike<number>): Content => ({
    shape,
    dtype: 'float32',
    values: Float32Array.from(list),
    isDifferentiated: constant !== true,
  });
  const words = (dtype: DType, below: number): Content => ({
    shape,
    dtype,
    values: Int32Array.from({ length: n }, () => draws.integer(below)),
    isDifferentiated: false,
  });
  if (values === 'normal') return floats(draws.normalArray(n));
  if (values === 'positive') return floats(draws.uniformArray(n).map((u) => 0.5 + u));
  if (values === 'aboveOne') return floats(draws.uniformArray(n).map((u) => 1 + 2 * u));
  if (values === 'whole') return floats(Array.from({ length: n }, () => draws.integer(9) - 4));
  if (values === 'bool') return words('bool', 2);
  return 'below' in values ? words('int32', values.below) : floats(values);
}

type Change = (values: ArrayLike<number>) => ArrayLike<number>;
const same: Change = (values) => values;
const absolute: Change = (values) => Array.from(values, Math.abs);

/** Runs the case and its backward pass inside the caller's scope. */
function evaluate(f: Operation, contents: readonly Content[], dataSeed: number, device: Device, changes: Change[]) {
  setDefaultDevice(device);
  const [changeInputs, changeCotangents] = changes as [Change, Change];
  const inputs = contents.map(({ shape, dtype, values, isDifferentiated }) =>
    tensor(dtype === 'float32' ? changeInputs(values) : values, shape, { dtype, requiresGrad: isDifferentiated }),
  );
  const result = f(...inputs);
  const outputs = Array.isArray(result) ? (result as readonly Tensor[]) : [result as Tensor];
  const tracked = outputs.filter((output) => output.tracked);
  const isWhole = contents.every(({ values }) => Array.from(values).every(Number.isInteger));
  const cotangents = tracked.map(({ shape }, i) => {
    const { values } = contentOf({ shape, values: isWhole ? 'whole' : 'normal' }, dataSeed, 100 + i);
    return tensor(changeCotangents(values), shape);
  });
  const wanted = inputs.filter((input) => input.requiresGrad);
  const gradients = tracked.length ? grad(tracked, wanted, { gradOutputs: cotangents }) : [];
  return { inputs, outputs, cotangents, gradients };
}

const read = (tensors: readonly Tensor[]): Promise<HostArray[]> => Promise.all(tensors.map((x) => x.array()));

/** Values of one device, in the order: all outputs, then the gradients. */
export interface Results {
  readonly names: readonly string[];
  readonly values: readonly HostArray[];
}

/** A case with its data, drawn once. */
export class Trial {
  readonly #contents: readonly Content[];
  readonly #seed: number;

  constructor(
    readonly tested: PropertyCase,
    dataSeed: number,
  ) {
    this.#seed = dataSeed;
    this.#contents = tested.inputs.map((input, i) => contentOf(input, dataSeed, i));
  }

  /** Runs on a device; throws if the adjoint identity is broken there. */
  async run(device: Device, bounds: Bounds): Promise<Results> {
    using _ = scope();
    const evaluated = evaluate(this.tested.f, this.#contents, this.#seed, device, [same, same]);
    const outputs = await read(evaluated.outputs);
    const gradients = await read(evaluated.gradients);
    await this.#checkAdjoint(evaluated, outputs, gradients, device, bounds);
    const names = [...outputs.map((_, i) => `output ${i}`), ...gradients.map((_, i) => `gradient ${i}`)];
    return { names, values: [...outputs, ...gradients] };
  }

  /** u r S of every float32 output and gradient; undefined for outputs that are compared exactly. */
  async bounds(reference: Device): Promise<Bounds> {
    using _ = scope();
    const { f, roundings, magnitude = 'terms' } = this.tested;
    const scaled = (values: HostArray): Float64Array =>
      Float64Array.from(values, (value) => UNIT_ROUNDOFF * roundings * Math.abs(value));
    if (typeof magnitude === 'function') {
      const evaluated = evaluate(f, this.#contents, this.#seed, reference, [same, same]);
      const positive = { ...evaluated, cotangents: evaluated.cotangents.map((g) => noGrad(() => abs(g))) };
      const sums = noGrad(() => magnitude(positive));
      const targets = [...evaluated.outputs.filter(({ dtype }) => dtype === 'float32'), ...evaluated.gradients];
      return read(sums.map((sum, i) => noGrad(() => sum.expand(targets[i]!.shape)))).then((all) => all.map(scaled));
    }
    const ofTerms = magnitude === 'terms';
    const g = ofTerms ? (this.tested.absolute ?? f) : f;
    const change = ofTerms ? absolute : same;
    const { outputs, gradients } = evaluate(g, this.#contents, this.#seed, reference, [change, absolute]);
    const floats = outputs.filter(({ dtype }) => dtype === 'float32');
    return (await read([...floats, ...gradients])).map(scaled);
  }

  /** <y, g> = <x, x'> for each set of inputs, to the bound of the products' terms. */
  async #checkAdjoint(
    { inputs, cotangents }: Evaluated,
    outputs: readonly HostArray[],
    gradients: readonly HostArray[],
    device: Device,
    bounds: Bounds,
  ): Promise<void> {
    const { linear = [], label } = this.tested;
    if (!linear.length || !outputs.length) return;
    const weights = await read(cotangents);
    const wanted = inputs.flatMap((input, i) => (input.requiresGrad ? [i] : []));
    const slack = (list: Float64Array, other: ArrayLike<number>) => dot(list, absolute(other));
    // On the reference device nothing is rounded to float32: its own bound is that of float64.
    const unit = device.name === 'reference' ? 2 ** -28 : 1;
    for (const set of linear) {
      let forward = 0;
      let backward = 0;
      let allowed = 0;
      weights.forEach((g, i) => {
        forward += dot(outputs[i]!, g);
        allowed += slack(bounds[i]!, g);
      });
      for (const at of set) {
        const k = wanted.indexOf(at);
        const x = this.#contents[at]!.values;
        backward += dot(x, gradients[k]!);
        allowed += slack(bounds[weights.length + k]!, x);
      }
      const difference = Math.abs(forward - backward);
      // Written so that a NaN fails.
      if (difference <= 1e-12 + unit * allowed) continue;
      throw new Error(
        `${label}: <A x, g> and <x, A' g> in inputs ${set.join(', ')} differ by ${difference} on ${device.name}`,
      );
    }
  }
}

type Bounds = readonly Float64Array[];

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function isClose(actual: number, expected: number, bound: number): boolean {
  const rounded = Math.fround(expected);
  if (Number.isNaN(rounded)) return Number.isNaN(actual);
  if (!Number.isFinite(rounded)) return actual === rounded;
  return Math.abs(actual - rounded) <= bound + 2 ** -126;
}

/** Throws an error that names the case, the tensor and the first element beyond its bound. Integers must be equal. */
export function assertWithin(label: string, actual: Results, expected: Results, bounds: Bounds): void {
  let next = 0;
  for (const [k, values] of expected.values.entries()) {
    const got = actual.values[k]!;
    const bound = values instanceof Int32Array ? undefined : bounds[next++]!;
    if (got.length !== values.length) throw new Error(`${label}: ${expected.names[k]} has ${got.length} elements`);
    const wrong = values.findIndex((value, i) => !isClose(got[i]!, value, bound ? bound[i]! : 0));
    if (wrong < 0) continue;
    throw new Error(
      `${label}: ${expected.names[k]}[${wrong}] is ${got[wrong]}, float64 gives ${values[wrong]}; ` +
        `the bound is ${bound ? bound[wrong] : 0}`,
    );
  }
}

/** Throws if two results differ in a bit. */
export function assertSameBits(label: string, first: Results, second: Results): void {
  for (const [k, values] of first.values.entries()) {
    const [a, b] = [values, second.values[k]!].map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength),
    );
    if (!a!.equals(b!)) throw new Error(`${label}: ${first.names[k]} has other bits with another number of threads`);
  }
}

/** Random operations of one kind, and those that are always tried. */
export interface Family {
  readonly name: string;
  readonly cases: fc.Arbitrary<PropertyCase>;
  readonly examples: readonly PropertyCase[];
}

export function family<P>(
  name: string,
  params: fc.Arbitrary<P>,
  make: (params: P) => Omit<PropertyCase, 'label'>,
  examples: readonly P[] = [],
): Family {
  const named = (p: P): PropertyCase => {
    const label = `${name} ${JSON.stringify(p)}`;
    return Object.assign(make(p), { label, [fc.toStringMethod]: () => label });
  };
  return { name, cases: params.map(named), examples: examples.map(named) };
}
