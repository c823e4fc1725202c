// Fixtures that are a sequence of steps rather than one call: optimisers, and learning-rate schedules.
import * as w from '../../../engine/index.ts';
import type { Tensor } from '../../../engine/index.ts';
import type { Attributes, Inputs } from './adapter.ts';

type Options = Readonly<Record<string, never>>;

/** torch's keyword arguments to ours: snake_case to camelCase. */
function camelCase<T>(options: Readonly<Record<string, unknown>>): T {
  const renamed = Object.entries(options).map(([name, value]) => [
    name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(renamed) as T;
}

const optimizers: Readonly<Record<string, (parameters: w.Parameter[], options: Options) => w.Optimizer>> = {
  sgd: (parameters, options) => new w.SGD(parameters, options as unknown as w.SgdOptions),
  adam: (parameters, options) => new w.Adam(parameters, options),
  adamw: (parameters, options) => new w.AdamW(parameters, options),
  rmsprop: (parameters, options) => new w.RMSprop(parameters, options),
};

/** `steps` steps on mean((tanh(data w + b) - target)^2) + 0.5 sum(curvature w^2); every value before and after each. */
export async function runOptimizer(t: Inputs, a: Attributes): Promise<Record<string, ArrayLike<number>>> {
  const device = t.w!.device;
  const [weight, bias] = [t.w!, t.b!];
  const parameters = [
    w.parameter(await weight.array(), weight.shape, device),
    w.parameter(await bias.array(), bias.shape, device),
  ] as const;
  const make = optimizers[a.algorithm as string];
  if (!make) throw new w.ConfigError('no such optimiser', { given: String(a.algorithm) });
  const optimizer = make([...parameters], camelCase(a.options as Record<string, unknown>));
  const log: Record<string, number[]> = { loss: [], grad_w: [], grad_b: [], w: [], b: [] };
  const record = async (name: string, x: Tensor) => log[name]!.push(...(await x.array()));
  for (let step = 0; step < (a.steps as number); step++) {
    using inner = w.scope();
    optimizer.zeroGrad();
    const residual = w.tanh(t.data!.matmul(parameters[0]).add(parameters[1])).sub(t.target!);
    const penalty = t.curvature!.mul(parameters[0].square()).sum().mul(0.5);
    const loss = residual.square().mean().add(penalty);
    loss.backward();
    await record('loss', loss);
    await record('grad_w', parameters[0].grad!);
    await record('grad_b', parameters[1].grad!);
    optimizer.step();
    await record('w', parameters[0]);
    await record('b', parameters[1]);
  }
  optimizer.dispose();
  for (const parameter of parameters) parameter.dispose();
  return log;
}

const schedules: Readonly<Record<string, (baseLr: number, options: Options) => w.Schedule>> = {
  polynomial: (lr, o) => w.polynomialLR(lr, o as unknown as Parameters<typeof w.polynomialLR>[1]),
  step: (lr, o) => w.stepLR(lr, o as unknown as Parameters<typeof w.stepLR>[1]),
  multi_step: (lr, o) => w.multiStepLR(lr, o as unknown as Parameters<typeof w.multiStepLR>[1]),
  cosine: (lr, { TMax, ...o }) => w.cosineLR(lr, { tMax: TMax!, ...o }),
  exponential: (lr, o) => w.exponentialLR(lr, o as unknown as Parameters<typeof w.exponentialLR>[1]),
  one_cycle: (_, o) => w.oneCycleLR(o as unknown as w.OneCycleOptions),
};

/** The rate (and momentum) in use at steps 0, 1, ... */
export function runSchedule(a: Attributes): Record<string, ArrayLike<number>> {
  const make = schedules[a.kind as string];
  if (!make) throw new w.ConfigError('no such schedule', { given: String(a.kind) });
  const schedule = make(a.base_lr as number, camelCase(a.options as Record<string, unknown>));
  const values = Array.from({ length: a.steps as number }, (_, t) => schedule(t));
  const momentum = values.map((value) => value.momentum).filter((value) => value !== undefined);
  return { lr: values.map(({ lr }) => lr), ...(momentum.length ? { momentum } : {}) };
}
