// AMSGrad as PyTorch and as Keras have it, against both published rules in float64, and where they part: in what eps is added to.
import t from 'tap';
import { Adam, AdamW, createDevice, parameter, random, scope, setDefaultDevice, tensor } from '../../engine/index.ts';

interface Rule {
  lr: number;
  betas: readonly [number, number];
  eps: number;
  amsgrad: boolean;
}
type Update = (m: number, largest: number, t: number, rule: Rule) => number;

/** keras/src/optimizers/adam.py: the correction is in the rate, eps beside the plain root. */
const keras: Update = (m, largest, t, { lr, betas: [b1, b2], eps }) =>
  ((lr * Math.sqrt(1 - b2 ** t)) / (1 - b1 ** t)) * (m / (Math.sqrt(largest) + eps));

/** torch/optim/adam.py: eps beside the root of the corrected moment. */
const torch: Update = (m, largest, t, { lr, betas: [b1, b2], eps }) =>
  (lr / (1 - b1 ** t)) * (m / (Math.sqrt(largest) / Math.sqrt(1 - b2 ** t) + eps));

/** Where p stands after each of these gradients. */
function walk(gradients: readonly number[], rule: Rule, update: Update, start: number): number[] {
  const [b1, b2] = rule.betas;
  let [p, m, v, largest] = [start, 0, 0, 0];
  return gradients.map((g, i) => {
    m = b1 * m + (1 - b1) * g;
    v = b2 * v + (1 - b2) * g * g;
    largest = rule.amsgrad ? Math.max(largest, v) : v;
    return (p -= update(m, largest, i + 1, rule));
  });
}

const STEPS = 40;
const SIZE = 6;
/** Gradients that shrink, so that the maximum matters, and are small enough for eps to matter. */
const draw = (seed: number): number[][] => {
  const stream = random(seed, 'gradients');
  return Array.from({ length: STEPS }, (_, step) =>
    Array.from({ length: SIZE }, () => stream.normal() * 1e-6 * 0.85 ** step),
  );
};

const rules: readonly Rule[] = [true, false].flatMap((amsgrad) => [
  { lr: 0.1, betas: [0.9, 0.999], eps: 1e-7, amsgrad },
  { lr: 0.01, betas: [0.8, 0.95], eps: 1e-6, amsgrad },
  { lr: 0.02, betas: [0, 0.9], eps: 1e-4, amsgrad },
]);

for (const device of ['reference', 'wasm'] as const) {
  t.test(device, async (t) => {
    setDefaultDevice(await createDevice(device));
    using _ = scope();
    for (const [i, rule] of rules.entries()) {
      const gradients = draw(i);
      for (const [epsilonHat, update] of [
        [true, keras],
        [false, torch],
      ] as const) {
        const p = parameter(new Float32Array(SIZE), [SIZE]);
        const optimizer = new Adam([p], { ...rule, epsilonHat });
        const paths = gradients[0]!.map((_, k) => walk(gradients.map((g) => g[k]!), rule, update, 0)); // prettier-ignore
        let worst = 0;
        for (const [step, gradient] of gradients.entries()) {
          optimizer.zeroGrad();
          p.mul(tensor(gradient)).sum().backward();
          optimizer.step();
          const values = await p.array();
          paths.forEach((path, k) => {
            const scale = Math.max(...path.map(Math.abs));
            worst = Math.max(worst, Math.abs(values[k]! - path[step]!) / scale);
          });
        }
        t.ok(worst < 2e-5, `${JSON.stringify(rule)}, ${update.name}: off by ${worst}`);
        optimizer.dispose();
      }
    }
  });
}

t.test('the two rules part where eps is not small beside the gradient, most of all at the first step', async (t) => {
  setDefaultDevice(await createDevice('reference'));
  using _ = scope();
  const firstStep = async (epsilonHat: boolean, Class: typeof Adam | typeof AdamW): Promise<number> => {
    const p = parameter([0], [1]);
    const optimizer = new Class([p], { lr: 1, eps: 1e-7, amsgrad: true, epsilonHat });
    p.mul(1e-7).sum().backward();
    optimizer.step();
    return -(await p.array())[0]!;
  };
  // With |g| = eps: 1 / (1 + 1) in PyTorch, 1 / (1 + 1 / sqrt(1 - beta2)) in Keras.
  for (const Class of [Adam, AdamW]) {
    t.ok(Math.abs((await firstStep(false, Class)) - 0.5) < 1e-6);
    t.ok(Math.abs((await firstStep(true, Class)) - 1 / (1 + 1 / Math.sqrt(0.001))) < 1e-6);
  }
});
