// The `meta` device: tensors have shapes and no values, launches are checked and counted and nothing is computed. A training
// step of a network of any size runs on it in milliseconds: its launches, arithmetic and the bytes it would hold at once are
// known before anything is bought. Reading gives zeros. `auto` never takes it.
import type { DType, Kernel, ParamValues } from '../../../kernels/kernel.ts';
import type { ElementsContext } from '../../elements.ts';
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

class MetaDevice implements Device {
  readonly name = 'meta';
  readonly description = 'meta (shapes only, nothing is computed)';
  readonly facts = { elementBytes: 4 };
  observer: LaunchObserver | undefined;
  doorkeeper: Doorkeeper | undefined;
  readonly launchClock = 'none';
  readonly division: Division = { elementBytes: 4, viewBytes: (length) => Math.max(4, 4 * length), hasOffsets: true };
  readonly #ledger = new Ledger(this);
  /** Every kernel has the same plan. */
  readonly #plans = new PlanCache(this, () => undefined);

  allocate(length: number, dtype: DType): Storage {
    if (this.doorkeeper) return this.doorkeeper.allocate(length, dtype);
    this.#ledger.checkAlive('allocate');
    return { id: this.#ledger.hold(4 * length), device: this, dtype, length, references: 1, version: 0 };
  }

  release(storage: Storage): void {
    if (this.#ledger.isDisposed) return;
    const own = this.#ledger.own(storage, 'release');
    if (!this.#ledger.drop(own, own.parent ? 0 : 4 * own.length)) return;
    this.doorkeeper?.released(own);
    if (own.parent) this.release(own.parent);
  }

  view(parent: Storage, _offset: number, length: number, dtype: DType): Storage {
    this.#ledger.own(parent, 'view').references++;
    return { id: this.#ledger.hold(0), device: this, dtype, length, references: 1, version: 0, parent };
  }

  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void {
    if (this.doorkeeper) return this.doorkeeper.write(storage, values, source);
    this.#ledger.own(storage, 'write');
    checkWrite(storage, values, source);
    storage.version++;
  }

  read(storage: Storage): Promise<HostArray> {
    this.doorkeeper?.reads(storage);
    return new Promise((resolve) => {
      this.#ledger.own(storage, 'read');
      resolve(storage.dtype === 'float32' ? new Float32Array(storage.length) : new Int32Array(storage.length));
    });
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    if (this.doorkeeper) return this.doorkeeper.launch(kernel, inputs, outputs, params);
    this.#ledger.checkAlive(kernel.name);
    this.#plans.find(kernel, inputs, outputs, params);
    this.#launch(kernel as unknown as Kernel<never>, params, outputs);
  }

  prepare<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): PreparedLaunch {
    this.#ledger.checkAlive(kernel.name);
    this.#plans.find(kernel, inputs, outputs, params);
    const any = kernel as unknown as Kernel<never>;
    return new PreparedPlan('meta', any, params, this.#plans.words.slice(), (tuned) => {
      this.#ledger.checkAlive(kernel.name);
      this.#launch(any, tuned, outputs);
    });
  }

  synchronize(): Promise<void> {
    return Promise.resolve();
  }

  statistics(): DeviceStatistics {
    return this.#ledger.statistics(0);
  }

  resetPeakBytes(): void {
    this.#ledger.resetPeakBytes();
  }

  #launch(kernel: Kernel<never>, params: ParamValues, outputs: readonly Storage[]): void {
    for (const output of outputs) output.version++;
    this.observer?.before?.(kernel, params, 'meta');
    this.#ledger.launches++;
    this.observer?.after?.(kernel, params, 'meta');
  }

  /** There is no pool. */
  trim(): void {
    this.#ledger.checkAlive('trim');
  }

  dispose(): void {
    this.#ledger.dispose();
  }
}

/** A device that counts launches and bytes and computes nothing. */
export const createMetaDevice = (): Device => new MetaDevice();
