// One launch, again and again, on buffers of its own: what a kernel costs without the tape and the layers above it. Floats
// are fixed values, integers and flags are 0, which is within the bounds of every index.
import type { Device } from '../../engine/index.ts';
import type { HostArray, Storage } from '../../engine/devices/device.ts';
import { type Cost, costOf, type Kernel, type Operand, type ParamValues, sizeOf } from '../../kernels/index.ts';
import { fixedValues, type Work } from '../peers/protocol.mjs';
import { SEEDS } from '../networks/step.ts';

/** Made once and cut to length: large buffers would take longer to fill than to use. */
const FILL = fixedValues(2 ** 16, SEEDS.image);

function valuesFor({ dtype }: Operand, length: number): Float32Array | Int32Array {
  if (dtype !== 'float32' && dtype !== 'word') return new Int32Array(length);
  const values = new Float32Array(length);
  for (let at = 0; at < length; at += FILL.length) values.set(FILL.subarray(0, length - at), at);
  return values;
}

export interface LaunchWork extends Work {
  readonly cost: Cost;
  /** The plan that the device has taken. */
  readonly plan: string;
  /** Values of all outputs, the same after every launch. */
  results(): Promise<HostArray[]>;
  dispose(): void;
}

/** Sets a launch up and runs it once. `values` gives operands that must not be any numbers. Throws OutOfMemoryError, or an error of the launch. */
export async function prepareLaunch<P extends ParamValues>(
  device: Device,
  kernel: Kernel<P>,
  params: P,
  values: (operand: string, params: P) => Float32Array | undefined = () => undefined,
): Promise<LaunchWork> {
  const storages: Storage[] = [];
  const allocate = (operand: Operand): Storage => {
    const length = sizeOf(operand.shape);
    const storage = device.allocate(length, operand.dtype === 'word' ? 'float32' : operand.dtype);
    storages.push(storage);
    device.write(storage, values(operand.name, params) ?? valuesFor(operand, length));
    return storage;
  };
  const dispose = (): void => storages.forEach((storage) => device.release(storage));
  let plan = '';
  try {
    const inputs = kernel.inputs(params).map(allocate);
    const outputs = kernel.outputs(params).map(allocate);
    const launch = (): void => device.launch(kernel, inputs, outputs, params);
    device.observer = { before: (_, __, name) => (plan = name) };
    launch();
    await device.synchronize();
    const finish = () => device.synchronize();
    const results = () => Promise.all(outputs.map((output) => device.read(output)));
    return { launch, finish, cost: costOf(kernel, params), plan, results, dispose };
  } catch (error) {
    dispose();
    throw error;
  } finally {
    device.observer = undefined;
  }
}
