// What every device keeps account of: whose a buffer is and whether it may still be used, how many of them and how many bytes
// tensors hold, and whether the device itself is still there.
import { DeviceError, UseAfterFreeError } from '../errors.ts';
import type { Device, DeviceStatistics, Storage } from './device.ts';

export class Ledger<Own extends Storage = Storage> {
  launches = 0;
  readonly #device: Device;
  readonly #checkLost: (operation: string) => void;
  #nextId = 1;
  #liveBuffers = 0;
  #liveBytes = 0;
  #peakBytes = 0;
  #disposed = false;

  /** `checkLost` throws where the device has gone by itself. */
  constructor(device: Device, checkLost: (operation: string) => void = () => undefined) {
    this.#device = device;
    this.#checkLost = checkLost;
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** What is held, for errors about memory. */
  get held(): string {
    return `${this.#liveBytes} bytes held in ${this.#liveBuffers} buffers`;
  }

  /** Counts a buffer of so many bytes that a tensor holds from now on, and returns its id. */
  hold(bytes: number): number {
    this.#liveBuffers++;
    this.#liveBytes += bytes;
    if (this.#liveBytes > this.#peakBytes) this.#peakBytes = this.#liveBytes;
    return this.#nextId++;
  }

  /** Drops a reference to a buffer of so many bytes. True if it was the last one: nothing holds the buffer any more. */
  drop(storage: Own, bytes: number): boolean {
    if (--storage.references > 0) return false;
    this.#liveBuffers--;
    this.#liveBytes -= bytes;
    return true;
  }

  /**
   * The storage as the device's own, which can be let go of on a lost device too. Throws DeviceError for that of another device
   * and UseAfterFreeError for a released one.
   */
  own(storage: Storage, operation: string): Own {
    this.#checkNotDisposed(operation);
    if (storage.device !== this.#device) {
      throw new DeviceError('the buffer belongs to another device', { operation });
    }
    if (storage.references <= 0) throw new UseAfterFreeError('the buffer has been released', { operation });
    return storage as Own;
  }

  /** Throws DeviceError once the device has been disposed of, or is lost. */
  checkAlive(operation: string): void {
    this.#checkNotDisposed(operation);
    this.#checkLost(operation);
  }

  /** Command buffers submitted are launches where a device does not gather them. */
  statistics(pooledBytes: number, submits = this.launches): DeviceStatistics {
    return {
      liveBuffers: this.#liveBuffers,
      liveBytes: this.#liveBytes,
      peakBytes: this.#peakBytes,
      pooledBytes,
      launches: this.launches,
      submits,
    };
  }

  resetPeakBytes(): void {
    this.#peakBytes = this.#liveBytes;
  }

  /** Nothing is held any more, and nothing may be asked of the device. */
  dispose(): void {
    this.#disposed = true;
    this.#liveBuffers = 0;
    this.#liveBytes = 0;
  }

  #checkNotDisposed(operation: string): void {
    if (this.#disposed) throw new DeviceError('the device has been disposed of', { operation });
  }
}
