// The door to a device. Everything a device computes passes through `launch`; nothing else starts work.
import type { DType, Kernel, ParamValues } from '../../kernels/kernel.ts';
import type { ElementsContext } from '../elements.ts';

/** `meta` has shapes and no values; the others compute. `interpreter` runs the shaders of `webgpu` (`wgrad/interpreter`). */
export type DeviceName = 'webgpu' | 'wasm' | 'reference' | 'meta' | 'interpreter';

/** Values of one tensor on the host: float32 as Float32Array (Float64Array on `reference`), int32 and bool as Int32Array. */
export type HostArray = Float32Array | Float64Array | Int32Array;

/** A buffer of `length` elements on a device. Tensors share it by counting references; at zero it returns to the pool. */
export interface Storage {
  readonly id: number;
  readonly device: Device;
  readonly dtype: DType;
  readonly length: number;
  references: number;
  /** Counts writes, by `write` and by launches, so that the tape can refuse values that are no longer those it saved. */
  version: number;
  /** The buffer in whose memory this one lies, and which it keeps. */
  readonly parent?: Storage;
}

/** Counters of a device; differences between two readings describe what ran between them. */
export interface DeviceStatistics {
  /** Buffers and bytes that tensors hold now, and the most bytes held since `resetPeakBytes`. */
  liveBuffers: number;
  liveBytes: number;
  peakBytes: number;
  /** Bytes kept in the pool for reuse. */
  pooledBytes: number;
  launches: number;
  /** Command buffers submitted (webgpu); equal to launches elsewhere. */
  submits: number;
  /** Milliseconds between launches in which none was running: where several threads run them (wasm). */
  idleMilliseconds?: number;
}

/** Told when a launch began and ended on the device's own clock, in milliseconds since some moment. */
export type LaunchTimer = (begin: number, end: number) => void;

/** Called around every launch when set: the profiler, the launch counter of tests, the list of plans of a run. */
export interface LaunchObserver {
  before?(kernel: Kernel<never>, params: ParamValues, plan: string): void;
  after?(kernel: Kernel<never>, params: ParamValues, plan: string): void;
  /**
   * Asked after `before` by a device that works on while `launch` returns and has a clock of its own. The answer is called
   * before a `synchronize` that begins after the launch resolves. Timing a launch costs some of its speed.
   */
  timer?(): LaunchTimer | undefined;
}

/** Stands at the door while a step is recorded or replayed: every request is its own to pass on. */
export interface Doorkeeper {
  allocate(length: number, dtype: DType): Storage;
  /** Told that the last reference to a buffer has been dropped. */
  released(storage: Storage): void;
  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void;
  /** Told that a buffer is about to be read. */
  reads(storage: Storage): void;
  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void;
}

/** A launch that has been checked, planned and bound to its buffers, to be run any number of times. */
export interface PreparedLaunch {
  /** The name of its plan; undefined where there is nothing to do. */
  readonly plan: string | undefined;
  /** Queues it, as `launch` does. Its buffers must be alive. */
  run(): void;
  /** Takes other numbers from now on. False, and nothing is changed, where they may need another plan. */
  tune(params: ParamValues): boolean;
}

/** How the memory of a long buffer is divided into views. */
export interface Division {
  /** Bytes of one element of the long buffer, which is of float32. */
  readonly elementBytes: number;
  /** Bytes that a view of so many elements takes. */
  viewBytes(length: number, dtype: DType): number;
  /** Whether a view may begin elsewhere than at the beginning: a GPU binds a buffer for reading or for writing, as a whole. */
  readonly hasOffsets: boolean;
}

/** The door to one device: storage, transfers and launches of kernels. */
export interface Device {
  readonly name: DeviceName;
  /** One line for people: adapter or processor features, threads. */
  readonly description: string;
  /** Facts for the manifest: driver, limits, features, threads. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  observer: LaunchObserver | undefined;
  /** Set while a step is recorded or replayed. */
  doorkeeper: Doorkeeper | undefined;
  readonly division: Division;
  /** Where the time of a kernel can be read: around `launch`, through `LaunchObserver.timer`, or nowhere. */
  readonly launchClock: 'host' | 'device' | 'none';

  /** A buffer with one reference and unspecified content. Throws OutOfMemoryError. */
  allocate(length: number, dtype: DType): Storage;
  /** Drops one reference. The buffer may be reused by later launches as soon as none is left. */
  release(storage: Storage): void;
  /**
   * Copies host values in, in queue order. Throws DTypeError for what is no element of the buffer's type (elements.ts), with
   * what `source` says of the values.
   */
  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void;
  /** Reads the whole buffer after all launches before it. Rejects with the first error of an earlier launch. */
  read(storage: Storage): Promise<HostArray>;

  /**
   * Queues one kernel. Operands must have the lengths that the kernel's description gives for `params`; outputs must not
   * be inputs too. Returns at once on webgpu, after the work elsewhere.
   */
  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void;

  /** `launch` for many times: what does not depend on the moment is done once. Throws what `launch` does. */
  prepare<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): PreparedLaunch;
  /** A buffer with one reference in the memory of another, from a byte that `division` allows. It counts no bytes of its own. */
  view(parent: Storage, offset: number, length: number, dtype: DType): Storage;

  /** Resolves when all launches have ended; rejects with the first error among them. */
  synchronize(): Promise<void>;
  statistics(): DeviceStatistics;
  /** Starts the search for the peak anew, at what is held now. */
  resetPeakBytes(): void;
  /** Gives pooled memory back. */
  trim(): void;
  /** Frees everything. Tensors on the device are dead afterwards. */
  dispose(): void;
}
