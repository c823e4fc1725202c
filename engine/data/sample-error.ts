// The error of a sample that could not be had, the same from this thread and from another.
import { DataError } from '../errors.ts';

/** `index` is undefined where the data set itself could not be made. */
export function sampleError(index: number | undefined, reason: unknown, module?: string): DataError {
  const message = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
  const what = index === undefined ? 'the data set could not be made in a worker' : `sample ${index} could not be had`;
  const details = { operation: 'DataLoader', cause: reason, ...(module === undefined ? {} : { given: module }) };
  return new DataError(`${what}: ${message}`, details);
}
