// Batches in parts: sums of gradients are those of the whole batch, whichever replica makes which part; the command line makes the
// same bits with one thread and with two, goes on after a signal, and refuses what cannot be made of parts.
import path from 'node:path';
import t, { type Test } from 'tap';
import {
  Adam,
  batchNorm,
  createDevice,
  type Device,
  manualSeed,
  mseLoss,
  nn,
  random,
  relu,
  scope,
  setDefaultDevice,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { Exchange, sharedMemory } from '../../experiments/parallel/exchange.ts';
import { Parts, partsOf, shareOf, valuesOf } from '../../experiments/parallel/parts.ts';
import { withReplicas } from '../../experiments/parallel/replicas.ts';
import { run, runResults, smokeOf, start } from './command.ts';

const folder = t.testdir({ 'ends.mjs': 'process.exit(3);' });

t.test('a batch in parts', (t) => {
  const bounds = (count: number, size: number, least?: number) =>
    partsOf(count, size, least).map(({ from, to }) => [from, to]);
  t.same(bounds(3, 8), [[0, 2], [2, 5], [5, 8]]); // prettier-ignore
  t.same(bounds(4, 7, 2), [[0, 2], [2, 4], [4, 7]], 'no part has fewer than two'); // prettier-ignore
  t.same(bounds(4, 1, 2), [[0, 1]]);
  const middle = partsOf(3, 6)[1]!;
  t.same([...valuesOf(Int32Array.from({ length: 12 }, (_, i) => i), 6, middle)], [4, 5, 6, 7]); // prettier-ignore
  t.throws(() => new Exchange({ parts: 3, replicas: 2, replica: 0 }), {
    name: 'ConfigError',
    message: /multiple of 2/,
  });
  t.end();
});

const [IMAGES, CHANNELS, SIDE] = [7, 3, 2];

/** A network with batch norm, or without, whose loss is a mean over images. */
class Net extends nn.Module {
  readonly conv = new nn.Conv2d(CHANNELS, 4, 1);
  readonly norm: nn.BatchNorm2d | undefined;
  readonly out = new nn.Conv2d(4, 1, 1);

  constructor(norm: boolean) {
    super();
    if (norm) this.norm = new nn.BatchNorm2d(4);
  }

  forward(x: Tensor): Tensor {
    const h = this.conv.forward(x);
    return this.out.forward(relu(this.norm?.forward(h) ?? h));
  }
}

/** Three updates by some way of making the gradients. Returns losses and weights. */
async function trained(device: Device, norm: boolean, parts: Parts | undefined): Promise<number[]> {
  setDefaultDevice(device);
  manualSeed(1);
  const net = new Net(norm);
  const optimizer = new Adam(net.parameters(), { lr: 0.05 });
  const found: number[] = [];
  for (let k = 0; k < 3; k++) {
    using _ = scope();
    const draw = random(2, 'data', k);
    const [x, y] = [CHANNELS, 1].map((n) => Float32Array.from({ length: IMAGES * n * SIDE ** 2 }, () => draw.normal()));
    const all = { size: IMAGES, least: 2, modules: [net], losses: ['loss', 'absent'] };
    const pass = (part: { from: number; to: number; share: number; index: number }) => {
      const shape = [part.to - part.from, CHANNELS, SIDE, SIDE];
      const output = net.forward(tensor(valuesOf(x!, IMAGES, part), shape));
      const wanted = tensor(valuesOf(y!, IMAGES, part), output.shape);
      const loss = shareOf(mseLoss(output, wanted), part.share);
      net.zeroGrad();
      loss.backward();
      return { loss };
    };
    const { loss } = parts ? await parts.accumulate(all, pass) : pass(partsOf(1, IMAGES)[0]!);
    optimizer.step();
    found.push(await loss.item());
  }
  for (const { values } of (await net.stateDict()).values()) found.push(...values);
  net.dispose();
  optimizer.dispose();
  return found;
}

/** Sums by replicas that share memory and take turns in this thread. */
async function together(t: Test, replicas: number): Promise<Float64Array> {
  const memory = sharedMemory(4);
  const ends = Array.from({ length: replicas }, async (_, replica) => {
    const exchange = new Exchange({ parts: 4, replicas, replica }, memory);
    const own = new Map([0, 1, 2, 3].flatMap((i) => (exchange.owns(i) ? [[i, listOf(i)] as const] : [])));
    t.equal(own.size, 4 / replicas);
    const first = await exchange.sum(LONG, own);
    await exchange.meet();
    return Float64Array.of(...(await exchange.sum(1, new Map())), ...first.subarray(-WATCHED));
  });
  const sums = await Promise.all(ends);
  for (const sum of sums) t.same(sum, sums[0]);
  return sums[0]!;
}

/** Longer than what is exchanged at once; its sum depends on the order. */
const LONG = 2 ** 17 + 3;
/** Numbers of it that are compared: on both sides of the end of the first piece. */
const WATCHED = 9;
const listOf = (part: number): Float64Array => Float64Array.from({ length: LONG }, (_, i) => Math.sin(i + part) / 3);

t.test('sums in the order of the parts, however they are shared out', async (t) => {
  const alone = await together(t, 1);
  for (const replicas of [2, 4]) t.same(await together(t, replicas), alone, `${replicas} replicas`);
  const at = LONG - 1;
  const wanted = [0, 1, 2, 3].map((part) => listOf(part)[at]!).reduce((sum, value) => sum + value);
  t.same([alone[WATCHED], alone[0]], [wanted, 0]);
});

t.test('gradients of parts are those of the batch', async (t) => {
  const reference = await createDevice('reference');
  const wasm = await createDevice('wasm', { threads: 1 });
  t.teardown(() => [reference, wasm].forEach((device) => device.dispose()));
  t.same(await trained(wasm, true, new Parts()), await trained(wasm, true, undefined), 'one part is the plain step');
  const inParts = () => new Parts(new Exchange({ parts: 3, replicas: 1, replica: 0 }));
  const [whole, parts] = [await trained(reference, false, undefined), await trained(reference, false, inParts())];
  const apart = Math.max(...whole.map((value, i) => Math.abs(value - parts[i]!)));
  t.ok(apart < 1e-12, `no batch norm: ${apart} from the whole batch`);
  const [plain, perPart] = [await trained(wasm, true, undefined), await trained(wasm, true, inParts())];
  t.not(plain[0], perPart[0], 'batch norm is per part');
  t.equal(perPart.length, plain.length);
  t.equal(perPart.filter((value) => value === 3).length, 1, 'three parts are one batch for num_batches_tracked');
});

t.test('running statistics move by the mean over the parts', async (t) => {
  const device = await createDevice('reference');
  t.teardown(() => device.dispose());
  setDefaultDevice(device);
  const norm = new nn.BatchNorm2d(1);
  const x = Float64Array.from([1, 2, 5, 9, -3, 0]);
  const parts = new Parts(new Exchange({ parts: 2, replicas: 1, replica: 0 }));
  await parts.accumulate({ size: 6, least: 2, modules: [norm], losses: [] }, ({ from, to }) => {
    norm
      .forward(tensor(x.subarray(from, to), [to - from, 1, 1, 1]))
      .sum()
      .backward();
    return {};
  });
  const expected = [];
  for (const half of [x.subarray(0, 3), x.subarray(3)]) {
    const [mean, spread] = [tensor([0]), tensor([1])];
    batchNorm(tensor(half, [3, 1]), { training: true, runningMean: mean, runningVar: spread });
    expected.push([(await mean.array())[0]!, (await spread.array())[0]!]);
  }
  for (const [i, buffer] of [norm.running_mean, norm.running_var].entries()) {
    const wanted = (expected[0]![i]! + expected[1]![i]!) / 2;
    t.ok(Math.abs((await buffer.array())[0]! - wanted) < 1e-12);
  }
});

t.test('a replica that ends', async (t) => {
  const options = { program: path.join(folder, 'ends.mjs'), task: {}, parts: 2, replicas: 2 };
  const lead = (exchange: Exchange) => exchange.sum(1, new Map([[0, Float64Array.of(1)]]));
  await t.rejects(withReplicas(options, lead), { message: 'replica 2 of 2 ended with status 3' });
});

t.test('the command line', async (t) => {
  const args = (out: string, ...more: string[]) =>
    smokeOf('imbalanced-mtl/table2', '--jobs', '1', '--out', path.join(folder, out), ...more);
  const alone = await run(args('alone', '--parts', '2'), folder);
  t.equal(alone.status, 0, alone.stderr);
  const stopped = start(args('two', '--replicas', '2'), folder);
  await stopped.says('2 replicas of 1 thread');
  await new Promise((resolve) => setTimeout(resolve, 500));
  stopped.child.kill('SIGINT');
  t.equal((await stopped.ended).status, 130);
  const two = await run(args('two', '--replicas', '2'), folder);
  t.equal(two.status, 0, two.stderr);
  const results = (out: string) => runResults(path.join(folder, out));
  t.same(await results('two'), await results('alone'));
  t.match(two.stderr, /with parts = 2/);

  const refused = await run(smokeOf('cross-stitch/table1', '--replicas', '2'), folder);
  t.equal(refused.status, 2);
  t.match(refused.stderr, /\(cross-stitch\) cannot be made of 2 parts: its steps read more of a batch/);
  const uneven = await run(args('two', '--replicas', '2', '--parts', '3'), folder);
  t.match(uneven.stderr, /3 parts of a batch cannot be shared out evenly between 2 replicas/);
});
