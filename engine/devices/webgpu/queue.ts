// The order of everything that reaches the GPU. Launches and copies are recorded into a batch; a batch becomes one command
// buffer with, as a rule, one compute pass and one write of all parameter blocks. A batch waits until its pipelines have
// been compiled, and later batches wait behind it. Errors are collected and re-thrown by `check`.
import { callSite, DeviceError, DeviceLostError, OutOfMemoryError } from '../../errors.ts';
import type { LaunchTimer } from '../device.ts';
import { PARAMETER_WINDOW, usage } from './buffers.ts';
import type { PendingPipeline } from './pipelines.ts';
import { GpuClock, type TimedLaunches } from './timestamps.ts';

/** What an error message says about a launch. `stack` holds the call's frames; they become text only if an error needs it. */
export interface LaunchRecord {
  readonly label: string;
  readonly stack: { readonly stack?: string } | undefined;
  /** Told when the launch began and ended. */
  readonly timer: LaunchTimer | undefined;
}

export interface Dispatch {
  readonly kind: 'dispatch';
  readonly pipeline: PendingPipeline;
  readonly group: GPUBindGroup;
  /** Byte offset of the parameter block, from `parameters`. */
  readonly offset: number;
  readonly workgroups: readonly [number, number, number];
  readonly launch: LaunchRecord;
}

export interface Copy {
  readonly kind: 'copy';
  readonly source: GPUBuffer;
  readonly target: GPUBuffer;
  readonly bytes: number;
}

interface Batch {
  readonly serial: number;
  readonly commands: (Dispatch | Copy)[];
  readonly parameters: Int32Array<ArrayBuffer>;
  parameterBytes: number;
  launches: number;
  /** Some launch of it wants to know its time. */
  isTimed: boolean;
  /** Run right after the submit. */
  readonly after: (() => void)[];
}

/** Launches per command buffer: enough for a training step in a few, few enough that the GPU starts early. */
const MOST_LAUNCHES = 512;
const PARAMETER_BYTES = MOST_LAUNCHES * PARAMETER_WINDOW;
const SCOPES = ['out-of-memory', 'internal', 'validation'] as const;

export class CommandQueue {
  readonly parameterBuffer: GPUBuffer;
  submits = 0;
  readonly #device: GPUDevice;
  readonly #alignment: number;
  readonly #waiting: Batch[] = [];
  readonly #checks = new Set<Promise<void>>();
  /** Rooms for parameters of batches that have been submitted. */
  readonly #rooms: Int32Array<ArrayBuffer>[] = [];
  #batch: Batch;
  #submitted = 0;
  #stalled: Promise<void> | undefined;
  #error: Error | undefined;
  #lost: string | undefined;
  #clock: GpuClock | undefined;

  /** On a device that `isShared`, errors that no scope catches are somebody else's. */
  constructor(device: GPUDevice, isShared: boolean) {
    this.#device = device;
    this.#alignment = device.limits.minUniformBufferOffsetAlignment;
    this.parameterBuffer = device.createBuffer({
      label: 'parameters',
      size: PARAMETER_BYTES + PARAMETER_WINDOW,
      usage: usage.uniform | usage.copyTarget,
    });
    this.#batch = this.#newBatch(1);
    device.lost.then(
      (info) => (this.#lost = info.message || info.reason),
      () => undefined,
    );
    if (isShared) return;
    device.addEventListener('uncapturederror', (event) => {
      this.#error ??= new DeviceError((event as GPUUncapturedErrorEvent).error.message, { operation: 'webgpu' });
    });
  }

  /** Serial of the batch that is being recorded. */
  get recording(): number {
    return this.#batch.serial;
  }

  /** Serial of the newest batch that the GPU has been given. */
  get submitted(): number {
    return this.#submitted;
  }

  /** Throws DeviceLostError once the adapter is gone. */
  checkLost(operation: string): void {
    if (this.#lost === undefined) return;
    throw new DeviceLostError(this.#lost, { operation, hint: 'Its tensors are gone. Create a new device' });
  }

  /** Adds a parameter block to the batch being recorded and returns its byte offset. */
  parameters(words: Int32Array): number {
    const bytes = Math.ceil(words.byteLength / this.#alignment) * this.#alignment;
    if (words.byteLength > PARAMETER_WINDOW)
      throw new RangeError(`a parameter block of ${words.length} words is too long`);
    if (this.#batch.parameterBytes + bytes > PARAMETER_BYTES) this.flush();
    const offset = this.#batch.parameterBytes;
    this.#batch.parameterBytes += bytes;
    this.#batch.parameters.set(words, offset / 4);
    return offset;
  }

  record(command: Dispatch | Copy): void {
    this.#batch.commands.push(command);
    if (command.kind === 'dispatch' && command.launch.timer) this.#batch.isTimed = true;
  }

  /** Ends a launch: all its commands have been recorded. */
  endLaunch(): void {
    if (++this.#batch.launches >= MOST_LAUNCHES) this.flush();
  }

  /** Runs `work` when the batch being recorded has been submitted. */
  afterSubmit(work: () => void): void {
    this.#batch.after.push(work);
  }

  /** Closes the batch being recorded. It is submitted now, or as soon as its pipelines are there. */
  flush(): void {
    if (this.#batch.commands.length === 0 && this.#batch.after.length === 0) return;
    this.#waiting.push(this.#batch);
    this.#batch = this.#newBatch(this.#batch.serial + 1);
    this.#pump();
  }

  /** Resolves when the batch of this serial has been submitted. */
  async whenSubmitted(serial: number): Promise<void> {
    while (this.#submitted < serial && this.#stalled) await this.#stalled;
  }

  /** Waits for the driver's answers so far and throws the first error among them, once. */
  async check(operation: string): Promise<void> {
    while (this.#checks.size > 0) await Promise.all(this.#checks);
    await this.#clock?.settled();
    const error = this.#error;
    this.#error = undefined;
    if (error && this.#lost === undefined) throw error;
    this.checkLost(operation);
  }

  /** Watches what `work` asks of the device, and keeps the first error. */
  guard<T>(work: () => T, describe: (message: string) => string | Promise<string>): T {
    for (const scope of SCOPES) this.#device.pushErrorScope(scope);
    const result = work();
    for (const scope of [...SCOPES].reverse()) this.#watch(this.#device.popErrorScope(), scope, describe);
    return result;
  }

  #watch(
    answer: Promise<GPUError | null>,
    scope: GPUErrorFilter,
    describe: (message: string) => string | Promise<string>,
  ): void {
    const check = answer.then(
      async (error) => {
        if (!error) return;
        const ErrorType = scope === 'out-of-memory' ? OutOfMemoryError : DeviceError;
        const message = await describe(error.message);
        this.#error ??= new ErrorType(message);
      },
      () => undefined, // the device has been lost, which `check` reports
    );
    this.#checks.add(check);
    void check.then(() => this.#checks.delete(check));
  }

  #newBatch(serial: number): Batch {
    const parameters = this.#rooms.pop() ?? new Int32Array(PARAMETER_BYTES / 4);
    return { serial, commands: [], parameters, parameterBytes: 0, launches: 0, isTimed: false, after: [] };
  }

  #pump(): void {
    if (this.#stalled) return;
    for (let batch = this.#waiting[0]; batch; batch = this.#waiting[0]) {
      const compiling = new Set<Promise<void>>();
      for (const command of batch.commands) {
        if (command.kind !== 'dispatch') continue;
        const { pipeline } = command;
        if (!pipeline.pipeline && !pipeline.error) compiling.add(pipeline.ready);
      }
      if (compiling.size > 0) {
        this.#stalled = Promise.all(compiling).then(() => {
          this.#stalled = undefined;
          this.#pump();
        });
        return;
      }
      this.#waiting.shift();
      this.#submit(batch);
    }
  }

  #submit(batch: Batch): void {
    const timed = batch.isTimed ? (this.#clock ??= new GpuClock(this.#device, MOST_LAUNCHES)).begin() : undefined;
    this.guard(
      () => {
        if (batch.parameterBytes > 0) {
          this.#device.queue.writeBuffer(this.parameterBuffer, 0, batch.parameters.buffer, 0, batch.parameterBytes);
        }
        this.#device.queue.submit([this.#encode(batch.commands, timed)]);
      },
      (message) => this.#blame(batch, message),
    );
    this.#rooms.push(batch.parameters); // writeBuffer has copied them
    this.submits++;
    this.#submitted = batch.serial;
    if (timed) this.#clock!.read(timed);
    for (const work of batch.after) work();
  }

  /** Encodes each dispatch of a refused batch by itself, to find the launch that was to blame. */
  async #blame(batch: Batch, message: string): Promise<string> {
    for (const command of batch.commands) {
      if (command.kind !== 'dispatch') continue;
      this.#device.pushErrorScope('validation');
      this.#encode([command]);
      const error = await this.#device.popErrorScope();
      if (error) return describeLaunch(command.launch, error.message);
    }
    return message.trim();
  }

  /** A timed launch has a pass of its own; all others share one between two copies. */
  #encode(commands: readonly (Dispatch | Copy)[], timed?: TimedLaunches): GPUCommandBuffer {
    const encoder = this.#device.createCommandEncoder();
    let pass: GPUComputePassEncoder | undefined;
    let timer: LaunchTimer | undefined;
    let current: GPUComputePipeline | undefined;
    for (const command of commands) {
      if (command.kind === 'copy') {
        pass?.end();
        pass = undefined;
        encoder.copyBufferToBuffer(command.source, 0, command.target, 0, command.bytes);
        continue;
      }
      const { pipeline, error } = command.pipeline;
      if (!pipeline) {
        this.#error ??= new DeviceError(describeLaunch(command.launch, error?.message ?? 'no pipeline'));
        continue;
      }
      if (timed && command.launch.timer !== timer) {
        pass?.end();
        pass = undefined;
      }
      if (!pass) {
        timer = timed && command.launch.timer;
        pass = encoder.beginComputePass(timer && { timestampWrites: this.#clock!.writes(timed!, timer) });
        current = undefined;
      }
      if (pipeline !== current) pass.setPipeline(pipeline);
      current = pipeline;
      pass.setBindGroup(0, command.group, [command.offset]);
      pass.dispatchWorkgroups(...command.workgroups);
    }
    pass?.end();
    if (timed) this.#clock!.resolve(encoder, timed);
    return encoder.finish();
  }
}

function describeLaunch({ label, stack }: LaunchRecord, message: string): string {
  const site = stack && callSite(stack.stack);
  const hint = stack ? '' : '. Open the device with { debug: true } to see the line that launched it';
  return `${label}: ${message.trim()}${site ? ` [launched at ${site}]` : hint}`;
}
