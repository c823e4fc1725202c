// What is particular to the `webgpu` device: launches that wait in batches keep their order with writes and reads, and an
// error that the driver reports later names the kernel and the line that launched it.
import t from 'tap';
import type { Storage } from '../../engine/devices/device.ts';
import { createWebGpuDevice, type WebGpuDevice } from '../../engine/devices/webgpu/device.ts';
import { DeviceError, DeviceLostError } from '../../engine/errors.ts';
import { defineKernel, fill, float, matmul } from '../../kernels/index.ts';
import type { WebGpuPlanner } from '../../kernels/plan.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';

/** A kernel without inputs that runs `body` for element i of y. */
function kernelOf(name: string, body: string, groups = 1) {
  const kernel = defineKernel({
    name,
    fields: { n: 'u32' },
    inputs: () => [],
    outputs: ({ n }) => [float('y', n)],
    flops: () => 0,
  });
  const module = `
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
      if (i < arrayLength(&y)) { ${body} }
    }`;
  const planner: WebGpuPlanner<{ n: number }> = () => ({
    name: 'only',
    passes: [{ module, workgroups: [groups, 1, 1] }],
  });
  webGpuPlans.add(kernel, planner);
  return kernel;
}

const index = kernelOf('index', 'y[i] = f32(i);');
const misspelt = kernelOf('misspelt', 'y[i] = flaot(i);');
const tooLarge = kernelOf('tooLarge', 'y[i] = 1;', 1e6);

const product = { transposeA: 0, transposeB: 0, batchedA: 0, batchedB: 0, bias: 0, batch: 1 };

async function orderTests(device: WebGpuDevice): Promise<void> {
  await t.test('writes, launches and reads keep their order in one submit', async (t) => {
    const x = device.allocate(4, 'float32');
    const reads: Promise<ArrayLike<number>>[] = [];
    const before = device.statistics().submits;
    for (let i = 0; i < 20; i++) {
      device.write(x, [i, i, i, i]);
      reads.push(device.read(x));
      // A buffer of the same size, released while its launch still waits: it must not be taken for the next write.
      const passing = device.allocate(4, 'float32');
      device.launch(fill, [], [passing], { n: 4, value: -1 });
      device.release(passing);
    }
    const values = (await Promise.all(reads)).map((read) => read[0]);
    t.same(
      values,
      Array.from({ length: 20 }, (_, i) => i),
    );
    t.equal(device.statistics().submits - before, 1);
    device.release(x);
  });

  await t.test('more launches than a batch holds', async (t) => {
    const y = device.allocate(8, 'float32');
    const before = device.statistics();
    for (let value = 0; value < 1500; value++) device.launch(fill, [], [y], { n: 8, value });
    t.same([...(await device.read(y))], new Array(8).fill(1499));
    const after = device.statistics();
    t.equal(after.launches - before.launches, 1500);
    t.ok(after.submits - before.submits <= 4);
    device.release(y);
  });

  await t.test('empty buffers and empty sums', async (t) => {
    const empty = device.allocate(0, 'float32');
    device.write(empty, []);
    t.equal((await device.read(empty)).length, 0);
    const none = device.allocate(0, 'float32');
    device.launch(matmul, [empty, empty], [none], { ...product, m: 0, n: 3, k: 0 });
    const c = device.allocate(6, 'float32');
    device.launch(matmul, [empty, empty], [c], { ...product, m: 2, n: 3, k: 0 });
    t.same([...(await device.read(c))], [0, 0, 0, 0, 0, 0]);
    for (const storage of [empty, none, c]) device.release(storage);
  });

  await t.test('trimming the pool spares what is still to run', async (t) => {
    const y = device.allocate(16, 'float32');
    device.launch(index, [], [y], { n: 16 });
    device.release(device.allocate(1000, 'float32'));
    device.trim();
    t.equal((await device.read(y))[15], 15);
    t.equal(device.statistics().pooledBytes, 64, 'what is left is the buffer of the read');
    device.release(y);
  });
}

async function errorTests(device: WebGpuDevice): Promise<void> {
  const launch = (kernel: typeof index, y: Storage): void => device.launch(kernel, [], [y], { n: 64 });

  await t.test('a shader error is thrown at the next read, with kernel and call site', async (t) => {
    const y = device.allocate(64, 'float32');
    launch(index, y);
    launch(misspelt, y);
    const error = await device.read(y).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    t.ok(error instanceof DeviceError);
    t.match(String(error), /misspelt\.only: .*flaot/s);
    t.match(String(error), /launched at .*webgpu-queue\.test/);
    t.equal((await device.read(y))[63], 63, 'the device goes on');
    device.release(y);
  });

  await t.test('a launch that the driver refuses is found in its batch', async (t) => {
    const y = device.allocate(64, 'float32');
    for (let i = 0; i < 10; i++) launch(index, y);
    launch(tooLarge, y);
    await t.rejects(device.synchronize(), { name: 'DeviceError', message: /tooLarge\.only/ });
    launch(index, y);
    t.equal((await device.read(y))[63], 63);
    device.release(y);
  });

  await t.test('disposal ends what is under way', async (t) => {
    const own = await createWebGpuDevice();
    const read = own.read(own.allocate(64, 'float32'));
    own.dispose();
    await t.rejects(read, DeviceLostError);
    t.throws(() => own.allocate(1, 'float32'), DeviceError);
  });
}

testedOn('webgpu');
await withWebGpu(t, async (device) => {
  await orderTests(device);
  await errorTests(device);
});
