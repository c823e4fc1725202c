// Random programs with some of their parts checkpointed: values, gradients and gradients of gradients to the bit.
import type { Test } from 'tap';
import {
  checkpoint,
  type Device,
  grad,
  liveTensorCount,
  parameter,
  scope,
  setDefaultDevice,
  square,
  sum,
  tensor,
} from '../../engine/index.ts';
import { direct, type Wrap } from './recomputation.ts';
import { drawProgram, drawValues, MATRIX } from './programs.ts';

/** The loss, its gradients, and the gradients and their gradients of what those make up. */
async function bits(seed: number, wrap: Wrap): Promise<Buffer> {
  using _ = scope();
  const x = tensor(drawValues(seed, 0), MATRIX, { requiresGrad: true });
  const p = parameter(drawValues(seed, 1), MATRIX);
  const loss = drawProgram(seed, 2)([x, p], wrap);
  const first = grad(loss, [x, p], { createGraph: true });
  const second = grad(sum(square(first[0]!)).add(sum(first[1]!)), [x, p], { createGraph: true });
  sum(square(second[0]!)).add(loss).backward();
  const results = [loss, ...first, ...second, x.grad!, p.grad!];
  const values = await Promise.all(results.map(async (result) => [...(await result.array())]));
  p.dispose();
  return Buffer.from(Float64Array.from(values.flat()).buffer);
}

/** Compares `count` programs from `seed` on; no tensor is left. */
export async function sameBitsOfPrograms(t: Test, device: Device, seed: number, count: number): Promise<void> {
  setDefaultDevice(device);
  const before = liveTensorCount();
  let parts = 0;
  const counting: Wrap = (f, ...inputs) => {
    parts++;
    return checkpoint(f, ...inputs);
  };
  const different: number[] = [];
  for (let i = seed; i < seed + count; i++) {
    const [expected, given] = [await bits(i, direct), await bits(i, counting)];
    if (!expected.equals(given)) different.push(i);
  }
  t.same(different, [], `${device.name}: ${count} programs, ${parts} checkpoints`);
  t.ok(parts > count, 'parts are checkpointed');
  t.equal(liveTensorCount(), before, 'nothing is left');
}
