// The `reference` device: float64 loops over ndarrays, run at once on the calling thread. It is the oracle of the tests
// and checks every launch against the kernel's description. Leaves out speed, and rounding to float32: a float32 tensor
// holds float64 values here.
import ndarray from 'ndarray';
import type { DType, Kernel, Operand, ParamValues } from '../../../kernels/kernel.ts';
import type { ReferenceArray, ReferencePlan } from '../../../kernels/plan.ts';
import { referencePlans } from '../../../kernels/reference.ts';
import { OutOfMemoryError } from '../../errors.ts';
import { planFor } from '../check-launch.ts';
import { type ElementsContext, Room } from '../../elements.ts';
import { checkWrite } from '../check-write.ts';
import type { Device, DeviceStatistics, HostArray, LaunchObserver, Storage } from '../device.ts';
import { Ledger } from '../ledger.ts';
import { PlanCache } from '../plan-cache.ts';
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
  readonly #room = new Room(Float64Array);
  readonly #ledger = new Ledger<ReferenceStorage>(this);
  readonly #plans = new PlanCache(
    this,
    (kernel) => planFor(referencePlans, kernel, 'reference') as ReferencePlan<ParamValues>,
  );

  allocate(length: number, dtype: DType): Storage {
    this.#ledger.checkAlive('allocate');
    const bytes = length * (dtype === 'float32' ? 8 : 4);
    const buffer = this.#pool.take(bytes) ?? this.#makeBuffer(bytes);
    const values = dtype === 'float32' ? new Float64Array(buffer) : new Int32Array(buffer);
    values.fill(dtype === 'float32' ? NaN : UNSPECIFIED_INT);
    const id = this.#ledger.hold(bytes);
    const storage: ReferenceStorage = { id, device: this, dtype, length, references: 1, version: 0, values };
    return storage;
  }

  release(storage: Storage): void {
    if (this.#ledger.isDisposed) return;
    const own = this.#ledger.own(storage, 'release');
    const { buffer, byteLength } = own.values;
    if (this.#ledger.drop(own, byteLength)) this.#pool.give(byteLength, buffer);
  }

  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void {
    const own = this.#ledger.own(storage, 'write');
    own.values.set(checkWrite(own, values, source, this.#room));
    own.version++;
  }

  read(storage: Storage): Promise<HostArray> {
    return new Promise((resolve) => resolve(this.#ledger.own(storage, 'read').values.slice()));
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    this.#ledger.checkAlive(kernel.name);
    const launch = this.#plans.find(kernel, inputs, outputs, params);
    for (const output of outputs) output.version++;
    const observed = kernel as unknown as Kernel<never>;
    this.observer?.before?.(observed, params, 'reference');
    launch.plan(this.#arrays(launch.inputs, inputs), this.#arrays(launch.outputs, outputs), params);
    this.#ledger.launches++;
    this.observer?.after?.(observed, params, 'reference');
  }

  /** Launches end before they return, so there is nothing to wait for. */
  synchronize(): Promise<void> {
    return Promise.resolve();
  }

  statistics(): DeviceStatistics {
    return this.#ledger.statistics(this.#pool.bytes);
  }

  resetPeakBytes(): void {
    this.#ledger.resetPeakBytes();
  }

  trim(): void {
    this.#pool.drain(() => undefined);
  }

  dispose(): void {
    this.trim();
    this.#ledger.dispose();
  }

  #makeBuffer(bytes: number): ArrayBuffer {
    try {
      return new ArrayBuffer(bytes);
    } catch (cause) {
      throw new OutOfMemoryError('not enough memory for a buffer', {
        operation: 'allocate',
        given: `${bytes} bytes, with ${this.#ledger.held}`,
        cause,
      });
    }
  }

  /** The operands in the kernel's own shapes. */
  #arrays(operands: readonly Operand[], storages: Storage[]): ReferenceArray[] {
    return operands.map(({ shape }, i) => {
      const values: Float64Array | Int32Array = (storages[i] as ReferenceStorage).values;
      return ndarray(values, [...shape]);
    });
  }
}

/** A new reference device with its own pool. Throws nothing: it runs everywhere. */
export const createReferenceDevice = (): Device => new ReferenceDevice();
