// Inputs of the gradient cases, the same values on every device.
import { random, type Device, type Tensor, tensor } from '../../../engine/index.ts';
import { sizeOf } from '../../../engine/shape.ts';
import type { InputSpec } from './case.ts';

function values({ shape, values: kind = 'normal' }: InputSpec, seed: number, index: number): ArrayLike<number> {
  const n = sizeOf(shape);
  const stream = random(seed, 'gradient case', index);
  if (typeof kind !== 'string') return kind;
  if (kind === 'positive') return stream.uniformArray(n).map((u) => 0.5 + u);
  if (kind === 'distinct') return Float32Array.from(stream.permutation(n), (k) => 0.37 * k - 1.9);
  // Kept away from 0, where relu, abs and sign have no derivative.
  return stream.normalArray(n).map((z) => z + Math.sign(z) * 0.05);
}

/** Tensors of a case; the float32 ones ask for gradients. */
export function makeInputs(specs: readonly InputSpec[], seed: number, device?: Device): Tensor[] {
  return specs.map((spec, i) => {
    const dtype = spec.dtype ?? 'float32';
    const options = { dtype, ...(device ? { device } : {}), requiresGrad: dtype === 'float32' && !spec.constant };
    return tensor(values(spec, seed, i), spec.shape, options);
  });
}
