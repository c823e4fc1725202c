// NaN, infinities, signed zeros, ties and limits against what PyTorch makes of them (ieee.json, by ieee_oracle.py), outputs
// and gradients.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Device, type DType, grad, scope, setDefaultDevice, tensor, type Tensor } from '../../engine/index.ts';
import { repositoryRoot } from '../shared-data.ts';
import { onEach, testedOn } from '../tested-on.ts';
import { ieeeOperations } from './ieee-operations.ts';
import { numberOf } from './oracle.ts';

interface Packed {
  dtype: DType;
  shape: number[];
  values: (number | string)[];
}

interface IeeeCase {
  name: string;
  operation: string;
  inputs: (Packed & { requiresGrad: boolean })[];
  outputs: Packed[];
  gradients: Packed[];
}

const { made, cases } = JSON.parse(readFileSync(join(repositoryRoot(), 'test/property/ieee.json'), 'utf8')) as {
  made: string;
  cases: IeeeCase[];
};

/** Results that carry the sign of zero on every device. */
const keepsSigns = new Set(['neg', 'abs', 'where', 'nearest']);

/** Below it a float32 is subnormal. WGSL lets an adapter take such a number for zero, as operand and as result. */
const SMALLEST = 2 ** -126;
const isSubnormal = (value: number): boolean => value !== 0 && Math.abs(value) < SMALLEST;

interface Rules {
  keepsSign: boolean;
  /** The device may take subnormal numbers for zero. */
  flushes: boolean;
}

function isClose(actual: number, expected: number, { keepsSign, flushes }: Rules): boolean {
  const rounded = Math.fround(actual);
  if (!Number.isFinite(expected) || !Number.isFinite(rounded)) return Object.is(rounded, expected);
  if (keepsSign && expected === 0) return Object.is(rounded, expected);
  // Absolute where numbers up to 50 have cancelled, relative for tiny ones; what was flushed may have been multiplied since.
  const tiny = flushes ? 64 * SMALLEST : SMALLEST;
  const slack = Math.abs(expected) > 0 && Math.abs(expected) < 1e-20 ? tiny : 1e-5;
  return Math.abs(rounded - expected) <= slack + 1e-5 * Math.abs(expected);
}

/** The elements that differ, as text; `skip` those whose operand the device may have taken for another. */
function differences(
  what: string,
  actual: ArrayLike<number>,
  expected: Packed,
  rules: Rules,
  skip: (at: number) => boolean,
): string[] {
  if (actual.length !== expected.values.length) return [`${what}: ${actual.length} elements`];
  return expected.values.flatMap((value, i) =>
    skip(i) || isClose(actual[i]!, numberOf(value), rules)
      ? []
      : [`${what}[${i}] is ${actual[i]}, in PyTorch ${value}`],
  );
}

async function check(item: IeeeCase, device: Device): Promise<string[]> {
  using _ = scope();
  setDefaultDevice(device);
  const inputs = item.inputs.map(({ dtype, shape, values, requiresGrad }) =>
    tensor(Float32Array.from(values, numberOf), shape, { dtype, requiresGrad }),
  );
  const result = ieeeOperations[item.operation]!(...inputs);
  const outputs = Array.isArray(result) ? (result as readonly Tensor[]) : [result as Tensor];
  const rules = { keepsSign: keepsSigns.has(item.operation), flushes: device.name === 'webgpu' };
  const flushed = item.inputs.map(({ values }) => values.map((value) => isSubnormal(numberOf(value))));
  const skip = (at: number) => rules.flushes && flushed.some((list) => list[at]);
  const found: string[] = [];
  for (const [k, expected] of item.outputs.entries()) {
    found.push(...differences(`output ${k}`, await outputs[k]!.array(), expected, rules, skip));
  }
  if (!item.gradients.length) return found;
  const [y] = outputs as [Tensor];
  const cotangent = tensor(
    Array.from({ length: y.size }, (_, i) => i + 1),
    y.shape,
  );
  const wanted = inputs.filter((input) => input.requiresGrad);
  const gradients = grad(y, wanted, { gradOutputs: [cotangent] });
  for (const [k, expected] of item.gradients.entries()) {
    found.push(
      ...differences(`gradient ${k}`, await gradients[k]!.array(), expected, { ...rules, keepsSign: false }, skip),
    );
  }
  return found;
}

async function testIeee(t: Test, device: Device): Promise<void> {
  t.comment(`expected values of ${made}`);
  for (const item of cases) {
    await t.test(item.name, async (t) => t.same(await check(item, device), []));
  }
}

await onEach(t, testedOn('reference', 'wasm', 'webgpu'), testIeee);
