// Comparison of two devices on one case, and of two results bit by bit.
import type { Device } from '../../engine/devices/device.ts';
import type { CaseResult, KernelCase, Tolerance } from './cases.ts';

const bits = new Int32Array(1);
const asFloat = new Float32Array(bits.buffer);

/** The 32 bits of an element, so that NaN equals itself and -0 differs from 0. */
function bitsOf(value: number, isFloat: boolean): number {
  if (!isFloat) return value;
  asFloat[0] = value;
  return bits[0];
}

/** Integers must be equal; their tolerance is undefined. */
function isClose(actual: number, expected: number, tolerance: Tolerance | undefined): boolean {
  if (!tolerance) return actual === expected;
  // The reference's float64 may lie between two float32 numbers, or past the largest.
  const rounded = Math.fround(expected);
  if (Number.isNaN(rounded)) return Number.isNaN(actual);
  if (!Number.isFinite(rounded)) return actual === rounded;
  // Written so that a NaN fails.
  return Math.abs(actual - rounded) <= tolerance.atol + tolerance.rtol * Math.abs(rounded);
}

const describe = (tolerance: Tolerance | undefined): string =>
  tolerance ? `${tolerance.atol} + ${tolerance.rtol} |expected|` : 'nothing';

/** Throws an error that names the kernel, the plan, the output and the first element that differs by too much. */
export function assertClose(tested: KernelCase, actual: CaseResult, expected: CaseResult): void {
  for (const [k, { name, dtype, values }] of expected.outputs.entries()) {
    const got = actual.outputs[k].values;
    const tolerance = dtype === 'float32' ? tested.tolerance : undefined;
    if (got.length !== values.length) throw new Error(`${tested.label}: ${name} has ${got.length} elements`);
    for (let i = 0; i < values.length; i++) {
      if (isClose(got[i], values[i], tolerance)) continue;
      let wrong = 0;
      for (let j = 0; j < values.length; j++) if (!isClose(got[j], values[j], tolerance)) wrong++;
      throw new Error(
        `${tested.label}: plan '${actual.plan}' gives ${name}[${i}] = ${got[i]}, reference ${values[i]}; ` +
          `${wrong} of ${values.length} differ by more than ${describe(tolerance)}`,
      );
    }
  }
}

/** Throws if the two results differ in one bit. */
export function assertSameBits(tested: KernelCase, first: CaseResult, second: CaseResult, what: string): void {
  for (const [k, { name, dtype, values }] of first.outputs.entries()) {
    const other = second.outputs[k].values;
    const at = values.findIndex(
      (value, i) => bitsOf(value, dtype === 'float32') !== bitsOf(other[i], dtype === 'float32'),
    );
    if (at >= 0) throw new Error(`${tested.label}: ${what}: ${name}[${at}] is ${values[at]}, then ${other[at]}`);
  }
}

/** Runs the case on both devices, and twice on the first, and compares. */
export async function checkAgreement(tested: KernelCase, device: Device, reference: Device): Promise<void> {
  const expected = await tested.run(reference);
  const actual = await tested.run(device);
  assertClose(tested, actual, expected);
  assertSameBits(tested, actual, await tested.run(device), 'the same launch twice');
}
