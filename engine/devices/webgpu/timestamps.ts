// The clock of the GPU: each timed launch gets a compute pass of its own, whose begin and end the GPU writes into a query
// set. Values reach the host with one small copy per command buffer. The clock has steps: a fraction of a microsecond where
// Dawn is asked not to coarsen it, as here, and up to 0.1 ms in browsers.
import type { LaunchTimer } from '../device.ts';
import { MAP_READ, usage } from './buffers.ts';

/** Begin and end. */
const VALUES = 2;
const VALUE_BYTES = 8;
const NANOSECONDS_PER_MILLISECOND = 1e6;

/** Queries of one command buffer. */
interface Queries {
  readonly set: GPUQuerySet;
  readonly resolved: GPUBuffer;
  readonly staging: GPUBuffer;
}

/** The timed launches of one command buffer that is being encoded. */
export interface TimedLaunches {
  readonly queries: Queries;
  readonly timers: LaunchTimer[];
}

export class GpuClock {
  readonly #device: GPUDevice;
  readonly #most: number;
  readonly #free: Queries[] = [];
  readonly #reads = new Set<Promise<void>>();
  #origin: bigint | undefined;

  /** At most `most` launches share a command buffer. */
  constructor(device: GPUDevice, most: number) {
    this.#device = device;
    this.#most = most;
  }

  begin(): TimedLaunches {
    return { queries: this.#free.pop() ?? this.#make(), timers: [] };
  }

  /** What makes a compute pass tell its times to `timer`. */
  writes({ queries, timers }: TimedLaunches, timer: LaunchTimer): GPUComputePassTimestampWrites {
    const first = VALUES * timers.length;
    timers.push(timer);
    return { querySet: queries.set, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 };
  }

  /** Ends the encoding of the command buffer. */
  resolve(encoder: GPUCommandEncoder, { queries: { set, resolved, staging }, timers }: TimedLaunches): void {
    const values = VALUES * timers.length;
    encoder.resolveQuerySet(set, 0, values, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, VALUE_BYTES * values);
  }

  /** Tells the timers, once the command buffer has been submitted and is done. */
  read({ queries, timers }: TimedLaunches): void {
    const { staging } = queries;
    const bytes = VALUE_BYTES * VALUES * timers.length;
    const done = staging.mapAsync(MAP_READ, 0, bytes).then(
      () => {
        const values = new BigUint64Array(staging.getMappedRange(0, bytes));
        const origin = (this.#origin ??= values[0]!);
        const at = (i: number): number => Number(values[i]! - origin) / NANOSECONDS_PER_MILLISECOND;
        timers.forEach((timer, i) => timer(at(VALUES * i), at(VALUES * i + 1)));
        staging.unmap();
        this.#free.push(queries);
      },
      () => undefined, // the device has been lost, or the commands refused: the queue says so
    );
    this.#reads.add(done);
    void done.then(() => this.#reads.delete(done));
  }

  /** Resolves when all timers so far have been told. */
  async settled(): Promise<void> {
    await Promise.all(this.#reads);
  }

  #make(): Queries {
    const count = VALUES * this.#most;
    const buffer = (flags: number): GPUBuffer =>
      this.#device.createBuffer({ label: 'timestamps', size: VALUE_BYTES * count, usage: flags });
    return {
      set: this.#device.createQuerySet({ label: 'timestamps', type: 'timestamp', count }),
      resolved: buffer(usage.queryResolve | usage.copySource),
      staging: buffer(usage.mapRead | usage.copyTarget),
    };
  }
}
