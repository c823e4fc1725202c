// The `meta` device: tensors have shapes and no values, launches are checked and counted and nothing is computed. A training
// step of a network of any size runs on it in milliseconds: its launches, arithmetic and the bytes it would hold at once are
// known before anything is bought. Reading gives zeros. `auto` never takes it.
import type { DType, Kernel, ParamValues } from '../../../kernels/kernel.ts';
import type { ElementsContext } from '../../elements.ts';
import { checkWrite } from '../check-write.ts';
import type { Device, DeviceStatistics, HostArray, LaunchObserver, Storage } from '../device.ts';
import { Ledger } from '../ledger.ts';
import { PlanCache } from '../plan-cache.ts';

class MetaDevice implements Device {
  readonly name = 'meta';
  readonly description = 'meta (shapes only, nothing is computed)';
  readonly facts = { elementBytes: 4 };
  observer: LaunchObserver | undefined;
  readonly launchClock = 'none';
  readonly #ledger = new Ledger(this);
  /** Every kernel has the same plan. */
  readonly #plans = new PlanCache(this, () => undefined);

  allocate(length: number, dtype: DType): Storage {
    this.#ledger.checkAlive('allocate');
    return { id: this.#ledger.hold(4 * length), device: this, dtype, length, references: 1, version: 0 };
  }

  release(storage: Storage): void {
    if (this.#ledger.isDisposed) return;
    this.#ledger.drop(this.#ledger.own(storage, 'release'), 4 * storage.length);
  }

  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void {
    this.#ledger.own(storage, 'write');
    checkWrite(storage, values, source);
    storage.version++;
  }

  read(storage: Storage): Promise<HostArray> {
    return new Promise((resolve) => {
      this.#ledger.own(storage, 'read');
      resolve(storage.dtype === 'float32' ? new Float32Array(storage.length) : new Int32Array(storage.length));
    });
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    this.#ledger.checkAlive(kernel.name);
    this.#plans.find(kernel, inputs, outputs, params);
    for (const output of outputs) output.version++;
    const observed = kernel as unknown as Kernel<never>;
    this.observer?.before?.(observed, params, 'meta');
    this.#ledger.launches++;
    this.observer?.after?.(observed, params, 'meta');
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
