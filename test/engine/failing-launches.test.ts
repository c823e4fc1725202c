// A launch that fails leaves nothing behind: in backward, in `grad`, in checkpoints and in operations, whichever launch it is.
import t, { type Test } from 'tap';
import * as w from '../../engine/index.ts';
import { type Device, type Tensor } from '../../engine/index.ts';
import { onEach, testedOn } from '../tested-on.ts';
import { direct, drawProgram, drawValues, MATRIX, type Wrap } from './programs.ts';

const FAULT = 'the launch fails';

/** Runs `body` with its launch number `n` = 1, 2, ... failing. Returns false if there were fewer. */
function failing(device: Device, n: number, body: () => unknown): boolean {
  let launches = 0;
  device.observer = {
    before() {
      if (++launches === n) throw new Error(FAULT);
    },
  };
  try {
    body();
    return false;
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes(FAULT)) throw error;
    return true;
  } finally {
    device.observer = undefined;
  }
}

const walks: Readonly<Record<string, (loss: Tensor, leaves: readonly Tensor[]) => unknown>> = {
  backward: (loss) => loss.backward({ retainGraph: true }),
  'backward that is recorded': (loss) => loss.backward({ createGraph: true }),
  grad: (loss, leaves) => w.grad(loss, leaves, { retainGraph: true }),
  'grad that is recorded': (loss, leaves) => w.grad([loss, loss], leaves, { createGraph: true }),
};

/** Backward with each of its launches failing, through random programs, with gradients there before and without. */
async function backwardLeavesNothing(t: Test, device: Device, seed: number, count: number, wrap: Wrap): Promise<void> {
  w.setDefaultDevice(device);
  const before = { tensors: w.liveTensorCount(), bytes: device.statistics().liveBytes };
  let faults = 0;
  for (let i = seed; i < seed + count; i++) {
    for (const [name, walk] of Object.entries(walks)) {
      using _ = w.scope();
      const p = w.parameter(drawValues(i, 1), MATRIX);
      const x = w.tensor(drawValues(i, 0), MATRIX, { requiresGrad: true });
      const loss = drawProgram(i, 2)([x, p], wrap);
      if (i % 2) for (const leaf of [x, p]) w.sum(w.mul(leaf, 2)).backward();
      const gradient = p.grad && [...(await p.grad.array())];
      const held = w.liveTensorCount();
      // Every launch of a short walk, and some of a long one.
      for (let n = 1; failing(device, n, () => walk(loss, [x, p])); n += 1 + (n >> 3)) {
        faults++;
        if (w.liveTensorCount() !== held) t.equal(w.liveTensorCount(), held, `program ${i}, ${name}, launch ${n}`);
      }
      if (name.startsWith('grad'))
        t.same(p.grad && [...(await p.grad.array())], gradient, 'gradients are as they were');
      p.dispose();
    }
  }
  t.ok(faults > 20 * count, `${device.name}: ${faults} faults`);
  t.same({ tensors: w.liveTensorCount(), bytes: device.statistics().liveBytes }, before, 'all is released');
}

/** Operands, made beforehand: a call makes nothing but what its own function makes. */
function operands() {
  const x = w.tensor(w.random(2, 'x').normalArray(64), [2, 2, 4, 4], { requiresGrad: true });
  return w.noGrad(() => ({
    x,
    positive: w.affine(w.square(x), 1, 1),
    mask: w.gt(x, 0),
    labels: w.tensor(new Int32Array(32), [2, 4, 4]),
    matrix: w.tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 4]),
    channels: w.tensor(w.random(3, 'x').normalArray(64), [2, 8, 2, 2]),
  }));
}
type Operands = ReturnType<typeof operands>;

/** Calls of one public function each, and how they may end early: at each of their launches. */
const calls: readonly ((o: Operands) => unknown)[] = [
  ({ x }) => w.variance(x, [0, 2]),
  ({ x }) => w.logSumExp(x, [1, 3]),
  ({ x }) => w.amax(x, [0, 3]),
  ({ x }) => w.argmax(x),
  ({ x }) => w.layerNorm(x, [4, 4]),
  ({ x }) => w.groupNorm(x, 1),
  ({ x }) => w.batchNorm(x, { training: true }),
  ({ x }) => w.matmul(x, x, { transposeB: true }),
  ({ x, matrix }) => w.linear(x, matrix),
  ({ x }) => w.pad(x, [1, 1, 1, 1], 'reflect'),
  ({ x }) => w.div(2, x),
  ({ x }) => w.pow(x, 3),
  ({ x, mask }) => w.where(mask, x, 1),
  ({ x }) => w.conv2d(x, x),
  ({ positive }) => w.silog(positive, positive),
  ({ x, positive }) => w.ssimLoss(x, positive, { filterSize: 3 }),
  ({ x, positive }) => w.smoothL1Loss(x, positive),
  ({ x, positive }) => w.bceWithLogits(x, positive),
  ({ x, labels }) => w.crossEntropy(x, labels, { labelSmoothing: 0.1 }),
  ({ x }) => w.imageGradients(x),
  ({ channels }) => w.pixelShuffle(channels, 2),
];

/** Calls that are refused when something has been made already. */
const refused: readonly ((o: Operands) => unknown)[] = [
  ({ x }) => w.batchNorm(x),
  ({ x, channels }) => w.matmul(x, channels),
  ({ mask, matrix }) => w.where(mask, 1, matrix),
  ({ x, matrix }) => w.stack([x, matrix]),
];

/** Operations with each of their launches failing, within a scope and outside of all. */
function operationsLeaveNothing(t: Test, device: Device): void {
  w.setDefaultDevice(device);
  const given = operands();
  const within = <T>(isScoped: boolean, body: () => T): T => {
    if (!isScoped) return body();
    using _ = w.scope();
    return body();
  };
  for (const isScoped of [true, false]) {
    const place = isScoped ? 'in a scope' : 'outside of scopes';
    for (const call of calls) {
      const fails = (n: number): boolean =>
        within(isScoped, () => {
          const before = w.liveTensorCount();
          const isFaulty = failing(device, n, () => call(given));
          if (isFaulty) t.equal(w.liveTensorCount(), before, `${call.toString()} ${place}, launch ${n}`);
          return isFaulty;
        });
      let n = 1;
      while (fails(n)) n++;
      t.ok(n > 1, `${call.toString()} ${place}: ${n - 1} launches`);
    }
    for (const call of refused) {
      within(isScoped, () => {
        const before = w.liveTensorCount();
        t.throws(() => call(given), /expected/);
        t.equal(w.liveTensorCount(), before, `${call.toString()} ${place}`);
      });
    }
  }
}

await onEach(t, testedOn('reference', 'wasm', 'webgpu'), async (t, device, name) => {
  // An adapter in software takes its time.
  if (name === 'webgpu') return backwardLeavesNothing(t, device, 1, 1, direct);
  await backwardLeavesNothing(t, device, 1, 8, direct);
  await backwardLeavesNothing(t, device, 101, 4, w.checkpoint);
  operationsLeaveNothing(t, device);
});
