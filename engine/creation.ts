// Making tensors from host values, and the default device they are made on.
import type { DType } from '../kernels/index.ts';
import { fill } from '../kernels/index.ts';
import type { Device } from './devices/device.ts';
import { oneOf } from './checks.ts';
import { ConfigError, DeviceError, ShapeError, showShape } from './errors.ts';
import { defineFunction } from './operation.ts';
import { own } from './scope.ts';
import { checkShape, type Shape, sizeOf } from './shape.ts';
import { anyType, checkAlive } from './signature.ts';
import { emptyTensor, Parameter, Tensor } from './tensor.ts';

let current: Device | undefined;

/** The device on which tensors are made when none is named. */
export function setDefaultDevice(device: Device | undefined): void {
  current = device;
}

/** Throws ConfigError until `setDefaultDevice` has been called. */
export function defaultDevice(): Device {
  if (!current) {
    throw new ConfigError('there is no default device', {
      operation: 'defaultDevice',
      hint: "Call setDefaultDevice(await createDevice('auto')) first, or pass { device }",
    });
  }
  return current;
}

export interface TensorOptions {
  dtype?: DType;
  device?: Device;
  requiresGrad?: boolean;
}

export type Values = number | boolean | ArrayLike<number> | readonly Values[];

function inferShape(values: Values): number[] {
  const shape: number[] = [];
  let level: Values | undefined = values;
  while (typeof level === 'object') {
    shape.push(level.length);
    level = level[0] as Values | undefined;
  }
  return shape;
}

function flatten(values: Values, shape: Shape, axis: number, into: number[]): void {
  if (typeof values !== 'object') {
    if (axis !== shape.length) throw raggedError();
    into.push(Number(values));
    return;
  }
  if (values.length !== shape[axis]) throw raggedError();
  for (let i = 0; i < values.length; i++) flatten(values[i] as Values, shape, axis + 1, into);
}

const raggedError = () =>
  new ShapeError('nested arrays must all have the same lengths', {
    operation: 'tensor',
    argument: 'values',
    expected: 'as many in each',
    given: 'different lengths',
  });

/**
 * A tensor of the given values: a number, nested arrays, or a flat array with a shape. Typed arrays choose the type:
 * Int32Array gives int32, every other numbers float32.
 */
export function tensor(values: Values, shape?: Shape, options: TensorOptions = {}): Tensor {
  const device = options.device ?? defaultDevice();
  const dtype = options.dtype ?? (values instanceof Int32Array ? 'int32' : 'float32');
  oneOf('tensor', 'dtype', dtype, anyType.dtypes);
  if (shape) checkShape('tensor', shape);
  let flat: ArrayLike<number>;
  let resolved: Shape;
  if (shape && typeof values === 'object' && typeof values[0] !== 'object') {
    flat = values as ArrayLike<number>;
    resolved = shape;
  } else {
    resolved = inferShape(values);
    const list: number[] = [];
    flatten(values, resolved, 0, list);
    flat = list;
    resolved = shape ?? resolved;
  }
  if (flat.length !== sizeOf(resolved)) {
    throw new ShapeError('the number of values does not fit the shape', {
      operation: 'tensor',
      argument: 'values',
      expected: `${sizeOf(resolved)} values for ${showShape(resolved)}`,
      given: String(flat.length),
    });
  }
  const result = emptyTensor(device, [...resolved], dtype);
  device.write(result.storage, flat);
  return options.requiresGrad ? result.requireGrad() : result;
}

/** A tensor filled with one value. */
export const full = (shape: Shape, value: number, options: TensorOptions = {}): Tensor =>
  filled('full', shape, value, options);

function filled(operation: string, shape: Shape, value: number, options: TensorOptions): Tensor {
  const { device = defaultDevice(), dtype = 'float32' } = options;
  checkShape(operation, shape);
  oneOf(operation, 'dtype', dtype, anyType.dtypes);
  if (typeof value !== 'number' || (dtype !== 'float32' && !Number.isInteger(value))) {
    throw new ConfigError('not a value of this type', {
      operation,
      argument: 'value',
      expected: dtype === 'float32' ? 'a number' : 'a whole number',
      given: String(value),
    });
  }
  const result = emptyTensor(device, [...shape], dtype);
  const n = sizeOf(shape);
  if (n > 0) {
    if (dtype === 'float32' || value === 0) device.launch(fill, [], [result.storage], { n, value });
    else device.write(result.storage, new Int32Array(n).fill(value));
  }
  return options.requiresGrad ? result.requireGrad() : result;
}

export const zeros = (shape: Shape, options: TensorOptions = {}): Tensor => filled('zeros', shape, 0, options);
export const ones = (shape: Shape, options: TensorOptions = {}): Tensor => filled('ones', shape, 1, options);

/** Zeros (ones) of the shape and device of `x`. */
export const zerosLike = like('zerosLike', 0);
export const onesLike = like('onesLike', 1);

function like(name: string, value: number) {
  return defineFunction(name, (x: Tensor): Tensor => full(x.shape, value, { device: x.device }), { x: anyType });
}

/** A parameter of the given float32 values. Belongs to no scope. */
export function parameter(values: ArrayLike<number>, shape: Shape, device: Device = defaultDevice()): Parameter {
  checkShape('parameter', shape);
  if (values.length !== sizeOf(shape)) {
    throw new ShapeError('the number of values does not fit the shape', {
      operation: 'parameter',
      argument: 'values',
      expected: String(sizeOf(shape)),
      given: String(values.length),
    });
  }
  const storage = device.allocate(values.length, 'float32');
  device.write(storage, values);
  return new Parameter(storage, [...shape]);
}

/** A copy of `x` on another device, off the tape. */
export async function toDevice(x: Tensor, device: Device): Promise<Tensor> {
  checkAlive('toDevice', 'x', x);
  if (x.device === device) return x.detach();
  if (!device) {
    const details = { operation: 'toDevice', argument: 'device', expected: 'a device', given: String(device) };
    throw new DeviceError('no device given', details);
  }
  const values = await x.array();
  const result = new Tensor(device.allocate(x.size, x.dtype), x.shape, x.dtype);
  device.write(result.storage, values);
  own(result);
  return result;
}
