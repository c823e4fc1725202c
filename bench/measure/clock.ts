// How long repeated work takes: by the host's clock, or on a GPU by timestamps that it writes itself at both ends of every
// compute pass, so that the host's share of the time does not count. Leaves out copies between buffers.
import { findAdapter, requestDevice } from '../../engine/devices/webgpu/adapter.ts';
import { WebGpuDevice, type WebGpuDeviceOptions } from '../../engine/devices/webgpu/device.ts';
import { repeat, type Work } from '../peers/protocol.mjs';

export interface Clock {
  /** How the times are taken, for the document. */
  readonly method: string;
  /** Seconds of each repetition, for at least `seconds` in all; short work is repeated until a reading is meaningful. */
  repeat(work: Work, seconds: number): Promise<number[]>;
}

export const hostClock: Clock = { method: "the host's clock around queued work and the wait for it", repeat };

/** Work shorter than this is repeated in one reading of the host's clock. */
const FINE_MS = 0.5;

/**
 * For devices that have computed when a launch returns. Short readings: on a busy machine some of them are undisturbed, which
 * those of ten milliseconds hardly are. Not for comparisons with others, whose readings are longer.
 */
export const fineClock: Clock = { ...hostClock, repeat: (work, seconds) => repeat(work, seconds, FINE_MS) };

/** Passes of one reading; a device submits 512 launches at a time, a launch may be several passes. */
const MOST_PASSES = 2048;
const TIMESTAMP_BYTES = 8;
/** Browsers and Dawn round timestamps to 0.1 ms: a reading is at least this many of them. */
const LEAST_READING = 100 * 1e-4;
const LARGEST_BATCH = 512;

/** Timestamps of all compute passes between `start` and `stop`. Takes the place of the device's `createCommandEncoder`. */
class PassTimes {
  readonly #gpu: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #readable: GPUBuffer;
  readonly #createEncoder: GPUDevice['createCommandEncoder'];
  #passes = 0;
  #running = false;

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
    this.#queries = gpu.createQuerySet({ type: 'timestamp', count: 2 * MOST_PASSES });
    const size = 2 * MOST_PASSES * TIMESTAMP_BYTES;
    // Numbers of GPUBufferUsage: QUERY_RESOLVE | COPY_SRC, and MAP_READ | COPY_DST. The names are globals of browsers only.
    this.#resolved = gpu.createBuffer({ size, usage: 0x200 | 0x4 });
    this.#readable = gpu.createBuffer({ size, usage: 0x1 | 0x8 });
    this.#createEncoder = gpu.createCommandEncoder.bind(gpu);
    gpu.createCommandEncoder = (descriptor) => this.#stamped(this.#createEncoder(descriptor));
  }

  #stamped(encoder: GPUCommandEncoder): GPUCommandEncoder {
    const begin = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = (descriptor) => {
      if (!this.#running || this.#passes >= MOST_PASSES) return begin(descriptor);
      const at = 2 * this.#passes++;
      const timestampWrites = {
        querySet: this.#queries,
        beginningOfPassWriteIndex: at,
        endOfPassWriteIndex: at + 1,
      };
      return begin({ ...descriptor, timestampWrites });
    };
    return encoder;
  }

  start(): void {
    this.#passes = 0;
    this.#running = true;
  }

  /** Seconds that the passes took in sum. */
  async stop(): Promise<number> {
    this.#running = false;
    if (this.#passes === 0) return 0;
    const bytes = 2 * this.#passes * TIMESTAMP_BYTES;
    const encoder = this.#createEncoder();
    encoder.resolveQuerySet(this.#queries, 0, 2 * this.#passes, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#readable, 0, bytes);
    this.#gpu.queue.submit([encoder.finish()]);
    await this.#readable.mapAsync(0x1, 0, bytes); // GPUMapMode.READ
    const stamps = new BigUint64Array(this.#readable.getMappedRange(0, bytes).slice(0));
    this.#readable.unmap();
    let nanoseconds = 0;
    for (let i = 0; i < stamps.length; i += 2) nanoseconds += Number(stamps[i + 1]! - stamps[i]!);
    return nanoseconds / 1e9;
  }
}

/** A clock of the GPU's own timestamps. */
function gpuClock(gpu: GPUDevice): Clock {
  const times = new PassTimes(gpu);
  return {
    method: `timestamps that the GPU writes at both ends of every compute pass, summed over ${LEAST_READING * 1000} ms or more`,
    async repeat(work, seconds) {
      const readings: number[] = [];
      const started = performance.now();
      for (let batch = 1; readings.length === 0 || performance.now() - started < 1000 * seconds;) {
        times.start();
        for (let i = 0; i < batch; i++) await work.launch();
        await work.finish?.();
        const passed = await times.stop();
        const isLong = passed >= LEAST_READING || batch >= LARGEST_BATCH;
        if (isLong || performance.now() - started >= 1000 * seconds) readings.push(passed / batch);
        if (!isLong) batch = Math.min(LARGEST_BATCH, 2 * batch);
      }
      return readings;
    },
  };
}

/** The WebGPU device with the GPU's own clock, or the host's where the adapter has no timestamps. */
export async function openTimedWebGpu(
  options: WebGpuDeviceOptions = {},
): Promise<{ device: WebGpuDevice; clock: Clock }> {
  const adapter = await findAdapter({});
  const gpu = await requestDevice(adapter);
  const clock = gpu.features.has('timestamp-query') ? gpuClock(gpu) : hostClock;
  return { device: new WebGpuDevice(gpu, adapter.info, options), clock };
}
