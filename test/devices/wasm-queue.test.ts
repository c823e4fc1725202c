// The queue between launches and the threads of the wasm device. Its races are met with more threads than processors.
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { conv2d, createDevice, exp, grad, relu, sum, tensor, type Tensor, zeros } from '../../engine/index.ts';
import { Head, type KernelExport, queueBytes, QueueCaller } from '../../engine/devices/wasm/queue.ts';
import { trainUNet } from './checks.ts';

const THREADS = 3;

/** A queue whose caller is alone, so that it takes the parts of all threads. */
function callerAlone(kernels: KernelExport[], firstJob = 0): QueueCaller {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  const address = 65536;
  t.ok(queueBytes(THREADS) < 63 * 65536);
  const words = new Int32Array(memory.buffer, address);
  words[Head.added] = words[Head.ended] = firstJob;
  return new QueueCaller({ memory, address, threads: THREADS }, kernels, true);
}

t.test('jobs run in order, every task once, past the end of the queue and of the numbers', (t) => {
  for (const firstJob of [0, 2 ** 31 - 150]) {
    const seen: string[] = [];
    const ran = new Map<number, number[]>();
    const queue = callerAlone(
      [
        (params, _, begin, end) => {
          if (!ran.has(params)) seen.push(`job ${params}`);
          const tasks = ran.get(params) ?? [];
          for (let task = begin; task < end; task++) tasks.push(task);
          ran.set(params, tasks);
        },
      ],
      firstJob,
    );
    const jobs = 300;
    for (let job = 0; job < jobs; job++) {
      queue.reserve(10);
      queue.add('count', 0, 1 + (job % 40), 1 + (job % 3), job);
    }
    const before = queue.next;
    queue.finish();
    t.same(
      seen,
      Array.from({ length: jobs }, (_, job) => `job ${job}`),
    );
    for (let job = 0; job < jobs; job++) {
      const tasks = ran.get(job)!.sort((a, b) => a - b);
      if (tasks.length !== 1 + (job % 40) || tasks.some((task, i) => task !== i))
        t.fail(`tasks of job ${job}: ${tasks.join()}`);
    }
    t.equal(queue.next, before);
    t.equal(queue.next, (firstJob + jobs) | 0);
    queue.finish(before - 5); // ended long ago
    queue.finish((before + 5) | 0); // a number that no job has yet does not wait for ever
  }
  t.end();
});

t.test('a kernel that traps is named once, and the jobs behind it run', (t) => {
  let after = 0;
  const trap = (): void => {
    throw new WebAssembly.RuntimeError('unreachable');
  };
  const queue = callerAlone([trap, () => after++]);
  for (const [name, kernel] of [
    ['first', 1],
    ['second', 0],
    ['third', 1],
  ] as const) {
    const { params } = queue.reserve(1);
    queue.add(name, kernel, 1, 1, params);
  }
  queue.finish();
  t.equal(queue.takeFailure(), 'second');
  t.equal(queue.takeFailure(), undefined);
  t.equal(after, 2);
  t.end();
});

t.test('the time in which no job runs is that between the end of one and the next', async (t) => {
  const queue = callerAlone([() => undefined]);
  const add = (): void => queue.add('nothing', 0, 1, 1, queue.reserve(1).params);
  const started = performance.now();
  await setTimeout(20);
  add();
  add();
  queue.finish();
  t.equal(queue.idleMilliseconds, 0, 'neither before the first job nor while one waits for another');
  await setTimeout(20);
  add();
  const elapsed = performance.now() - started;
  t.ok(queue.idleMilliseconds >= 15 && queue.idleMilliseconds <= elapsed - 15, String(queue.idleMilliseconds));
  queue.finish();
});

const queued = await createDevice('wasm', { threads: THREADS });
t.teardown(() => queued.dispose());
const n = 512 * 1024;

t.test('a host write waits for the kernels that read the memory before', async (t) => {
  for (let round = 0; round < 20; round++) {
    let x: Tensor = tensor(new Float32Array(n).fill(1), [n], { device: queued });
    for (let i = 0; i < 8; i++) {
      const next = relu(x);
      x.dispose();
      x = next;
    }
    const total = sum(x);
    x.dispose();
    // Takes the place of the last one, whose sum may not have been taken.
    const other = tensor(new Float32Array(n).fill(7), [n], { device: queued });
    t.equal(await total.item(), n);
    other.dispose();
    total.dispose();
  }
});

t.test('parameters too long for the queue: strides that leave many correlations', async (t) => {
  const one = await createDevice('wasm', { threads: 1 });
  const seen: number[][] = [];
  for (const device of [one, queued]) {
    const weight = tensor(
      Float32Array.from({ length: 4 * 3 * 7 * 7 }, (_, i) => Math.sin(i)),
      [4, 3, 7, 7],
      { device },
    );
    const images = [5, 6].map(() => zeros([2, 3, 40, 40], { device }).requireGrad());
    const losses = images.map((x, i) => sum(conv2d(x, weight, undefined, { stride: 5 + i })));
    // Work to do first, so that the second gradient is launched before the first one's turn has come.
    for (let i = 0, x = tensor(new Float32Array(n), [n], { device }); i < 20; i++) x = exp(x);
    const gradients = losses.map((loss, i) => grad(loss, [images[i]!])[0]!);
    for (const gradient of gradients) seen.push([...(await gradient.array())]);
  }
  t.same(seen.slice(0, 2), seen.slice(2));
  t.ok(seen.every((gradient) => gradient.some((value) => value !== 0)));
  one.dispose();
});

t.test('more threads than processors give the same bits as one', async (t) => {
  const one = await createDevice('wasm', { threads: 1 });
  const many = await createDevice('wasm', { threads: 6 });
  const [a, b] = [await trainUNet(one), await trainUNet(many)];
  t.ok(Buffer.from(a).equals(Buffer.from(b)));
  one.dispose();
  many.dispose();
});

t.test('a device may be disposed of with work in its queue', async (t) => {
  const device = await createDevice('wasm', { threads: 2 });
  for (let i = 0, x = tensor(new Float32Array(n), [n], { device }); i < 20; i++) x = exp(x);
  device.dispose();
  await device.synchronize();
  t.throws(() => zeros([2], { device }), /disposed/);
});
