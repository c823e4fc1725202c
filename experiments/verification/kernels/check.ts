// The shaders of plans against the reference loops, run by the WGSL interpreter on small launches: whether they agree, and whether they
// have data races or barriers in non-uniform control flow.
import {
  createInterpreterDevice,
  type InterpreterDevice,
  type LaunchFinding,
} from '../../../engine/devices/interpreter/index.ts';
import { createDevice, type Device, type HostArray } from '../../../engine/index.ts';
import { webGpuPlans } from '../../../kernels/webgpu.ts';
import { type Content, harvestLaunches, type Launch } from './harvest.ts';

/** What was found of one plan. */
export interface PlanCheck {
  /** `kernel.plan`. */
  readonly name: string;
  readonly launches: number;
  /** Largest difference from the reference, relative to the largest value that is read or written; Infinity where integers differ. */
  readonly difference: number;
  readonly agrees: boolean;
  /** Without reads past the end of buffers, which are none. */
  readonly findings: readonly LaunchFinding[];
  /** Why a launch could not be run. */
  readonly failure: string | undefined;
}

/** Of the largest value that is read or written. Short sums in float32 stay below. */
const AGREEMENT = 2e-5;

/** `kernel.plan` of every plan of the library. */
export const planNames = (): string[] =>
  webGpuPlans.names().flatMap((name) => webGpuPlans.variants({ name }).map((variant) => `${name}.${variant}`));

/** Whether the interpreter's choice of plans gives that one for a launch, when it is asked for. */
export function takes({ kernel, params, outputs }: Launch, variant: string, device: InterpreterDevice): boolean {
  if (outputs.every(({ values }) => values.length === 0)) return false;
  return webGpuPlans.get(kernel)(params as never, device.planFacts, variant).name === variant;
}

/** Runs a launch on a device and gives its outputs. */
export async function runLaunch({ kernel, params, inputs, outputs }: Launch, device: Device): Promise<HostArray[]> {
  const upload = (contents: readonly Content[]) =>
    contents.map(({ dtype, values }) => {
      const storage = device.allocate(values.length, dtype);
      device.write(storage, values);
      return storage;
    });
  const [read, written] = [upload(inputs), upload(outputs)];
  try {
    device.launch(kernel, read, written, params as never);
    return await Promise.all(written.map((storage) => device.read(storage)));
  } finally {
    for (const storage of [...read, ...written]) device.release(storage);
  }
}

const largestOf = (values: HostArray): number => {
  let largest = 0;
  for (const value of values) if (Math.abs(value) < Infinity) largest = Math.max(largest, Math.abs(value));
  return largest;
};

/**
 * The largest difference of floats over `read`, the largest value read, or over the largest one expected: where a sum cancels, as in the
 * gradient of batch norm, what is left is of the size of its rounding, which is that of its terms.
 */
function difference(actual: HostArray, expected: HostArray, isFloat: boolean, read: number): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const wanted = isFloat ? Math.fround(expected[i]!) : expected[i]!;
    if (Object.is(actual[i], wanted)) continue;
    const error = Math.abs(actual[i]! - wanted);
    // An infinity or a NaN on one side alone.
    if (!(error < Infinity)) return Infinity;
    worst = Math.max(worst, error);
  }
  if (worst > 0 && !isFloat) return Infinity;
  return worst === 0 ? 0 : worst / Math.max(read, largestOf(expected));
}

/** Checks of plans, one after the other. */
export class KernelChecks {
  readonly #launches: readonly Launch[];
  readonly #reference: Device;
  readonly #device: InterpreterDevice;
  #wanted: string | undefined;
  #findings: LaunchFinding[] = [];

  private constructor(launches: readonly Launch[], reference: Device, subgroupSize: number | undefined) {
    this.#launches = launches;
    this.#reference = reference;
    this.#device = createInterpreterDevice({
      ...(subgroupSize === undefined ? {} : { subgroupSize }),
      preferPlan: () => this.#wanted,
      onFinding: (finding) => {
        if (finding.kind !== 'overread') this.#findings.push(finding);
      },
    });
  }

  static async open(subgroupSize?: number): Promise<KernelChecks> {
    return new KernelChecks(await harvestLaunches(), await createDevice('reference'), subgroupSize);
  }

  get device(): InterpreterDevice {
    return this.#device;
  }

  /** Launches that a plan takes, the largest first. */
  launchesOf(name: string): Launch[] {
    const [kernel, variant] = name.split('.') as [string, string];
    const size = ({ inputs, outputs }: Launch): number =>
      [...inputs, ...outputs].reduce((sum, { values }) => sum + values.length, 0);
    return this.#launches
      .filter((launch) => launch.kernel.name === kernel && takes(launch, variant, this.#device))
      .sort((a, b) => size(b) - size(a));
  }

  /** Runs a launch with a plan, and gives what it wrote. */
  run(launch: Launch, name: string): Promise<HostArray[]> {
    this.#wanted = name.split('.')[1];
    return runLaunch(launch, this.#device);
  }

  /** Checks a plan on up to `most` launches. */
  async check(name: string, most: number): Promise<PlanCheck> {
    this.#findings = [];
    let worst = 0;
    let failure: string | undefined;
    const launches = this.launchesOf(name).slice(0, most);
    for (const launch of launches) {
      try {
        const actual = await this.run(launch, name);
        const expected = await runLaunch(launch, this.#reference);
        const floats = launch.inputs.filter(({ dtype }) => dtype === 'float32');
        const read = Math.max(0, ...floats.map(({ values }) => largestOf(values)));
        expected.forEach((values, i) => {
          worst = Math.max(worst, difference(actual[i]!, values, launch.outputs[i]!.dtype === 'float32', read));
        });
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
        break;
      }
    }
    const findings = this.#findings;
    return { name, launches: launches.length, difference: worst, agrees: worst <= AGREEMENT, findings, failure };
  }

  dispose(): void {
    this.#device.dispose();
    this.#reference.dispose();
  }
}
