// What a device can do at most, measured beside everything else: bytes by a large copy, arithmetic by chains of multiply-adds
// that stay in registers (kernels/peak). A share of the binding one says how far a kernel is from the roofline.
import type { Device } from '../../engine/index.ts';
import { type Cost, copy, multiplyAdds } from '../../kernels/index.ts';
import { type LaunchWork, prepareLaunch } from './launches.ts';
import type { Timing } from './statistics.ts';

/** Work that fills a device for some milliseconds. */
interface Extent {
  /** Elements copied: more than any cache holds. */
  readonly copied: number;
  /** Chains, and their length. */
  readonly chains: number;
  readonly rounds: number;
}

const onProcessor: Extent = { copied: 2 ** 24, chains: 2 ** 14, rounds: 256 };
const onGpu: Extent = { copied: 2 ** 27, chains: 2 ** 21, rounds: 1024 };

function extentOf(device: Device): Extent {
  const isHardware = device.name === 'webgpu' && device.facts.software !== true;
  if (!isHardware) return onProcessor;
  const most = Number(device.facts.maxStorageBufferBindingSize) / 4;
  return { ...onGpu, copied: Math.min(onGpu.copied, most) };
}

/** The best rates that were measured: operations and bytes per second, in billions. */
export interface Ceilings {
  readonly gflops: number;
  readonly gbps: number;
}

// A type, not an interface: documents are read with an index.
export type Roof = {
  /** Which ceiling is lower for this intensity. */
  readonly binding: 'compute' | 'memory';
  /**
   * Time at that ceiling over the median time taken, and over the least. More than 1 where the operands stay in a cache that the
   * large copy does not fit.
   */
  readonly share: number;
  readonly bestShare: number;
};

/** Where a kernel of this cost stands below the ceilings. */
export function roofOf(
  { flops, bytes }: Cost,
  { median, min }: Pick<Timing, 'median' | 'min'>,
  { gflops, gbps }: Ceilings,
): Roof {
  const [byFlops, byBytes] = [flops / gflops / 1e9, bytes / gbps / 1e9];
  const floor = Math.max(byFlops, byBytes);
  return { binding: byFlops >= byBytes ? 'compute' : 'memory', share: floor / median, bestShare: floor / min };
}

/** The work that measures the ceilings, and the best rates of the run so far. */
export class CeilingWork {
  readonly memory: LaunchWork;
  readonly compute: LaunchWork;
  best: Ceilings = { gflops: 0, gbps: 0 };

  private constructor(memory: LaunchWork, compute: LaunchWork) {
    this.memory = memory;
    this.compute = compute;
  }

  static async prepare(device: Device): Promise<CeilingWork> {
    const { copied: n, chains, rounds } = extentOf(device);
    const flat = { shape: [n], inStrides: [1], outStrides: [1], rank: 1, n, inOffset: 0, outOffset: 0 };
    return new CeilingWork(
      await prepareLaunch(device, copy, { ...flat, inSize: n, outSize: n }),
      await prepareLaunch(device, multiplyAdds, { n: chains, rounds }),
    );
  }

  /** Takes the seconds of repetitions of both in. Returns the best rates of these alone. */
  observe(memory: readonly number[], compute: readonly number[]): Ceilings {
    const gflops = this.compute.cost.flops / Math.min(...compute) / 1e9;
    const gbps = this.memory.cost.bytes / Math.min(...memory) / 1e9;
    this.best = { gflops: Math.max(gflops, this.best.gflops), gbps: Math.max(gbps, this.best.gbps) };
    return { gflops, gbps };
  }

  dispose(): void {
    this.memory.dispose();
    this.compute.dispose();
  }
}
