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
import type {
  Device,
  DeviceStatistics,
  Division,
  Doorkeeper,
  HostArray,
  LaunchObserver,
  PreparedLaunch,
  Storage,
} from '../device.ts';
import { Ledger } from '../ledger.ts';
import { PlanCache } from '../plan-cache.ts';
import { PreparedPlan } from '../prepared.ts';
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
  doorkeeper: Doorkeeper | undefined;
  readonly launchClock = 'host';
  readonly division: Division = { elementBytes: 8, viewBytes: (length) => Math.max(8, 8 * length), hasOffsets: true };
  readonly #pool = new ExactSizePool<ArrayBuffer>();
  readonly #room = new Room(Float64Array);
  readonly #ledger = new Ledger<ReferenceStorage>(this);
  readonly #plans = new PlanCache(
    this,
    (kernel) => planFor(referencePlans, kernel, 'reference') as ReferencePlan<ParamValues>,
  );

  allocate(length: number, dtype: DType): Storage {
    if (this.doorkeeper) return this.doorkeeper.allocate(length, dtype);
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
    if (!this.#ledger.drop(own, own.parent ? 0 : byteLength)) return;
    this.doorkeeper?.released(own);
    if (own.parent) this.release(own.parent);
    else this.#pool.give(byteLength, buffer);
  }

  view(parent: Storage, offset: number, length: number, dtype: DType): Storage {
    const { buffer } = this.#ledger.own(parent, 'view').values;
    parent.references++;
    const values =
      dtype === 'float32' ? new Float64Array(buffer, offset, length) : new Int32Array(buffer, offset, length);
    const id = this.#ledger.hold(0);
    const own: ReferenceStorage = { id, device: this, dtype, length, references: 1, version: 0, parent, values };
    return own;
  }

  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void {
    if (this.doorkeeper) return this.doorkeeper.write(storage, values, source);
    const own = this.#ledger.own(storage, 'write');
    own.values.set(checkWrite(own, values, source, this.#room));
    own.version++;
  }

  read(storage: Storage): Promise<HostArray> {
    this.doorkeeper?.reads(storage);
    return new Promise((resolve) => resolve(this.#ledger.own(storage, 'read').values.slice()));
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    if (this.doorkeeper) return this.doorkeeper.launch(kernel, inputs, outputs, params);
    this.prepare(kernel, inputs, outputs, params).run();
  }

  prepare<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): PreparedLaunch {
    this.#ledger.checkAlive(kernel.name);
    const launch = this.#plans.find(kernel, inputs, outputs, params);
    const any = kernel as unknown as Kernel<never>;
    const [from, to] = [this.#arrays(launch.inputs, inputs), this.#arrays(launch.outputs, outputs)];
    return new PreparedPlan('reference', any, params, this.#plans.words.slice(), (tuned) => {
      this.#ledger.checkAlive(kernel.name);
      for (const output of outputs) output.version++;
      this.observer?.before?.(any, tuned, 'reference');
      launch.plan(from, to, tuned);
      this.#ledger.launches++;
      this.observer?.after?.(any, tuned, 'reference');
    });
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
