// The `reference` device: float64 loops over ndarrays, run at once on the calling thread. It is the oracle of the tests
// and checks every launch against the kernel's description. Leaves out speed, and rounding to float32: a float32 tensor
// holds float64 values here.
import ndarray from 'ndarray';
import type { DType, Kernel, Operand, ParamValues } from '../../../kernels/kernel.ts';
import type { ReferenceArray, ReferencePlan } from '../../../kernels/plan.ts';
import { referencePlans } from '../../../kernels/reference.ts';
import { DeviceError, OutOfMemoryError, UseAfterFreeError } from '../../errors.ts';
import { checkLaunch, planFor } from '../check-launch.ts';
import type { ElementsContext } from '../../elements.ts';
import { checkWrite } from '../check-write.ts';
import type { Device, DeviceStatistics, HostArray, LaunchObserver, Storage } from '../device.ts';
import { ExactSizePool } from '../pool.ts';

type Values = Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

interface ReferenceStorage extends Storage {
  readonly values: Values;
}

/** The content of a fresh buffer is unspecified: values that show when they are read. */
const UNSPECIFIED_INT = -0x55555556;

class ReferenceDevice implements Device {
  readonly name = 'reference';
  readonly description = 'reference (float64 loops, one thread)';
  readonly facts = { threads: 1, elementBytes: 8 };
  observer: LaunchObserver | undefined;
  readonly launchClock = 'host';
  readonly #pool = new ExactSizePool<ArrayBuffer>();
  #nextId = 1;
  #live = new Set<Storage>();
  #liveBytes = 0;
  #peakBytes = 0;
  #launches = 0;
  #disposed = false;

  allocate(length: number, dtype: DType): Storage {
    this.#checkAlive('allocate');
    const bytes = length * (dtype === 'float32' ? 8 : 4);
    const buffer = this.#pool.take(bytes) ?? this.#makeBuffer(bytes);
    const values = dtype === 'float32' ? new Float64Array(buffer) : new Int32Array(buffer);
    values.fill(dtype === 'float32' ? NaN : UNSPECIFIED_INT);
    const id = this.#nextId++;
    const storage: ReferenceStorage = { id, device: this, dtype, length, references: 1, version: 0, values };
    this.#live.add(storage);
    this.#liveBytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return storage;
  }

  release(storage: Storage): void {
    if (this.#disposed) return;
    const { values } = this.#own(storage, 'release');
    if (--storage.references > 0) return;
    this.#live.delete(storage);
    this.#liveBytes -= values.byteLength;
    this.#pool.give(values.byteLength, values.buffer);
  }

  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void {
    const own = this.#own(storage, 'write');
    own.values.set(checkWrite(own, values, source));
    own.version++;
  }

  read(storage: Storage): Promise<HostArray> {
    return new Promise((resolve) => resolve(this.#own(storage, 'read').values.slice()));
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    this.#checkAlive(kernel.name);
    checkLaunch(this, kernel, inputs, outputs, params);
    for (const output of outputs) output.version++;
    const plan = planFor(referencePlans, kernel as unknown as Kernel<never>, 'reference') as ReferencePlan<P>;
    const observed = kernel as unknown as Kernel<never>;
    this.observer?.before?.(observed, params, 'reference');
    plan(this.#arrays(kernel.inputs(params), inputs), this.#arrays(kernel.outputs(params), outputs), params);
    this.#launches++;
    this.observer?.after?.(observed, params, 'reference');
  }

  /** Launches end before they return, so there is nothing to wait for. */
  synchronize(): Promise<void> {
    return Promise.resolve();
  }

  statistics(): DeviceStatistics {
    return {
      liveBuffers: this.#live.size,
      liveBytes: this.#liveBytes,
      peakBytes: this.#peakBytes,
      pooledBytes: this.#pool.bytes,
      launches: this.#launches,
      submits: this.#launches,
    };
  }

  resetPeakBytes(): void {
    this.#peakBytes = this.#liveBytes;
  }

  trim(): void {
    this.#pool.drain(() => undefined);
  }

  dispose(): void {
    this.trim();
    this.#live.clear();
    this.#liveBytes = 0;
    this.#disposed = true;
  }

  #makeBuffer(bytes: number): ArrayBuffer {
    try {
      return new ArrayBuffer(bytes);
    } catch (cause) {
      throw new OutOfMemoryError('no memory for a buffer', {
        operation: 'allocate',
        given: `${bytes} bytes, with ${this.#liveBytes} bytes held in ${this.#live.size} buffers`,
        cause,
      });
    }
  }

  /** The operands in the kernel's own shapes. */
  #arrays(operands: Operand[], storages: Storage[]): ReferenceArray[] {
    return operands.map(({ shape }, i) => {
      const values: Float64Array | Int32Array = (storages[i] as ReferenceStorage).values;
      return ndarray(values, [...shape]);
    });
  }

  #own(storage: Storage, operation: string): ReferenceStorage {
    this.#checkAlive(operation);
    if (storage.device !== this) throw new DeviceError('the buffer belongs to another device', { operation });
    if (storage.references <= 0) throw new UseAfterFreeError('the buffer has been released', { operation });
    return storage as ReferenceStorage;
  }

  #checkAlive(operation: string): void {
    if (this.#disposed) throw new DeviceError('the device has been disposed of', { operation });
  }
}

/** A new reference device with its own pool. Throws nothing: it runs everywhere. */
export const createReferenceDevice = (): Device => new ReferenceDevice();
