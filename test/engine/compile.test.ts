// Compiled steps: the bits of eager ones over random programs and over everything that training does, memory that stays flat, and
// what is left when something is thrown.
import t from 'tap';
import { planMemory, poolBytes } from '../../engine/compile/memory.ts';
import * as w from '../../engine/index.ts';
import { random, type Tensor } from '../../engine/index.ts';
import { onEach, testedOn } from '../tested-on.ts';
import { type Run, sameBits } from './compiled.ts';
import { direct, drawProgram, drawValues, MATRIX, type Wrap } from './programs.ts';

const devices = testedOn('host', 'reference', 'wasm', 'webgpu');

type Train = (leaves: readonly w.Parameter[], loss: Tensor, optimizer: w.Optimizer) => void;

/** How a step makes use of a loss. */
const uses: Readonly<Record<string, Train>> = {
  'one update': (_, loss, optimizer) => {
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  },
  'two passes over one graph, clipped': (leaves, loss, optimizer) => {
    optimizer.zeroGrad();
    loss.backward({ retainGraph: true });
    loss.backward();
    w.clipGradNorm(leaves, 0.5);
    optimizer.step();
  },
  'gradients that add up over calls': (_, loss, optimizer) => {
    loss.backward();
    optimizer.step();
  },
  'a penalty on the gradient': (leaves, loss, optimizer) => {
    const [first] = w.grad(loss, [leaves[0]!], { createGraph: true });
    optimizer.zeroGrad();
    w.add(loss, w.mean(w.square(first!))).backward();
    optimizer.step();
  },
};

const optimizers = [
  (leaves: w.Parameter[]) => new w.Adam(leaves, { amsgrad: true }),
  (leaves: w.Parameter[]) => new w.SGD(leaves, { lr: 0.1, momentum: 0.9 }),
  (leaves: w.Parameter[]) => new w.RMSprop(leaves),
];

function randomRun(seed: number, wrap: Wrap): Run {
  const program = drawProgram(seed, 3);
  const draw = random(seed, 'use');
  const [, train] = Object.entries(uses)[draw.integer(Object.keys(uses).length)]!;
  const leaves = [0, 1, 2].map((leaf) => w.parameter(drawValues(seed, leaf), MATRIX));
  const optimizer = optimizers[draw.integer(optimizers.length)]!(leaves);
  return {
    step(x: Tensor) {
      const loss = w.mul(program(leaves, wrap), w.mean(x));
      train(leaves, loss, optimizer);
      return loss;
    },
    before(call) {
      optimizer.setRates({ lr: 0.01 / (call + 1) });
      return [w.tensor(random(seed, 'batch', call).normalArray(5))];
    },
    state: () => leaves,
    dispose: () => [optimizer, ...leaves].forEach((each) => each.dispose()),
  };
}

t.test('random programs', async (t) => {
  await onEach(t, devices, async (t, device, name) => {
    w.setDefaultDevice(device);
    let replayed = 0;
    for (let seed = 0; seed < (name === 'webgpu' ? 4 : 20); seed++) {
      const wrap: Wrap = seed % 4 === 3 ? w.checkpoint : direct;
      replayed += (await sameBits(t, `program ${seed}`, 6, () => randomRun(seed, wrap))).statistics.replayed;
    }
    t.ok(replayed > 0, `${replayed} calls were replayed`);
  });
});

class Network extends w.nn.Module {
  readonly conv = new w.nn.Conv2d(2, 4, 3, { padding: 1 });
  readonly norm = new w.nn.BatchNorm2d(4, { momentum: null });
  readonly drop = new w.nn.Dropout(0.3);
  readonly head = new w.nn.Linear(4, 3);

  forward(x: Tensor): Tensor {
    const hidden = this.drop.forward(w.relu(this.norm.forward(this.conv.forward(x))));
    return this.head.forward(w.mean(hidden, [2, 3]));
  }
}

/** A network with all that has a state of its own. */
function trainingRun(reads: boolean): Run {
  const model = new Network();
  const optimizers = [new w.AdamW(model.conv.parameters()), new w.SGD(model.head.parameters(), { lr: 0.1 })];
  const schedule = w.cosineLR(0.1, { tMax: 10 });
  const stream = random(3, 'noise');
  return {
    async step(x: Tensor, labels: Tensor) {
      const noisy = w.add(x, w.randn(x.shape, { stream }));
      const losses = [w.crossEntropy(model.forward(noisy), labels), w.mean(w.square(model.norm.weight))];
      // As a weighting of tasks does that looks at the losses.
      const weight = reads ? 1 / (1 + (await losses[0]!.item())) : 0.5;
      const total = w.add(losses[0]!, w.mul(losses[1]!, w.tensor([weight])));
      model.zeroGrad();
      total.backward();
      for (const optimizer of optimizers) optimizer.step();
      return total;
    },
    before(call) {
      w.applySchedule(optimizers[1]!, schedule, call);
      const size = call % 4 === 3 ? 3 : 5;
      const x = w.tensor(random(5, 'x', call).normalArray(size * 2 * 36), [size, 2, 6, 6]);
      return [x, w.tensor(Int32Array.from({ length: size }, (_, i) => (i + call) % 3))];
    },
    state: () => [...model.namedState()].flatMap(([, each]) => (each instanceof w.Tensor ? [each] : [])),
    dispose: () => [model, ...optimizers].forEach((each) => each.dispose()),
  };
}

t.test('dropout, noise, running statistics, schedules, two optimisers, batches of two sizes', async (t) => {
  await onEach(t, devices, async (t, device) => {
    w.setDefaultDevice(device);
    for (const reads of [false, true]) {
      const { statistics } = await sameBits(t, reads ? 'with a read' : 'without', 14, () => trainingRun(reads));
      t.equal(statistics.eager, 0);
      t.ok(statistics.replayed >= 8, `${statistics.replayed} of 14 calls were replayed`);
    }
  });
});

t.test('memory and tensors are flat over 2,000 replays', async (t) => {
  await onEach(t, devices, async (t, device) => {
    w.setDefaultDevice(device);
    const leaf = w.parameter([1, 2, 3], [3]);
    const optimizer = new w.SGD([leaf], { lr: 1e-3, momentum: 0.5 });
    const step = w.compile((x: Tensor) => {
      const loss = w.mean(w.square(w.sub(w.tanh(leaf), x)));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
    const once = async (i: number): Promise<void> => {
      using _made = w.scope();
      const loss = step(w.tensor([i % 7, 0.5, -1]));
      if (i % 50 === 0) await loss.item();
    };
    const held = (): number[] => {
      const { liveBuffers, liveBytes, pooledBytes } = device.statistics();
      return [w.liveTensorCount(), liveBuffers, liveBytes, pooledBytes];
    };
    const warmUp = 200;
    for (let i = 0; i < warmUp; i++) await once(i);
    const before = held();
    const calls = 2000;
    for (let i = 0; i < calls; i++) await once(i);
    t.same(held(), before, 'tensors, buffers and bytes');
    t.same(step.statistics, { recorded: 2, replayed: warmUp + calls - 3, changed: 1, eager: 0 });
    step.dispose();
    optimizer.dispose();
    leaf.dispose();
  });
});

t.test('an exception in the step leaves the next call right', async (t) => {
  await onEach(t, devices, async (t, device) => {
    w.setDefaultDevice(device);
    let fails = false;
    const f = (x: Tensor): Tensor => {
      const y = w.tidy(() => w.exp(w.tanh(x)));
      if (fails) throw new Error('in the middle');
      return w.tidy(() => w.sum(w.mul(y, w.sin(y))));
    };
    const step = w.compile(f);
    for (let call = 0; call < 9; call++) {
      using _made = w.scope();
      fails = call === 0 || call === 4;
      const x = w.tensor([call, 1, 2]);
      if (fails) t.throws(() => step(x), /in the middle/);
      else t.equal(await step(x).item(), await f(x).item(), `call ${call}`);
    }
    t.equal(device.doorkeeper, undefined, 'nobody is left at the door');
    step.dispose();
  });
});

t.test('a device that is gone is said to be gone', async (t) => {
  await onEach(t, devices, async (t, device) => {
    const gone = await w.createDevice(device.name);
    w.setDefaultDevice(gone);
    const x = w.tensor([1, 2]);
    const step = w.compile(() => w.tidy(() => w.sum(w.exp(x))));
    for (let call = 0; call < 3; call++) step().dispose();
    gone.dispose();
    t.throws(() => step(), w.DeviceError);
    w.setDefaultDevice(device);
    const other = w.tensor([1, 2]);
    t.equal(
      await w
        .compile(() => w.sum(other))()
        .item(),
      3,
      'another device computes on',
    );
    other.dispose();
  });
});

if (devices.has('host')) {
  t.test('planned buffers that live at once do not touch, and the plan is between its bound and the pool', (t) => {
    for (let seed = 0; seed < 60; seed++) {
      const draw = random(seed, 'lifetimes');
      const lifetimes = Array.from({ length: 1 + draw.integer(60) }, () => {
        const from = draw.integer(80);
        return { bytes: 64 * draw.integer(9), from, to: from + 1 + draw.integer(20) };
      });
      for (const hasOffsets of [true, false]) {
        const { blocks, places, peak, lowerBound } = planMemory(lifetimes, hasOffsets);
        for (const [i, a] of lifetimes.entries()) {
          const at = places[i]!;
          if (a.bytes > 0 && at.offset + a.bytes > blocks[at.block]!) t.fail(`${seed}: ${i} leaves its block`);
          for (const [j, b] of lifetimes.entries()) {
            const other = places[j]!;
            const meet = i < j && a.from < b.to && b.from < a.to && at.block === other.block;
            if (meet && at.offset < other.offset + b.bytes && other.offset < at.offset + a.bytes) {
              t.fail(`${seed}: ${i} and ${j} share bytes`);
            }
          }
        }
        t.ok(
          lowerBound <= peak && (hasOffsets || places.every(({ offset }) => offset === 0)),
          `${seed}: ${lowerBound}, ${peak}`,
        );
        t.ok(peak <= poolBytes(lifetimes), `${seed}: no more than the pool`);
      }
    }
    t.end();
  });
}
