// What layers share: their options, a bias, and state that is not trained.
import { parameter } from '../creation.ts';
import type { Device } from '../devices/device.ts';
import { type Shape, sizeOf } from '../shape.ts';
import type { Parameter } from '../tensor.ts';
import { uniformInit } from './init.ts';
import { Buffer } from './module.ts';

/** What every layer with parameters takes. */
export interface LayerOptions {
  device?: Device;
}

/** Adds a bias to a layer after its weight: uniform in +-1 / sqrt(fan-in), as torch. */
export function biasOf(size: number, fan: number, device: Device): Parameter {
  return parameter(uniformInit([size], 1 / Math.sqrt(Math.max(1, fan))), [size], device);
}

/** State of one value, saved but not trained. */
export function buffer(shape: Shape, value: number, device: Device): Buffer {
  const storage = device.allocate(sizeOf(shape), 'float32');
  device.write(storage, new Float32Array(sizeOf(shape)).fill(value));
  return new Buffer(storage, shape);
}

/** A parameter of one value. */
export function constant(size: number, value: number, device: Device): Parameter {
  return parameter(new Float32Array(size).fill(value), [size], device);
}
