// One kernel with its operands on a device, to be launched again and again.
import type { Device, HostArray } from '../../engine/devices/device.ts';
import { type Kernel, type Operand, type ParamValues, sizeOf } from '../../kernels/kernel.ts';
import { fixedValues, type Work } from '../peers/protocol.mjs';

export interface Launch extends Work {
  readonly device: Device;
  /** The plan that the device took in the first launch. */
  readonly plan: string;
  /** Values of all outputs, the same for every launch. */
  results(): Promise<HostArray[]>;
  dispose(): void;
}

/** Launches once, so that everything is compiled. Inputs are fixed values of [-1, 1), or those of `values`. */
export function prepareLaunch<P extends ParamValues>(
  device: Device,
  kernel: Kernel<P>,
  params: P,
  values: (operand: string, params: P) => Float32Array | undefined = () => undefined,
): Launch {
  const allocate = ({ name, shape }: Operand, index: number) => {
    const length = sizeOf(shape);
    const storage = device.allocate(length, 'float32');
    device.write(storage, values(name, params) ?? fixedValues(length, index + 1));
    return storage;
  };
  const inputs = kernel.inputs(params).map(allocate);
  const outputs = kernel.outputs(params).map((operand, i) => allocate(operand, inputs.length + i));
  let plan = '';
  device.observer = { before: (_kernel, _params, name) => (plan = name) };
  const launch = (): void => device.launch(kernel, inputs, outputs, params);
  try {
    launch();
  } finally {
    device.observer = undefined;
  }
  return {
    device,
    plan,
    launch,
    finish: () => device.synchronize(),
    results: () => Promise.all(outputs.map((output) => device.read(output))),
    dispose: () => [...inputs, ...outputs].forEach((storage) => device.release(storage)),
  };
}

/** The largest difference between results, relative to their root mean square. NaN where only one of the two is NaN. */
export function largestDifference(results: readonly HostArray[], expected: readonly HostArray[]): number {
  let largest = 0;
  for (const [k, values] of expected.entries()) {
    let squares = 0;
    let difference = 0;
    for (let i = 0; i < values.length; i++) {
      squares += values[i]! ** 2;
      const apart = Math.abs(results[k]![i]! - values[i]!);
      if (!(apart <= difference)) difference = apart;
    }
    if (difference !== 0) largest = Math.max(largest, difference / Math.sqrt(squares / values.length));
  }
  return largest;
}
