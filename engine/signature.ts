// What a public function of tensors takes, and the check of a call against it: every tensor is a tensor, alive, of a type
// that is taken, and on the device of the others. Shapes and numbers are the functions' own affair (checks.ts).
import type { DType } from '../kernels/index.ts';
import type { Device } from './devices/device.ts';
import { DeviceError, DTypeError, UseAfterFreeError } from './errors.ts';
import { Tensor } from './tensor.ts';

/** An argument that is a tensor. */
export interface TensorParameter {
  readonly dtypes: readonly DType[];
  /** A plain number will do. */
  readonly orNumber?: true;
  readonly optional?: true;
  /** An array of such tensors. */
  readonly list?: true;
}

/** Arguments by name, in order. `value` is one that is no tensor; an options object names the tensors in it. */
export type Signature = Readonly<Record<string, TensorParameter | 'value' | { readonly options: OptionTensors }>>;
export type OptionTensors = Readonly<Record<string, TensorParameter>>;

export const value = 'value' as const;
export const float: TensorParameter = { dtypes: ['float32'] };
export const int: TensorParameter = { dtypes: ['int32'] };
export const bool: TensorParameter = { dtypes: ['bool'] };
export const anyType: TensorParameter = { dtypes: ['float32', 'int32', 'bool'] };
export const orNumber = (parameter: TensorParameter): TensorParameter => ({ ...parameter, orNumber: true });
export const optional = (parameter: TensorParameter): TensorParameter => ({ ...parameter, optional: true });
export const listOf = (parameter: TensorParameter): TensorParameter => ({ ...parameter, list: true });
export const optionsWith = (options: OptionTensors): { options: OptionTensors } => ({ options });

/** Refuses what is no tensor, released, of another type than `dtypes`, or on another device than `device`. */
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

/** Checks every tensor of a call. */
export function checkCall(operation: string, signature: Signature, args: readonly unknown[]): void {
  let device: Device | undefined;
  const check = (argument: string, parameter: TensorParameter, given: unknown): void => {
    if (given === undefined && parameter.optional) return;
    if (typeof given === 'number' && parameter.orNumber) return;
    if (parameter.list && Array.isArray(given)) {
      const each = { dtypes: parameter.dtypes };
      given.forEach((item, i) => check(`${argument}[${i}]`, each, item));
      return;
    }
    checkTensor(operation, argument, given, parameter.dtypes, device);
    device ??= given.device;
  };
  let i = 0;
  for (const name in signature) {
    const parameter = signature[name]!;
    const given = args[i++];
    if (parameter === 'value') continue;
    if ('dtypes' in parameter) {
      check(name, parameter, given);
    } else if (given !== undefined) {
      for (const key in parameter.options) {
        check(key, parameter.options[key]!, (given as Record<string, unknown>)[key]);
      }
    }
  }
}

/**
 * A check of calls against the signature that costs little where all is well: most calls are of tensors alone, and only one
 * that does not look so is examined.
 */
export function compileCheck(operation: string, signature: Signature): (args: readonly unknown[]) => void {
  const parameters = Object.values(signature);
  const looksRight = (args: readonly unknown[]): boolean => {
    let device: Device | undefined;
    for (let i = 0; i < parameters.length; i++) {
      const parameter = parameters[i]!;
      if (parameter === 'value') continue;
      const given = args[i];
      if (!('dtypes' in parameter)) {
        if (given !== undefined) return false;
        continue;
      }
      if (given instanceof Tensor) {
        if (given.disposed || !parameter.dtypes.includes(given.dtype)) return false;
        if (device !== undefined && given.device !== device) return false;
        device = given.device;
      } else if (!(given === undefined ? parameter.optional : typeof given === 'number' && parameter.orNumber)) {
        return false;
      }
    }
    return true;
  };
  return (args) => {
    if (!looksRight(args)) checkCall(operation, signature, args);
  };
}

const showParameter = (name: string, { dtypes, orNumber, optional, list }: TensorParameter): string =>
  `${name}${optional ? '?' : ''}: ${dtypes.length === 3 ? 'any' : dtypes.join(' | ')}${list ? '[]' : ''}${orNumber ? ' | number' : ''}`;

/** A signature as one line: `(x: float32, axis, index: int32)`. */
export function showSignature(signature: Signature): string {
  const parts = Object.entries(signature).map(([name, parameter]) => {
    if (parameter === 'value') return name;
    if ('dtypes' in parameter) return showParameter(name, parameter);
    const tensors = Object.entries(parameter.options).map(([key, tensor]) => showParameter(key, tensor));
    return `${name}: { ${[...tensors, '...'].join(', ')} }`;
  });
  return `(${parts.join(', ')})`;
}
