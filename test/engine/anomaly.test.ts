// detectAnomaly names the first operation with a result that is not finite, the layer that it was for, and whether it was on
// the way back: on several devices, with and without a profiler.
import t from 'tap';
import {
  createDevice,
  detectAnomaly,
  log,
  manualSeed,
  mul,
  nn,
  parameter,
  Profiler,
  relu,
  scope,
  setDefaultDevice,
  SGD,
  sqrt,
  sum,
  type Tensor,
  tensor,
} from '../../engine/index.ts';

class Branch extends nn.Module {
  readonly first = new nn.Linear(2, 3);
  readonly last = new nn.Linear(3, 2);
  readonly gain = parameter([1], [1]);

  /** The root of 0 is 0, and its gradient infinite: 0 times that is NaN. */
  forward(x: Tensor, root: boolean): Tensor {
    const hidden = relu(this.first.forward(x));
    return this.last.forward(root ? mul(sqrt(mul(hidden, 0)), this.gain) : hidden);
  }
}

class Pair extends nn.Module {
  readonly left = new Branch();
  readonly right = new Branch();
}

const message = async (body: () => unknown, modules?: Record<string, nn.Module>): Promise<string> => {
  try {
    using _ = scope();
    await detectAnomaly(body, modules && { modules });
  } catch (error) {
    t.equal((error as Error).name, 'NonFiniteError');
    return (error as Error).message;
  }
  return 'nothing was found';
};

for (const name of ['reference', 'wasm'] as const) {
  t.test(name, async (t) => {
    const device = await createDevice(name, { threads: 1 });
    setDefaultDevice(device);
    manualSeed(1);
    const pair = new Pair();
    const x = tensor([[1, -2]]);
    const step = (root: boolean, lr = 0.1): void => {
      const optimizer = new SGD(pair.parameters(), { lr: 0.1, momentum: 0.9 });
      optimizer.options.lr = lr;
      sum(pair.left.forward(x, false)).backward();
      sum(pair.right.forward(x, root)).backward();
      optimizer.step();
      optimizer.dispose();
    };
    const state = await pair.stateDict();
    /** As at first, with an infinite weight in one layer or in none. */
    const reset = (broken?: string): void => {
      const bad = state.get(`${broken}.weight`);
      pair.loadStateDict(state);
      if (bad) pair.loadStateDict(new Map([...state, [`${broken}.weight`, { ...bad, values: bad.values.map(() => Infinity) }]])); // prettier-ignore
      pair.zeroGrad();
    };

    t.equal(await message(() => step(false)), 'nothing was found');
    reset();
    t.match(
      await message(() => step(true), { pair }),
      /detectAnomaly: '\w+' is the first operation with a result that is not finite, in layer 'right', backward.*element 0.*at/,
    );
    reset();
    t.match(await message(() => step(false, Infinity), { pair }), /'update' is the first .*, in layer 'left\.first'/);

    reset('right.last');
    t.match(await message(() => step(false), { pair }), /, in layer 'right\.last', got/);
    reset('right.last');
    t.match(await message(() => step(false)), /, in layer 'Branch \(2\)\.last', got/, 'by classes without names');
    reset('left.last');
    const late = async (): Promise<void> => {
      await Promise.resolve();
      step(false);
    };
    t.match(await message(late), /in layer 'Branch\.last'/, 'after an await');

    reset();
    t.match(await message(() => log(tensor(-1))), /'log' is the first .* not finite, outside of modules, got NaN/);
    const profiler = new Profiler({ device });
    t.match(await message(() => log(tensor(-1))), /'log' is the first/, 'beside a profiler');
    profiler.cancel();
    t.equal(await message(() => step(false)), 'nothing was found', 'and all is as before');
    pair.dispose();
    x.dispose();
    device.dispose();
  });
}
