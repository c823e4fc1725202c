// Tensors of random numbers and of regular ones: rand, randn, arange, linspace, eye. Drawn and computed on the host in float64,
// so that every device gets the same bits.
import { takes } from './call-check.ts';
import { numberWithin, wholeNumber } from './checks.ts';
import { checkTensorOptions, tensor, type TensorOptions } from './creation.ts';
import { ConfigError } from './errors.ts';
import {
  device,
  flag,
  number,
  optional,
  optionsWith,
  shape as shapeParameter,
  size,
  text,
  withMethod,
} from './parameters.ts';
import type { Random } from './random.ts';
import { nextStream } from './seed.ts';
import { checkShape, type Shape, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** Options of `rand` and `randn`. */
export interface RandomTensorOptions extends Omit<TensorOptions, 'dtype'> {
  /** Where the numbers come from; else the next stream of `manualSeed`. */
  stream?: Random;
}

const options = optionsWith<TensorOptions>({ dtype: text, device, requiresGrad: flag });
const randomOptions = optionsWith<RandomTensorOptions>({
  stream: withMethod('uniformArray', 'random(seed, purpose)'),
  device,
  requiresGrad: flag,
});
const takesRand = takes('rand', { shape: shapeParameter, options: randomOptions });
const takesRandn = takes('randn', { shape: shapeParameter, options: randomOptions });

/** Uniform in [0, 1), in multiples of 2^-24 (float32). */
export function rand(...args: [shape: Shape, options?: RandomTensorOptions]): Tensor {
  const [shape, { stream = nextStream('rand'), ...rest } = {}] = takesRand(args);
  checkShape('rand', shape);
  return tensor(stream.uniformArray(sizeOf(shape)), shape, rest);
}

/** Normal with mean 0 and deviation 1 (float32). */
export function randn(...args: [shape: Shape, options?: RandomTensorOptions]): Tensor {
  const [shape, { stream = nextStream('randn'), ...rest } = {}] = takesRandn(args);
  checkShape('randn', shape);
  return tensor(stream.normalArray(sizeOf(shape)), shape, rest);
}

const takesArange = takes('arange', { start: number, end: optional(number), step: optional(number), options });

type ArangeArguments =
  | [end: number, options?: TensorOptions]
  | [start: number, end: number, options?: TensorOptions]
  | [start: number, end?: number, step?: number, options?: TensorOptions];

/**
 * start, start + step, ... below `end` (above it for a negative step); with one number those from 0 to it. float32 unless told
 * otherwise. Throws ConfigError for a step of 0, and for one that leads away from `end`.
 */
export function arange(...args: ArangeArguments): Tensor {
  const given: unknown[] = [...args];
  const last = given.at(-1);
  // The options stand behind whichever numbers are given.
  if (given.length < 4 && typeof last === 'object' && last !== null) {
    given.pop();
    given[3] = last;
  }
  const [first, second, step = 1, options] = takesArange(
    given as [start: number, end?: number, step?: number, options?: TensorOptions],
  );
  const [start, end] = second === undefined ? [0, first] : [first, second];
  for (const [argument, each] of Object.entries({ start, end, step })) numberWithin('arange', argument, each);
  checkTensorOptions('arange', options?.dtype ?? 'float32', options ?? {});
  const count = Math.ceil((end - start) / step);
  if (step === 0 || count < 0) {
    const expected = step === 0 ? 'a number other than 0' : `one that leads from ${start} to ${end}`;
    throw new ConfigError('not a step', { operation: 'arange', argument: 'step', expected, given: String(step) });
  }
  return tensor(
    Float64Array.from({ length: count }, (_, i) => start + i * step),
    [count],
    { dtype: 'float32', ...options },
  );
}

const takesLinspace = takes('linspace', { start: number, end: number, steps: size, options });

/** `steps` numbers at equal distances from `start` to `end`, both among them. */
export function linspace(...args: [start: number, end: number, steps: number, options?: TensorOptions]): Tensor {
  const [start, end, steps, options] = takesLinspace(args);
  numberWithin('linspace', 'start', start);
  numberWithin('linspace', 'end', end);
  wholeNumber('linspace', 'steps', steps, 0);
  checkTensorOptions('linspace', options?.dtype ?? 'float32', options ?? {});
  const gap = (end - start) / Math.max(1, steps - 1);
  // Counted from the nearer end, so that both ends are exact.
  const at = (i: number): number => (2 * i < steps ? start + gap * i : end - gap * (steps - 1 - i));
  return tensor(
    Float64Array.from({ length: steps }, (_, i) => at(i)),
    [steps],
    { dtype: 'float32', ...options },
  );
}

const takesEye = takes('eye', { rows: size, columns: optional(size), options });

/** Ones on the main diagonal of a matrix of zeros, square unless `columns` is given. */
export function eye(...args: [rows: number, columns?: number, options?: TensorOptions]): Tensor {
  const [rows, columns = rows, options] = takesEye(args);
  wholeNumber('eye', 'rows', rows, 0);
  wholeNumber('eye', 'columns', columns, 0);
  checkTensorOptions('eye', options?.dtype ?? 'float32', options ?? {});
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1;
  return tensor(values, [rows, columns], options);
}
