// What every device may refuse before it takes values in: as many as the buffer holds, each of them one of its type.
import { type ElementsContext, elementsOf, type Room } from '../elements.ts';
import { DeviceError } from '../errors.ts';
import type { Storage } from './device.ts';

const written: ElementsContext = { operation: 'write', argument: 'values' };

/**
 * The values as elements of the buffer, in the room of a device that copies them at once. Throws DeviceError for another number of
 * them, DTypeError for what does not fit.
 */
export function checkWrite(
  { length, dtype }: Storage,
  values: ArrayLike<unknown>,
  source: ElementsContext = written,
  room?: Room,
): ArrayLike<number> {
  if (values.length !== length) {
    throw new DeviceError('wrong number of values', {
      operation: 'write',
      expected: String(length),
      given: String(values.length),
    });
  }
  return elementsOf(values, dtype, source, room);
}
