// Samples to one batch, as PyTorch's default_collate: what stands at the same place in each sample is stacked along a new first
// axis. Element types are those of `tensor`: numbers give float32, BigInts and Int32Arrays int32, booleans bool.
import { tensor } from '../creation.ts';
import { DataError, showGiven } from '../errors.ts';
import { stack } from '../ops/public.ts';
import { Tensor } from '../tensor.ts';

/** What samples of a type become. */
export type Collated<Sample> = Sample extends string
  ? string[]
  : Sample extends Tensor | number | bigint | boolean | ArrayBufferView
    ? Tensor
    : { [key in keyof Sample]: Collated<Sample[key]> };

type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

export const isTypedArray = (given: unknown): given is TypedArray =>
  ArrayBuffer.isView(given) && !(given instanceof DataView);

export const isPlain = (given: unknown): given is Readonly<Record<string, unknown>> =>
  typeof given === 'object' &&
  given !== null &&
  [Object.prototype, null].includes(Object.getPrototypeOf(given) as null);

function refuse(place: string, index: number, expected: string, given: unknown): never {
  throw new DataError('samples of a batch are not alike', {
    operation: 'collate',
    argument: `samples[${index}]${place}`,
    expected,
    given: showGiven(given),
    hint: 'Pass { collate } to the DataLoader for samples of other kinds or different lengths',
  });
}

/** Throws for the first value that is not as `expected`. */
function each<T>(values: readonly unknown[], place: string, expected: string, is: (value: unknown) => value is T): T[] {
  values.forEach((value, i) => is(value) || refuse(place, i, expected, value));
  return values as T[];
}

function stackArrays(values: readonly unknown[], first: TypedArray, place: string): Tensor {
  const { length } = first;
  const kind = Object.prototype.toString.call(first).slice(8, -1);
  const isAlike = (value: unknown): value is TypedArray =>
    isTypedArray(value) && value.length === length && Object.prototype.toString.call(value).slice(8, -1) === kind;
  const arrays = each(values, place, `${kind} of ${length}, as in samples[0]`, isAlike);
  const all = new (first.constructor as Float32ArrayConstructor)(length * arrays.length);
  arrays.forEach((array, i) => all.set(array, length * i));
  return tensor(all, [arrays.length, length]);
}

function collateAt(values: readonly unknown[], place: string): unknown {
  const [first] = values;
  const type = typeof first;
  if (type === 'number' || type === 'bigint' || type === 'boolean') {
    const alike = each(values, place, `a ${type}, as in samples[0]`, (value): value is number => typeof value === type);
    return tensor(alike, [alike.length], type === 'boolean' ? { dtype: 'bool' } : {});
  }
  if (type === 'string') return each(values, place, 'a text', (value): value is string => typeof value === 'string');
  if (first instanceof Tensor) {
    return stack(each(values, place, 'a tensor', (value): value is Tensor => value instanceof Tensor));
  }
  if (isTypedArray(first)) return stackArrays(values, first, place);
  if (Array.isArray(first)) {
    const isAlike = (value: unknown): value is unknown[] => Array.isArray(value) && value.length === first.length;
    const lists = each(values, place, `an array of ${first.length}, as in samples[0]`, isAlike);
    return first.map((_, k) => collateAt(lists.map((list) => list[k]), `${place}[${k}]`)); // prettier-ignore
  }
  if (!isPlain(first)) refuse(place, 0, 'numbers, texts, typed arrays, tensors, and arrays and objects of them', first);
  const keys = Object.keys(first);
  const isAlike = (value: unknown): value is Record<string, unknown> =>
    isPlain(value) && Object.keys(value).length === keys.length && keys.every((key) => key in value);
  const objects = each(values, place, `an object of ${keys.join(', ')}, as in samples[0]`, isAlike);
  const batch = keys.map((key) => [key, collateAt(objects.map((object) => object[key]), `${place}.${key}`)]); // prettier-ignore
  return Object.fromEntries(batch);
}

/**
 * One batch of samples, on the default device. Numbers, BigInts and booleans become a tensor of shape [samples], typed arrays
 * [samples, length], tensors [samples, ...shape], texts an array; arrays and objects are walked into. Throws DataError, which
 * names the sample and the place in it, where samples are not alike.
 */
export function collate<Sample>(samples: readonly Sample[]): Collated<Sample> {
  if (samples.length === 0) throw new DataError('a batch of no samples', { operation: 'collate', argument: 'samples' });
  return collateAt(samples, '') as Collated<Sample>;
}
