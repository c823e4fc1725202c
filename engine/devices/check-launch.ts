// What every device may refuse before it runs a kernel: operands that are not what the description says for these
// parameters, released buffers, buffers of another device, and outputs that are inputs too.
import { type DType, type Kernel, type Operand, sizeOf } from '../../kernels/kernel.ts';
import { DeviceError, showShape, UseAfterFreeError } from '../errors.ts';
import type { PlanTable } from '../../kernels/plan.ts';
import type { Device, DeviceName, Storage } from './device.ts';
import type { Operands } from './plan-cache.ts';

function checkOperands(kernel: string, kind: 'input' | 'output', operands: readonly Operand[], given: Storage[]): void {
  if (operands.length !== given.length) {
    throw new DeviceError(`wrong number of ${kind}s`, {
      operation: kernel,
      expected: `${operands.length} (${operands.map((operand) => operand.name).join(', ')})`,
      given: String(given.length),
    });
  }
  for (const [i, { name, dtype, shape }] of operands.entries()) {
    const storage = given[i];
    const length = sizeOf(shape);
    if (storage.length !== length) {
      throw new DeviceError(`${kind} has the wrong length`, {
        operation: kernel,
        argument: name,
        expected: `${length} elements for shape ${showShape(shape)}`,
        given: String(storage.length),
      });
    }
    if (dtype !== 'word' && storage.dtype !== dtype) {
      throw new DeviceError(`${kind} has the wrong element type`, {
        operation: kernel,
        argument: name,
        expected: dtype,
        given: storage.dtype,
      });
    }
  }
}

/** Whether the operands of a launch may hold different kinds of number though it moves bits. */
export const mixesWords = (kernel: string): boolean => kernel === 'cast';

/** `word` operands are moved as bits, so all of one launch must hold the same kind of number; `cast` re-reads them. */
function checkWords(kernel: string, operands: readonly Operand[], given: Storage[]): void {
  let first: DType | undefined;
  for (const [i, { name, dtype }] of operands.entries()) {
    if (dtype !== 'word') continue;
    first ??= given[i].dtype;
    if ((given[i].dtype === 'float32') === (first === 'float32')) continue;
    throw new DeviceError('float and integer buffers cannot be mixed in a kernel that moves bits', {
      operation: kernel,
      argument: name,
      expected: first,
      given: given[i].dtype,
    });
  }
}

/** The plan of a kernel. Throws DeviceError where the device has none, as for a kernel that brought plans for others. */
export function planFor<Plan>(table: PlanTable<Plan>, kernel: Kernel<never>, device: DeviceName): Plan {
  const plan = table.find(kernel);
  if (plan) return plan;
  throw new DeviceError('the kernel has no plan for this device', {
    operation: kernel.name,
    argument: 'kernel',
    expected: kernel.plans ? `a device among ${Object.keys(kernel.plans).join(', ')}` : 'a kernel with plans',
    given: device,
    hint: 'Give defineKernel a plan for this device, or move the tensors with await toDevice(x, device)',
  });
}

/** Throws DeviceError or UseAfterFreeError if `device` must not run this launch. */
export function checkLaunch(
  device: Device,
  operation: string,
  { inputs: inputOperands, outputs: outputOperands }: Operands,
  inputs: Storage[],
  outputs: Storage[],
): void {
  checkOperands(operation, 'input', inputOperands, inputs);
  checkOperands(operation, 'output', outputOperands, outputs);
  if (!mixesWords(operation)) checkWords(operation, [...inputOperands, ...outputOperands], [...inputs, ...outputs]);
  for (const storage of [...inputs, ...outputs]) {
    if (storage.device !== device) {
      throw new DeviceError('a buffer belongs to another device', {
        operation,
        expected: device.description,
        given: storage.device.description,
      });
    }
    if (storage.references <= 0) throw new UseAfterFreeError('a buffer has been released', { operation });
  }
  const twice = boundTwice(inputs, outputs);
  if (twice < 0) return;
  throw new DeviceError('an output is bound twice', { operation, argument: outputOperands[twice].name });
}

/** From how many outputs on a set is faster than looking through the lists. */
const MANY = 8;

/** The place of the first output that is an input too, or an earlier output; -1 where there is none. */
export function boundTwice(inputs: Storage[], outputs: Storage[]): number {
  if (outputs.length >= MANY) {
    const seen = new Set(inputs);
    return outputs.findIndex((output) => seen.size === seen.add(output).size);
  }
  for (let i = 0; i < outputs.length; i++) {
    if (inputs.includes(outputs[i]) || outputs.indexOf(outputs[i]) !== i) return i;
  }
  return -1;
}
