// Tensors in GPUBuffers of your own, and the GPUBuffers of tensors for shaders of your own: nothing is copied. They meet on
// one GPUDevice, which `createDevice('webgpu', { device })` works on beside you.
import { takes } from './call-check.ts';
import { checkTensorOptions, creation, defaultDevice, type TensorOptions } from './creation.ts';
import type { GpuBufferLike } from './devices/gpu-types.ts';
import type { Device } from './devices/device.ts';
import type { WebGpuDevice } from './devices/webgpu/device.ts';
import { ConfigError, DeviceError, showShape } from './errors.ts';
import { gpuBuffer, shape as shapeParameter } from './parameters.ts';
import { own } from './scope.ts';
import { checkShape, type Shape, sizeOf } from './shape.ts';
import { anyType } from './signature.ts';
import { Tensor } from './tensor.ts';

/** GPUBufferUsage.COPY_SRC and STORAGE: tensors are read and bound. */
const neededUsage = 4 | 128;

function webGpu(operation: string, device: Device): WebGpuDevice {
  if (device.name === 'webgpu') return device as WebGpuDevice;
  throw new DeviceError('only a webgpu device has GPUBuffers', {
    operation,
    argument: 'device',
    expected: 'webgpu',
    given: device.name,
    hint: "await createDevice('webgpu', { device }) works on a GPUDevice of your own",
  });
}

const takesFromBuffer = takes('tensorFromBuffer', {
  buffer: gpuBuffer,
  shape: shapeParameter,
  options: creation,
});

/**
 * The first elements of a GPUBuffer as a tensor, without a copy: 32-bit words, for `bool` 0 and 1. The buffer stays yours: it
 * is neither destroyed nor reused here, and must not be destroyed or written before what uses the tensor has been submitted,
 * as after `await device.synchronize()`. What you submit before is in it. Throws ConfigError for a buffer that is too small,
 * mapped, or without STORAGE and COPY_SRC, and inside of `compile`; the next read throws DeviceError for one of another GPUDevice.
 */
export function tensorFromBuffer(...args: [buffer: GpuBufferLike, shape: Shape, options?: TensorOptions]): Tensor {
  const [given, shape, options = {}] = takesFromBuffer(args);
  const { device = defaultDevice(), dtype = 'float32' } = options;
  const operation = 'tensorFromBuffer';
  checkShape(operation, shape);
  checkTensorOptions(operation, dtype, options);
  const owner = webGpu(operation, device);
  const buffer = given as GPUBuffer;
  const refuse = (reason: string, expected: string, found: string, hint?: string): never => {
    throw new ConfigError(reason, { operation, argument: 'buffer', expected, given: found, hint });
  };
  if (device.doorkeeper) refuse('a buffer inside of compile', 'a tensor made before', 'tensorFromBuffer');
  const bytes = Math.max(4, 4 * sizeOf(shape));
  if (buffer.size < bytes) {
    refuse('the buffer is too small', `${bytes} bytes for ${showShape(shape)}`, `${buffer.size} bytes`);
  }
  if ((buffer.usage & neededUsage) !== neededUsage) {
    const hint = 'createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC })';
    refuse('a buffer for other uses', 'STORAGE and COPY_SRC', `usage ${buffer.usage}`, hint);
  }
  if (buffer.mapState !== 'unmapped') refuse('the buffer is mapped', 'unmapped', buffer.mapState, 'Call unmap() first');
  const result = new Tensor(owner.adopt(buffer, sizeOf(shape), dtype), [...shape], dtype);
  own(result);
  return options.requiresGrad ? result.requireGrad() : result;
}

const takesToBuffer = takes('tensorToBuffer', { x: anyType });

/**
 * The GPUBuffer of a tensor, without a copy, when all that computes it has been submitted: what you submit from then on finds its
 * values, 32-bit words from the beginning of the buffer. It may be longer. Bind it read-only or copy from it, until the tensor
 * is released: then it is used again for others. Rejects with DeviceError for a tensor elsewhere than on webgpu.
 */
export async function tensorToBuffer(...args: [x: Tensor]): Promise<GpuBufferLike> {
  const [x] = takesToBuffer(args);
  return webGpu('tensorToBuffer', x.device).bufferOf(x.storage);
}
