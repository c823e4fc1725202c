// Kernels of one group measured in turn with the ceilings of the device: the three directions of a convolution, or one launch.
import { DeviceError, OutOfMemoryError } from '../../engine/index.ts';
import type { Kernel, ParamValues } from '../../kernels/index.ts';
import { type Ceilings, type CeilingWork, type Roof, roofOf } from '../measure/ceilings.ts';
import { fineClock } from '../measure/clock.ts';
import { inTurn, type Rounds } from '../measure/in-turn.ts';
import { type LaunchWork, prepareLaunch } from '../measure/launches.ts';
import type { Ours } from '../contestants/ours.ts';
import { median, ratio, type Ratio, type Timing, timing } from '../measure/statistics.ts';

export interface LaunchSpec {
  readonly kernel: Kernel<never>;
  readonly params: ParamValues;
}

export interface KernelTiming extends Timing {
  readonly kernel: string;
  readonly plan: string;
  readonly flops: number;
  readonly bytes: number;
  readonly gbps: number;
  readonly roof: Roof;
}

export interface GroupResult {
  readonly kernels: readonly KernelTiming[];
  /** Sum of the others over the first, medians of the same round: what gradients cost beside the forward pass. */
  readonly othersOverFirst?: Ratio;
  /** Best rates of the ceilings in the same rounds. */
  readonly ceilings: Ceilings;
}

/** Measures the launches of a group. Undefined with a reason where the device cannot hold or run them. */
export async function measureGroup(
  { device, clock }: Ours,
  specs: readonly LaunchSpec[],
  ceilings: CeilingWork,
  rounds: Rounds,
): Promise<GroupResult | { readonly absent: string }> {
  const works: LaunchWork[] = [];
  try {
    for (const { kernel, params } of specs) works.push(await prepareLaunch(device, kernel as Kernel, params));
    const fine = device.name === 'wasm' ? fineClock : clock;
    const times = await inTurn([...works, ceilings.memory, ceilings.compute], fine, rounds);
    const beside = ceilings.observe(times.at(-2)!.flat(), times.at(-1)!.flat());
    const kernels = works.map(({ cost, plan }, i): KernelTiming => {
      const taken = timing(times[i]!, cost.flops);
      const { flops, bytes } = cost;
      const gbps = bytes / taken.median / 1e9;
      return {
        kernel: specs[i]!.kernel.name,
        plan,
        flops,
        bytes,
        ...taken,
        gbps,
        roof: roofOf(cost, taken, ceilings.best),
      };
    });
    if (works.length === 1) return { kernels, ceilings: beside };
    const sums = times[0]!.map((_, round) => [
      times.slice(1, works.length).reduce((sum, each) => sum + median(each[round]!), 0),
    ]);
    return { kernels, othersOverFirst: ratio(times[0]!, sums), ceilings: beside };
  } catch (error) {
    if (!(error instanceof OutOfMemoryError) && !(error instanceof DeviceError)) throw error;
    return { absent: error.message.split('\n')[0]! };
  } finally {
    for (const work of works) work.dispose();
    device.trim();
  }
}
