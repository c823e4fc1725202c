// The `meta` device: tensors have shapes and no values, launches are checked and counted and nothing is computed. A training
// step of a network of any size runs on it in milliseconds: its launches, arithmetic and the bytes it would hold at once are
// known before anything is bought. Reading gives zeros. `auto` never takes it.
import type { DType, Kernel, ParamValues } from '../../../kernels/kernel.ts';
import { DeviceError, UseAfterFreeError } from '../../errors.ts';
import { checkLaunch } from '../check-launch.ts';
import type { ElementsContext } from '../../elements.ts';
import { checkWrite } from '../check-write.ts';
import type { Device, DeviceStatistics, HostArray, LaunchObserver, Storage } from '../device.ts';

class MetaDevice implements Device {
  readonly name = 'meta';
  readonly description = 'meta (shapes only, nothing is computed)';
  readonly facts = { elementBytes: 4 };
  observer: LaunchObserver | undefined;
  readonly launchClock = 'none';
  #nextId = 1;
  #liveBuffers = 0;
  #liveBytes = 0;
  #peakBytes = 0;
  #launches = 0;
  #disposed = false;

  allocate(length: number, dtype: DType): Storage {
    this.#checkAlive('allocate');
    this.#liveBuffers++;
    this.#liveBytes += 4 * length;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return { id: this.#nextId++, device: this, dtype, length, references: 1, version: 0 };
  }

  release(storage: Storage): void {
    if (this.#disposed) return;
    this.#checkOwn(storage, 'release');
    if (--storage.references > 0) return;
    this.#liveBuffers--;
    this.#liveBytes -= 4 * storage.length;
  }

  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void {
    this.#checkOwn(storage, 'write');
    checkWrite(storage, values, source);
    storage.version++;
  }

  read(storage: Storage): Promise<HostArray> {
    return new Promise((resolve) => {
      this.#checkOwn(storage, 'read');
      resolve(storage.dtype === 'float32' ? new Float32Array(storage.length) : new Int32Array(storage.length));
    });
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    this.#checkAlive(kernel.name);
    checkLaunch(this, kernel, inputs, outputs, params);
    for (const output of outputs) output.version++;
    const observed = kernel as unknown as Kernel<never>;
    this.observer?.before?.(observed, params, 'meta');
    this.#launches++;
    this.observer?.after?.(observed, params, 'meta');
  }

  synchronize(): Promise<void> {
    return Promise.resolve();
  }

  statistics(): DeviceStatistics {
    return {
      liveBuffers: this.#liveBuffers,
      liveBytes: this.#liveBytes,
      peakBytes: this.#peakBytes,
      pooledBytes: 0,
      launches: this.#launches,
      submits: this.#launches,
    };
  }

  resetPeakBytes(): void {
    this.#peakBytes = this.#liveBytes;
  }

  /** There is no pool. */
  trim(): void {
    this.#checkAlive('trim');
  }

  dispose(): void {
    this.#disposed = true;
    this.#liveBuffers = 0;
    this.#liveBytes = 0;
  }

  #checkAlive(operation: string): void {
    if (this.#disposed) throw new DeviceError('the device has been disposed of', { operation });
  }

  #checkOwn(storage: Storage, operation: string): void {
    this.#checkAlive(operation);
    if (storage.device !== this) throw new DeviceError('the buffer belongs to another device', { operation });
    if (storage.references <= 0) throw new UseAfterFreeError('the buffer has been released', { operation });
  }
}

/** A device that counts launches and bytes and computes nothing. */
export const createMetaDevice = (): Device => new MetaDevice();
