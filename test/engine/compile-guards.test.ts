// What a compiled step has to notice: whatever changes between two calls, the results are those of an eager step, and a change of what
// is computed is told in words.
import t from 'tap';
import * as w from '../../engine/index.ts';
import type { Parameter, Tensor } from '../../engine/index.ts';
import { onEach, testedOn } from '../tested-on.ts';
import { type Run, sameBits } from './compiled.ts';

const devices = testedOn('reference', 'wasm', 'webgpu');

/** Before this call something changes. */
const AT = 5;
const CALLS = 10;

interface Case {
  readonly make: () => Run;
  /** What the first words about the change match; without, there is nothing to be told. */
  readonly told?: RegExp;
}

const train = (loss: Tensor, leaves: readonly Parameter[]): Tensor => {
  for (const leaf of leaves) leaf.zeroGrad();
  loss.backward();
  w.noGrad(() => w.clipGradValue(leaves, 0.1));
  return loss;
};

/** Training of two vectors by `step`, which gets the number of the call. `change` happens once. */
function vectors(
  step: (a: Parameter, b: Parameter, call: number) => Tensor,
  change: (a: Parameter, b: Parameter) => void = () => undefined,
): () => Run {
  return () => {
    const [a, b] = [w.parameter([0.5, -1, 2], [3]), w.parameter([1.5, 0.25, -0.5], [3])];
    const optimizer = new w.SGD([a, b], { lr: 0.05 });
    let now = 0;
    return {
      step() {
        const loss = train(step(a, b, now), [a, b]);
        optimizer.step();
        return loss;
      },
      before(call) {
        now = call;
        if (call === AT) change(a, b);
        return [];
      },
      state: () => [a, b],
      dispose: () => [optimizer, a, b].forEach((each) => each.dispose()),
    };
  };
}

const product = (a: Tensor, b: Tensor): Tensor => w.mean(w.square(w.sub(w.mul(a, w.tanh(b)), 1)));

const kept: Tensor[] = [];
const shape = [3];
const impure = { factor: 1 };
const ownOperation = w.defineOperation({
  name: 'scaledByCapturedNumber',
  infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
  forward([x], [y]) {
    const params = { n: x!.size, op: w.kernels.Unary.affine, a: impure.factor, b: 0 };
    x!.device.launch(w.kernels.unary, [x!.storage], [y!.storage], params);
  },
  vjp: ({ gradients: [g] }) => [w.mul(g!, impure.factor)],
});

const cases: Readonly<Record<string, Case>> = {
  'another operation': {
    make: vectors((a, b, call) => product(call < AT ? w.exp(a) : w.sin(a), b)),
    told: /expected the operation exp as call \d+, found the operation sin/,
  },
  'one operation more': {
    make: vectors((a, b, call) => product(call < AT ? a : w.neg(a), b)),
    told: /found the operation neg/,
  },
  'one operation less': {
    make: vectors((a, b, call) => product(call < AT ? w.neg(a) : a, b)),
    told: /expected the operation neg/,
  },
  'another shape inside': {
    make: vectors((a, b, call) => w.add(product(a, b), w.mean(w.narrow(a, 0, 0, call < AT ? 2 : 3)))),
    told: /expected/,
  },
  'a captured number': { make: vectors((a, b, call) => product(w.mul(a, call < AT ? 2 : 3), b)) },
  'a captured number that becomes 0': { make: vectors((a, b, call) => product(w.affine(a, call < AT ? 2 : 0, 1), b)) },
  'a number in every call': { make: vectors((a, b, call) => product(w.affine(a, 2 + call, 0.5), b)) },
  'a captured list': {
    make: () => {
      shape.splice(0, shape.length, 3);
      return vectors(
        (a, b) => w.sum(w.reshape(w.mul(a, b), shape)),
        () => shape.splice(0, shape.length, 1, 3),
      )();
    },
    told: /expected/,
  },
  'a captured tensor': {
    make: () => {
      let scale = w.tensor([1, 2, 3]);
      const run = vectors((a, b) => product(w.mul(a, scale), b))();
      return {
        ...run,
        before(call) {
          scale.dispose();
          scale = w.tensor(call < AT ? [1, 2, 3] : [3, 2, 1]);
          return run.before(call);
        },
      };
    },
  },
  'an operand twice': { make: vectors((a, b, call) => product(a, call < AT ? b : a)), told: /launch of|operation/ },
  'values from the host': { make: vectors((a, b, call) => product(w.mul(a, w.tensor([call, 1, 2])), b)) },
  'a parameter written in place': { make: vectors(product, (a) => a.device.write(a.storage, [3, 2, 1])) },
  'a parameter that wants no gradient any more': {
    make: vectors(product, (a) => a.requireGrad(false)),
    told: /expected/,
  },
  'a part without a tape': {
    make: vectors((a, b, call) => product(call < AT ? w.sin(a) : w.noGrad(() => w.sin(a)), b)),
    told: /expected/,
  },
  'a part cut off': {
    make: vectors((a, b, call) => product(call < AT ? w.sin(a) : w.sin(a).detach(), b)),
    told: /expected/,
  },
  'a hook on a leaf': { make: vectors(product, (a) => a.registerHook((g) => w.mul(g, 2))), told: /expected/ },
  'a hook that only looks': { make: vectors(product, (a) => a.registerHook(() => undefined)) },
  'a hook on a result': {
    make: vectors((a, b, call) => {
      const x = w.sin(a);
      if (call >= AT) x.registerHook((g) => w.neg(g));
      return product(x, b);
    }),
    told: /neg/,
  },
  'a result that keeps its gradient': {
    make: vectors((a, b, call) => {
      const x = w.sin(a);
      if (call >= AT) x.requireGrad();
      return product(x, b);
    }),
  },
  'a tensor that is kept': {
    make: () => {
      const run = vectors((a, b, call) => {
        const x = w.tidy(() => w.exp(w.sin(a)));
        if (call >= AT) kept.push(x.alias());
        const loss = product(x, b);
        x.dispose();
        return loss;
      })();
      return {
        ...run,
        state: () => [...run.state(), ...kept],
        dispose() {
          run.dispose();
          for (const each of kept.splice(0)) each.dispose();
        },
      };
    },
    told: /still alive/,
  },
  'losses that are kept': {
    make: () => {
      const losses: Tensor[] = [];
      const run = vectors((a, b) => {
        const loss = product(a, b);
        losses.push(loss.detach().alias());
        return loss;
      })();
      return {
        ...run,
        state: () => [...run.state(), ...losses],
        dispose: () => [...losses, run].forEach((each) => each.dispose()),
      };
    },
  },
  'what comes back from the call before': {
    make: () => {
      let state = w.tensor([0.1, 0.2, 0.3]);
      const run = vectors((a, b) => {
        const next = w.tanh(w.add(w.mul(a, state), b));
        const kept = next.detach().alias();
        // From here on only the tape has the old state.
        state.dispose();
        state = kept;
        return w.mean(w.square(next));
      })();
      return {
        ...run,
        state: () => [...run.state(), state],
        dispose: () => [state, run].forEach((each) => each.dispose()),
      };
    },
  },
  "an operation of one's own that reads what it should not": {
    make: () => {
      impure.factor = 1;
      return vectors(
        (a, b) => product(ownOperation([a])[0]!, b),
        () => (impure.factor = 3),
      )();
    },
  },
  'inference instead of training': {
    make: () => {
      const norm = new w.nn.BatchNorm2d(2);
      const run = vectors((a, b) => {
        const x = w.reshape(w.concat([a, b, a, b], 0), [2, 2, 3, 1]);
        return w.mean(w.square(norm.forward(w.sin(x))));
      })();
      return {
        ...run,
        before(call) {
          norm.train(call < AT);
          return run.before(call);
        },
        state: () => [...run.state(), norm.running_mean, norm.running_var],
        dispose: () => [norm, run].forEach((each) => each.dispose()),
      };
    },
    told: /batchNorm/i,
  },
};

t.test('changes between two calls', async (t) => {
  await onEach(t, devices, async (t, device) => {
    w.setDefaultDevice(device);
    for (const [name, { make, told }] of Object.entries(cases)) {
      const { statistics, changes } = await sameBits(t, name, CALLS, make);
      t.ok(statistics.replayed > 0, `${name}: ${statistics.replayed} replays`);
      if (told) t.match(changes.join('; '), told, `${name}: what has changed is told`);
      else t.same(changes, [], `${name}: nothing but values has changed`);
    }
  });
});

t.test('programs by shapes and flags, as many as were asked for', async (t) => {
  await onEach(t, devices, async (t, device) => {
    w.setDefaultDevice(device);
    const f = (x: Tensor, negative: boolean): Tensor => w.sum(negative ? w.neg(w.exp(x)) : w.exp(x));
    const step = w.compile(f, { programs: 2 });
    const call = async (length: number, negative: boolean): Promise<void> => {
      using _made = w.scope();
      const x = w.tensor(Float32Array.from({ length }, (_, i) => i / length));
      t.equal(await step(x, negative).item(), await f(x, negative).item());
    };
    for (let i = 0; i < 6; i++) await call(3, i % 2 === 0);
    t.same(step.statistics, { recorded: 2, replayed: 4, changed: 0, eager: 0 }, 'one for each flag');
    await call(4, true);
    t.equal(step.programs().length, 2, 'the longest unused has gone');
    await call(3, false);
    t.equal(step.statistics.replayed, 5);
    await call(3, true);
    t.equal(step.statistics.recorded, 4);
    step.dispose();
    t.same(step.programs(), []);
  });
});

t.test('whoever counts launches sees replayed ones, and whoever takes their time an eager step', async (t) => {
  await onEach(t, devices, async (t, device) => {
    w.setDefaultDevice(device);
    const x = w.tensor([1, 2, 3]);
    const step = w.compile(() => w.tidy(() => w.sum(w.exp(x))));
    for (let i = 0; i < 3; i++) step().dispose();
    let launches = 0;
    device.observer = { before: () => launches++ };
    step().dispose();
    t.equal(launches, 2);
    t.same(step.statistics, { recorded: 1, replayed: 3, changed: 0, eager: 0 });
    device.observer = { after: () => launches++ };
    step().dispose();
    device.observer = undefined;
    t.equal(launches, 4);
    t.equal(step.statistics.eager, 1);
    const outer = w.compile(() => step());
    outer().dispose();
    t.equal(step.statistics.eager, 2, 'within another compiled step');
    t.throws(() => w.compile(f, { programs: 0 }), w.ConfigError);
    for (const each of [step, outer, x]) each.dispose();
  });
});

t.test('two steps that wait at the same time', async (t) => {
  await onEach(t, devices, async (t, device) => {
    w.setDefaultDevice(device);
    const slow = async ({ x, power }: { x: Tensor; power: number }): Promise<Tensor> => {
      const y = w.exp(w.tanh(x));
      const first = await w.sum(y).item();
      const z = w.mul(w.pow(y, power), first);
      await z.array();
      return w.sum(w.sin(z));
    };
    const steps = [w.compile(slow), w.compile(slow)];
    for (let call = 0; call < 8; call++) {
      using _made = w.scope();
      const x = w.tensor([call, 0.5, -1]);
      const expected = [await (await slow({ x, power: 2 })).item(), await (await slow({ x, power: 3 })).item()];
      const found = await Promise.all(steps.map(async (step, i) => (await step({ x, power: 2 + i })).item()));
      t.same(found, expected, `call ${call}`);
      t.equal(await (await steps[0]!({ x, power: 2 })).item(), expected[0], `alone, call ${call}`);
    }
    t.equal(device.doorkeeper, undefined, 'nobody is left at the door');
    for (const step of steps) step.dispose();
  });
});

const f = (): Tensor => w.ones([1]);
