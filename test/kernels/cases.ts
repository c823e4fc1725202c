// Cases of kernels that run on any device: a kernel, its parameters and the content of its operands, drawn from a seed.
// A generator per kernel makes them; the agreement tests run each on two devices and compare.
import fc from 'fast-check';
import type { Device, HostArray } from '../../engine/devices/device.ts';
import { random, type Random } from '../../engine/random.ts';
import { type DType, type Kernel, type Operand, type ParamValues, sizeOf } from '../../kernels/index.ts';

/** Largest difference accepted: atol + rtol |expected|. */
export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** Results that must not differ at all: data movement, comparisons, extrema. */
export const exact: Tolerance = { rtol: 0, atol: 0 };

/** Terms that a kernel may add up one after the other; longer sums are cut into parts. */
const LONGEST_RUN = 4096;

/**
 * For sums of `terms` products of numbers near 1. They wander off by sqrt(terms), and each of n additions in a row rounds by
 * 2^-24 of where the sum stands: n 2^-24 / 2 or so in all, of which this allows the threefold. `size`: of the products.
 */
export const sumOf = (terms: number, size = 1): Tolerance => ({
  rtol: 1e-5,
  atol: size * (1e-6 * (1 + Math.sqrt(terms)) + 1e-7 * Math.min(terms, LONGEST_RUN)),
});

/** Root mean square of a product of two of the whole numbers that `drawValues` draws. */
export const WHOLE_PRODUCT = 20 / 3;

/** How random cases of one kernel are made. */
export interface KernelGenerator<P extends ParamValues> {
  readonly kernel: Kernel<P>;
  readonly params: fc.Arbitrary<P>;
  /** Parameters that are always tried: boundary sizes, and sizes past the tiles of the plans. */
  readonly examples: readonly P[];
  /** `isWhole`: for data of small whole numbers, which plain loops add up exactly. */
  readonly tolerance: (params: P, isWhole: boolean) => Tolerance;
  /** Element type of a `word` operand; by default float32 or int32 by turns. */
  readonly wordType?: (operand: string, params: P) => DType;
  /** Content of an operand; undefined for the default, see `drawValues`. Called for inputs and in-place outputs. */
  readonly values?: (operand: string, params: P, draws: Random, length: number) => ArrayLike<number> | undefined;
}

interface Content {
  readonly name: string;
  readonly dtype: DType;
  readonly values: ArrayLike<number>;
}

export interface KernelCase {
  readonly label: string;
  readonly kernel: string;
  readonly params: ParamValues;
  readonly tolerance: Tolerance;
  /** Launches the kernel once and reads all outputs. The observer of the device is used to learn the plan's name. */
  run(device: Device): Promise<CaseResult>;
  /** How fast-check names the case: without its data. */
  [fc.toStringMethod](): string;
}

export interface CaseResult {
  readonly plan: string;
  readonly outputs: readonly { readonly name: string; readonly dtype: DType; readonly values: HostArray }[];
}

/** What outputs hold before the launch, so that an element which is not written shows. */
const GARBAGE = -12345;

/** An array of `length` values of `draw`. */
export const drawn = (length: number, draw: () => number): number[] => Array.from({ length }, draw);

/** Values for an operand without a rule of its own: normal floats, or whole ones from -4 to 4, which tie and add up exactly. */
function drawValues(dtype: DType, length: number, draws: Random, whole: boolean): ArrayLike<number> {
  if (dtype === 'bool') return drawn(length, () => draws.integer(2));
  if (dtype === 'int32') return drawn(length, () => draws.integer(201) - 100);
  return whole ? drawn(length, () => draws.integer(9) - 4) : draws.normalArray(length);
}

/** A case with the given contents. */
export function kernelCase<P extends ParamValues>(
  kernel: Kernel<P>,
  params: P,
  inputs: readonly Content[],
  outputs: readonly Content[],
  tolerance: Tolerance,
  note = '',
): KernelCase {
  const label = `${kernel.name} ${JSON.stringify(params)}${note}`;
  const run = async (device: Device): Promise<CaseResult> => {
    const upload = (contents: readonly Content[]) =>
      contents.map(({ dtype, values }) => {
        const storage = device.allocate(values.length, dtype);
        device.write(storage, values);
        return storage;
      });
    const inputStorages = upload(inputs);
    const outputStorages = upload(outputs);
    let planName = '';
    device.observer = { before: (_kernel, _params, plan) => (planName = plan) };
    try {
      device.launch(kernel, inputStorages, outputStorages, params);
      const results = [];
      for (const [i, { name, dtype }] of outputs.entries()) {
        results.push({ name, dtype, values: await device.read(outputStorages[i]) });
      }
      return { plan: planName, outputs: results };
    } finally {
      device.observer = undefined;
      for (const storage of [...inputStorages, ...outputStorages]) device.release(storage);
    }
  };
  return { label, kernel: kernel.name, params, tolerance, run, [fc.toStringMethod]: () => label };
}

/** The case of a generator for these parameters; `seed` chooses the data. */
function randomCase<P extends ParamValues>(generator: KernelGenerator<P>, params: P, seed: number): KernelCase {
  const { kernel, values, wordType } = generator;
  const words: DType = seed % 2 ? 'int32' : 'float32';
  const isWhole = seed % 3 === 2;
  const tolerance = generator.tolerance(params, isWhole);
  const content = ({ name, dtype, shape }: Operand, isRead: boolean): Content => {
    const length = sizeOf(shape);
    const type = dtype === 'word' ? (wordType?.(name, params) ?? words) : dtype;
    if (!isRead) return { name, dtype: type, values: new Array<number>(length).fill(GARBAGE) };
    const draws = random(seed, `${kernel.name}.${name}`);
    const given = values?.(name, params, draws, length) ?? drawValues(type, length, draws, isWhole);
    // Other devices hold float32: the reference is to compute from the same numbers.
    return { name, dtype: type, values: type === 'float32' ? Float32Array.from(given) : given };
  };
  // Drawn when the case runs, and not kept: the examples of all kernels together would fill the memory.
  const make = (): KernelCase => {
    const inputs = kernel.inputs(params).map((operand) => content(operand, true));
    const outputs = kernel.outputs(params).map((operand) => content(operand, operand.inPlace === true));
    return kernelCase(kernel, params, inputs, outputs, tolerance);
  };
  const label = `${kernel.name} ${JSON.stringify(params)} data ${seed}`;
  return {
    label,
    kernel: kernel.name,
    params,
    tolerance,
    run: (device) => make().run(device),
    [fc.toStringMethod]: () => label,
  };
}

/** All cases of one kernel. */
export interface CaseSource<P extends ParamValues = ParamValues> {
  readonly kernel: string;
  readonly params: fc.Arbitrary<P>;
  readonly exampleParams: readonly P[];
  readonly cases: fc.Arbitrary<KernelCase>;
  readonly examples: readonly KernelCase[];
  /** The same cases for a kernel that differs in its plans alone, where it takes the parameters; `slack` widens the tolerance. */
  on(kernel: Kernel<P>, takes: (params: P) => boolean, slack: number): CaseSource<P>;
}

export function caseSource<P extends ParamValues>(generator: KernelGenerator<P>): CaseSource<P> {
  return {
    kernel: generator.kernel.name,
    params: generator.params,
    exampleParams: generator.examples,
    cases: fc.tuple(generator.params, fc.nat(1000)).map(([params, seed]) => randomCase(generator, params, seed)),
    examples: generator.examples.flatMap((params) => [1, 2].map((seed) => randomCase(generator, params, seed))),
    on: (kernel, takes, slack) =>
      caseSource({
        ...generator,
        kernel,
        tolerance: (params, isWhole) => {
          const { rtol, atol } = generator.tolerance(params, isWhole);
          return { rtol: slack * rtol, atol: slack * atol };
        },
        params: generator.params.filter(takes),
        examples: generator.examples.filter(takes),
      }),
  };
}

/** Sizes that matter to tiled loops: none, few, and around powers of two. */
export const anySize = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 9 }) },
  { weight: 1, arbitrary: fc.constantFrom(15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1023, 1025) },
);

/** A float32 between two limits. None is subnormal: GPUs may take those for zero. */
export const floatBetween = (min: number, max: number): fc.Arbitrary<number> =>
  fc
    .float({ min: Math.fround(min), max: Math.fround(max), noNaN: true, noDefaultInfinity: true })
    .map((value) => (Math.abs(value) < 1e-30 ? 0 : value));

export const flag = fc.constantFrom(0, 1);
