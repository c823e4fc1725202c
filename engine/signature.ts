// Checks of a single tensor: it is one, alive, of a type that is taken, and on the device of the others. What functions take
// is declared by parameters.ts, which is handed on here; whole calls are checked by call-check.ts.
import type { DType } from '../kernels/index.ts';
import type { Device } from './devices/device.ts';
import { DeviceError, DTypeError, UseAfterFreeError } from './errors.ts';
import { Tensor } from './tensor.ts';

export * from './parameters.ts';

/** Refuses what is not a tensor, or is one that is released, of a type not in `dtypes`, or not on `device`. */
export function checkTensor(
  operation: string,
  argument: string,
  given: unknown,
  dtypes: readonly DType[],
  device: Device | undefined,
): asserts given is Tensor {
  if (!(given instanceof Tensor)) {
    throw new DTypeError('not a tensor', {
      operation,
      argument,
      expected: 'a tensor',
      given: given === null ? 'null' : typeof given,
      hint: 'Make one with tensor(values, shape)',
    });
  }
  checkAlive(operation, argument, given);
  if (!dtypes.includes(given.dtype)) {
    throw new DTypeError('wrong element type', {
      operation,
      argument,
      expected: dtypes.join(' or '),
      given: given.dtype,
      hint: 'Convert it with cast(x, dtype)',
    });
  }
  if (device && given.device !== device) {
    throw new DeviceError('all tensors must be on one device', {
      operation,
      argument,
      expected: device.description,
      given: `another ${given.device.description}`,
      hint: 'Copy the tensor with await toDevice(x, device)',
    });
  }
}

/** Refuses a tensor that has been released. */
export function checkAlive(operation: string, argument: string, x: Tensor): void {
  if (!x.disposed) return;
  throw new UseAfterFreeError('the tensor has been released', {
    operation,
    argument,
    expected: 'a live tensor',
    given: `a released one of shape [${x.shape.join(', ')}]`,
    hint: 'Its scope has ended or it was disposed of; `scope.keep(t)` lets a tensor out of its scope',
  });
}
