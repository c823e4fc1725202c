// Checks gradients against central differences: d sum(f(x) c) / dx for a random cotangent c, since ones would hide errors
// that cancel. Meant for the float64 `reference` device; other devices are compared with it.
import { takes } from './call-check.ts';
import { tensor } from './creation.ts';
import { ConfigError } from './errors.ts';
import { mul, sum } from './ops/index.ts';
import { anyType, callback, listOf, number, optionsWith } from './parameters.ts';
import { random } from './random.ts';
import { scope } from './scope.ts';
import { grad } from './backward.ts';
import { Tensor } from './tensor.ts';

/** A function of tensors whose gradients are checked. */
export type Differentiable = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/** Step and tolerances of the comparison with central differences. */
export interface GradcheckOptions {
  /** Step of the central difference. */
  eps?: number;
  rtol?: number;
  atol?: number;
  seed?: number;
}

const checked = {
  f: callback,
  inputs: listOf(anyType),
  options: optionsWith<GradcheckOptions>({ eps: number, rtol: number, atol: number, seed: number }),
};
const takesGradcheck = takes('gradcheck', checked);
const takesGradgradcheck = takes('gradgradcheck', checked);
type Arguments = [f: Differentiable, inputs: readonly Tensor[], options?: GradcheckOptions];

/** One element whose gradient disagrees. */
export interface GradcheckFailure {
  input: number;
  element: number;
  analytic: number;
  numeric: number;
}

/** The float32 outputs, all of which count. */
function differentiable(result: Tensor | readonly Tensor[]): Tensor[] {
  return (result instanceof Tensor ? [result] : [...result]).filter((output) => output.dtype === 'float32');
}

function cotangents(outputs: readonly Tensor[], seed: number): Tensor[] {
  return outputs.map((output, i) =>
    tensor(random(seed, 'gradcheck', i).normalArray(output.size), output.shape, { device: output.device }),
  );
}

/**
 * Compares the gradients of `f` at `inputs` (those that require one) with central differences. Returns the failures.
 * Throws ConfigError off the reference device, whose float64 the differences need.
 */
export async function gradcheck(...args: Arguments): Promise<GradcheckFailure[]> {
  const [f, inputs, { eps = 1e-6, rtol = 1e-5, atol = 1e-7, seed = 0 } = {}] = takesGradcheck(args);
  if (inputs.some((input) => input.device.name !== 'reference')) {
    throw new ConfigError('central differences need float64', {
      operation: 'gradcheck',
      expected: "tensors on the 'reference' device",
    });
  }
  using _all = scope();
  const wanted = inputs.flatMap((input, i) => (input.requiresGrad ? [i] : []));
  const outputs = differentiable(f(...inputs));
  const weights = cotangents(outputs, seed);
  const tracked = outputs.flatMap((output, i) => (output.tracked ? [i] : []));
  const gradients = grad(
    tracked.map((i) => outputs[i]!),
    wanted.map((i) => inputs[i]!),
    { gradOutputs: tracked.map((i) => weights[i]!) },
  );
  const failures: GradcheckFailure[] = [];
  for (const [k, i] of wanted.entries()) {
    const input = inputs[i]!;
    const values = await input.array();
    const analytic = await gradients[k]!.array();
    for (let element = 0; element < values.length; element++) {
      const at = async (value: number): Promise<number> => {
        using _step = scope();
        const moved = values.slice();
        moved[element] = value;
        const point = inputs.map((other, j) =>
          j === i ? tensor(moved, input.shape, { device: input.device, requiresGrad: true }) : other,
        );
        const parts = differentiable(f(...point)).map((output, j) => sum(mul(output, weights[j]!)));
        let total = 0;
        for (const part of parts) total += await part.item();
        return total;
      };
      const x = values[element]!;
      const numeric = ((await at(x + eps)) - (await at(x - eps))) / (2 * eps);
      if (!(Math.abs(numeric - analytic[element]!) <= atol + rtol * Math.abs(numeric))) {
        failures.push({ input: i, element, analytic: analytic[element]!, numeric });
      }
    }
  }
  return failures;
}

/** Checks the gradients of the gradients of `f`. */
export async function gradgradcheck(...args: Arguments): Promise<GradcheckFailure[]> {
  const [f, inputs, options = {}] = takesGradgradcheck(args);
  const wanted = inputs.flatMap((input, i) => (input.requiresGrad ? [i] : []));
  const first: Differentiable = (...points) => {
    const outputs = differentiable(f(...points)).filter((output) => output.tracked);
    if (!outputs.length) return [];
    return grad(
      outputs,
      wanted.map((i) => points[i]!),
      { gradOutputs: cotangents(outputs, (options.seed ?? 0) + 1), createGraph: true },
    );
  };
  return gradcheck(first, inputs, options);
}
