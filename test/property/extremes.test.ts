// Losses and activations at their extremes by relative error against numbers of 400 digits (extremes.json, by
// extremes_oracle.py): values, gradients and gradients of gradients. What float32 cannot hold is infinite or 0 there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Device, grad, mul, scope, setDefaultDevice, sum, tensor, zerosLike } from '../../engine/index.ts';
import { repositoryRoot } from '../shared-data.ts';
import { onEach, testedOn } from '../tested-on.ts';
import { type Constants, extremeFunctions } from './extremes-functions.ts';
import { numberOf } from './oracle.ts';

interface ExtremeCase {
  readonly name: string;
  readonly function: string;
  readonly constants: Constants;
  readonly x: readonly number[];
  readonly shape: readonly number[];
  /** Direction of the second derivative. */
  readonly v: number | readonly number[];
  readonly y: readonly (number | string)[];
  readonly first: readonly (number | string)[];
  readonly second: readonly (number | string)[];
}

const { made, cases } = JSON.parse(readFileSync(join(repositoryRoot(), 'test/property/extremes.json'), 'utf8')) as {
  made: string;
  cases: ExtremeCase[];
};

interface Precision {
  /** Relative error. */
  readonly relative: number;
  /** Error of what is so small that the device has fewer digits for it, or takes it for 0. */
  readonly tiny: number;
  round(value: number): number;
}

const float32 = { relative: 1e-5, round: Math.fround };
const precisions: Readonly<Record<string, Precision>> = {
  reference: { relative: 1e-12, tiny: 2 ** -1020, round: (value) => value },
  wasm: { ...float32, tiny: 2 ** -140 },
  // WGSL lets an adapter take subnormal numbers for zero, and what is multiplied with them.
  webgpu: { ...float32, tiny: 2 ** -124 },
};

function differences(
  what: string,
  { x }: ExtremeCase,
  actual: ArrayLike<number>,
  expected: readonly (number | string)[],
  { relative, tiny, round }: Precision,
): string[] {
  return expected.flatMap((value, i) => {
    const truth = round(numberOf(value));
    const found = actual[i]!;
    const isClose = Number.isFinite(truth)
      ? Math.abs(found - truth) <= relative * Math.abs(truth) + tiny
      : // Of two infinite terms of a second derivative the difference is not known.
        found === truth || (what.startsWith('second') && Number.isNaN(found));
    return isClose
      ? []
      : [`${what} at ${x.length === expected.length ? x[i] : x.join(', ')} is ${found}, not ${truth}`];
  });
}

async function check(item: ExtremeCase, device: Device): Promise<string[]> {
  using _ = scope();
  setDefaultDevice(device);
  const precision = precisions[device.name]!;
  const x = tensor([...item.x], item.shape, { requiresGrad: true });
  const y = extremeFunctions[item.function]!(x, item.constants);
  const [first] = grad(sum(y), [x], { createGraph: true });
  const direction = typeof item.v === 'number' ? item.v : tensor([...item.v], item.shape);
  // Of a linear function the gradient does not depend on x.
  const [second] = first!.tracked ? grad(sum(mul(first!, direction)), [x]) : [zerosLike(x)];
  const [plain] = grad(sum(extremeFunctions[item.function]!(x, item.constants)), [x]);
  return [
    ...differences('value', item, await y.array(), item.y, precision),
    ...differences('gradient', item, await plain!.array(), item.first, precision),
    ...differences('differentiable gradient', item, await first!.array(), item.first, precision),
    ...differences('second gradient', item, await second!.array(), item.second, precision),
  ];
}

async function testExtremes(t: Test, device: Device): Promise<void> {
  t.comment(`expected values of ${made}`);
  for (const item of cases) {
    await t.test(item.name, async (t) => t.same(await check(item, device), []));
  }
}

await onEach(t, testedOn('reference', 'wasm', 'webgpu'), testExtremes);
