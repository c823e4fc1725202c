// A GPUDevice of one's own: wgrad works on it beside other work, takes buffers in and gives buffers out, and leaves it alone at the
// end. The device has WebGPU's default limits and no features, as a page's often has.
import { create } from 'webgpu';
import t from 'tap';
import type { WebGpuDevice } from '../../engine/devices/webgpu/device.ts';
import {
  compile,
  createDevice,
  type Device,
  matmul,
  mul,
  scope,
  sum,
  tensor,
  tensorFromBuffer,
  tensorToBuffer,
} from '../../engine/index.ts';
import { testedOn } from '../tested-on.ts';

const parts = testedOn('host', 'webgpu');
const usage = { copySource: 4, copyTarget: 8, mapRead: 1, storage: 128 };
const all = usage.storage | usage.copySource | usage.copyTarget;

/** A buffer of these values, made by the device's owner. */
function bufferOf(gpu: GPUDevice, values: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>, flags = all): GPUBuffer {
  const buffer = gpu.createBuffer({ size: values.byteLength, usage: flags });
  if (flags & usage.copyTarget) gpu.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

/** What the owner reads of a buffer, with a copy of their own. */
async function readBuffer(gpu: GPUDevice, buffer: GPUBuffer, count: number): Promise<number[]> {
  const staging = gpu.createBuffer({ size: 4 * count, usage: usage.mapRead | usage.copyTarget });
  const encoder = gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, 4 * count);
  gpu.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  const values = [...new Float32Array(staging.getMappedRange().slice(0))];
  staging.destroy();
  return values;
}

async function bufferTests(gpu: GPUDevice, device: Device): Promise<void> {
  await t.test('a tensor in a buffer, its gradient, and a result as a buffer', async (t) => {
    using _ = scope();
    const pixels = bufferOf(gpu, Float32Array.of(1, 2, 3, 4, 5, 6, 99));
    const before = device.statistics();
    const x = tensorFromBuffer(pixels, [2, 3], { device, requiresGrad: true });
    t.equal(device.statistics().liveBytes, before.liveBytes, 'its bytes are not of this device');
    const y = matmul(x, tensor([[1], [10], [100]], undefined, { device }));
    const out = await tensorToBuffer(y);
    t.same(await readBuffer(gpu, out as GPUBuffer, 2), [321, 654]);
    sum(mul(y, tensor([[2], [3]], undefined, { device }))).backward();
    t.same([...(await x.grad!.array())], [2, 20, 200, 3, 30, 300]);
    t.equal(await tensorToBuffer(x), pixels);

    gpu.queue.writeBuffer(pixels, 0, Float32Array.of(7));
    const later = x.add(0.5);
    t.same((await later.array()).slice(0, 2), [7.5, 2.5], 'what its owner wrote before');
    const flags = tensorFromBuffer(bufferOf(gpu, Int32Array.of(1, 0)), [2], { dtype: 'bool', device });
    t.same([...(await flags.cast('float32').array())], [1, 0]);
  });

  await t.test('it goes back to its owner', async (t) => {
    const pixels = bufferOf(gpu, Float32Array.of(1, 2));
    const x = tensorFromBuffer(pixels, [2], { device });
    x.dispose();
    const other = tensor([8, 9], [2], { device });
    await device.synchronize();
    t.same(await readBuffer(gpu, pixels, 2), [1, 2], 'nothing else was put into it');
    other.dispose();
  });

  await t.test('what is refused', async (t) => {
    using _ = scope();
    const refused = (buffer: GPUBuffer, pattern: RegExp): void =>
      void t.throws(() => tensorFromBuffer(buffer, [2, 2], { device }), { name: 'ConfigError', message: pattern });
    const four = Float32Array.of(1, 2, 3, 4);
    refused(bufferOf(gpu, four.slice(1)), /too small.*expected 16 bytes for \[2, 2\].*12 bytes/);
    refused(bufferOf(gpu, four, usage.storage), /STORAGE and COPY_SRC.*usage 128.*GPUBufferUsage/);
    refused(gpu.createBuffer({ size: 16, usage: all, mappedAtCreation: true }), /mapped.*unmap\(\)/);
    const buffer = bufferOf(gpu, four);
    const step = compile(() => sum(tensorFromBuffer(buffer, [4], { device })), { device } as never);
    t.throws(() => step(), { message: /inside of compile/ });
    const long = { size: 2 ** 28, usage: all, mapState: 'unmapped' } as GPUBuffer;
    t.throws(() => tensorFromBuffer(long, [2 ** 26], { device }), {
      name: 'OutOfMemoryError',
      message: /at most 134217728 bytes.*requiredLimits.*maxStorageBufferBindingSize/,
    });
    t.throws(() => tensorFromBuffer({} as never, [2], { device }), { name: 'DeviceError', message: /a GPUBuffer/ });
  });
}

if (parts.has('host')) {
  t.test('limits below what the shaders need are named', async (t) => {
    const limits = {
      maxStorageBuffersPerShaderStage: 4,
      maxComputeInvocationsPerWorkgroup: 128,
      maxComputeWorkgroupSizeX: 256,
      maxComputeWorkgroupStorageSize: 16384,
    };
    const device = { limits, createBuffer: () => undefined } as never;
    const needed = 'maxStorageBuffersPerShaderStage: 8, maxComputeInvocationsPerWorkgroup: 256';
    await t.rejects(createDevice('webgpu', { device }), {
      name: 'DeviceError',
      details: {
        expected: needed,
        given: 'maxStorageBuffersPerShaderStage: 4, maxComputeInvocationsPerWorkgroup: 128',
        hint: `requestDevice({ requiredLimits: { ${needed} } })`,
      },
    });
    const promise = Promise.resolve() as never;
    await t.rejects(createDevice('webgpu', { device: promise }), { name: 'DeviceError', message: /a GPUDevice/ });
  });

  t.test('other devices have no buffers', async (t) => {
    const device = await createDevice('reference');
    const x = tensor([1], [1], { device });
    await t.rejects(tensorToBuffer(x), { name: 'DeviceError', message: /only a webgpu device.*got reference/ });
    const buffer = { mapState: 'unmapped' } as never;
    t.throws(() => tensorFromBuffer(buffer, [1], { device }), { name: 'DeviceError', message: /webgpu/ });
    device.dispose();
  });
}

if (parts.has('webgpu')) {
  const dawn = create([]);
  const open = async (): Promise<GPUDevice> => await (await dawn.requestAdapter())!.requestDevice();
  const gpu = await open();
  const device = (await createDevice('webgpu', { device: gpu })) as WebGpuDevice;
  t.comment(device.description);
  await bufferTests(gpu, device);

  await t.test('a buffer of another GPUDevice is told at the next read', async (t) => {
    const other = await open();
    tensorFromBuffer(bufferOf(other, Float32Array.of(1)), [1], { device }).dispose();
    await t.rejects(device.synchronize(), { name: 'DeviceError', message: /^tensorFromBuffer: .*\bDevice\b/s });
    other.destroy();
  });

  await t.test('at the end, what was made on it is destroyed, and nothing else', async (t) => {
    const mistakes: string[] = [];
    gpu.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      mistakes.push((event as GPUUncapturedErrorEvent).error.message);
    });
    const pixels = bufferOf(gpu, Float32Array.of(1, 2));
    const y = tensorFromBuffer(pixels, [2], { device }).mul(2);
    const made = (await tensorToBuffer(y)) as GPUBuffer;
    gpu.createBuffer({ size: 4, usage: usage.mapRead | usage.storage });
    t.same([...(await y.array())], [2, 4], "the owner's mistakes are not thrown here");
    device.dispose();
    t.same(await readBuffer(gpu, pixels, 2), [1, 2]);
    gpu.pushErrorScope('validation');
    const encoder = gpu.createCommandEncoder();
    encoder.clearBuffer(made);
    gpu.queue.submit([encoder.finish()]);
    t.match((await gpu.popErrorScope())?.message, /destroyed/);
    t.equal(mistakes.length, 1);
    gpu.destroy();
  });
}
