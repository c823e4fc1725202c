// What a device can do at most: multiply-adds that stay in registers, and a long copy. A kernel's floor is the longer of its
// operations at the one rate and its bytes at the other; its share of the ceiling is that floor over its time. Other work on
// the machine only ever lowers a ceiling, so the best reading is the one that counts.
import type { Device } from '../../engine/devices/device.ts';
import { copy, costOf, type CopyParams, multiplyAdds } from '../../kernels/index.ts';
import type { Cost } from '../../kernels/kernel.ts';
import { type Launch, prepareLaunch } from './launch.ts';

const chains = { small: { n: 2 ** 14, rounds: 512 }, large: { n: 2 ** 21, rounds: 512 } };
const copied = { small: 2 ** 23, large: 2 ** 26 };

const copyOf = (n: number): CopyParams => ({
  ...{ shape: [n], inStrides: [1], outStrides: [1], rank: 1, n, inOffset: 0, outOffset: 0, inSize: n, outSize: n },
});

/** Launches whose times become a ceiling. */
export interface CeilingWork {
  readonly arithmetic: Launch;
  readonly traffic: Launch;
  ceiling(arithmeticTimes: readonly number[], trafficTimes: readonly number[]): Ceiling;
  dispose(): void;
}

export interface Ceiling {
  readonly gflops: number;
  /** Read and written, both counted. */
  readonly gigabytesPerSecond: number;
}

export function prepareCeiling(device: Device, size: 'small' | 'large'): CeilingWork {
  const bytes = copyOf(copied[size]);
  const half = (): Float32Array => Float32Array.of(0.5, 0.25);
  const arithmetic = prepareLaunch(device, multiplyAdds, chains[size], (operand) =>
    operand === 'x' ? half() : undefined,
  );
  const traffic = prepareLaunch(device, copy, bytes);
  return {
    arithmetic,
    traffic,
    ceiling: (arithmeticTimes, trafficTimes) => ({
      gflops: multiplyAdds.flops(chains[size]) / Math.min(...arithmeticTimes) / 1e9,
      gigabytesPerSecond: costOf(copy, bytes).bytes / Math.min(...trafficTimes) / 1e9,
    }),
    dispose() {
      arithmetic.dispose();
      traffic.dispose();
    },
  };
}

/** What bounds a kernel, the least seconds it needs for that, and its rate in those terms. */
export function floorOf({ flops, bytes }: Cost, { gflops, gigabytesPerSecond }: Ceiling) {
  const [byFlops, byBytes] = [flops / gflops / 1e9, bytes / gigabytesPerSecond / 1e9];
  return byFlops >= byBytes
    ? { seconds: byFlops, amount: flops, unit: 'GFLOP/s' as const }
    : { seconds: byBytes, amount: bytes, unit: 'GB/s' as const };
}
