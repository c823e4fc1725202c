// The device that a choice stands for on this machine. WebGPU is looked for in a process of its own: what Dawn says on standard
// error when it starts is not for the user.
import { type ChildProcess, fork } from 'node:child_process';
import {
  createDevice,
  type DeviceChoice,
  DeviceError,
  type DeviceName,
  type ErrorDetails,
} from '../../engine/index.ts';
import { withoutDawnWarnings } from './dawn-warnings.ts';
import { workerProgram } from './pool.ts';

export interface DeviceFound {
  readonly name: DeviceName;
  readonly description: string;
  /** Why `auto` has passed WebGPU over; empty where it has not. */
  readonly why: string;
}

/** What a worker is asked for, and its answer. */
export interface DeviceQuestion {
  readonly probe: DeviceChoice;
}
export type DeviceAnswer =
  | { readonly type: 'device'; readonly found: DeviceFound }
  | { readonly type: 'no device'; readonly reason: string; readonly details: ErrorDetails };

/** Makes the device here, and lets go of it. Throws DeviceError. */
export async function findDevice(choice: DeviceChoice): Promise<DeviceFound> {
  let why = '';
  const device = await createDevice(choice, { threads: 1, why: (reason) => (why = reason) });
  const { name, description } = device;
  device.dispose();
  return { name, description, why };
}

/** For the worker. */
export async function answerQuestion({ probe }: DeviceQuestion): Promise<DeviceAnswer> {
  try {
    return { type: 'device', found: await findDevice(probe) };
  } catch (error) {
    const isKnown = error instanceof DeviceError;
    const { operation, expected, given, hint } = isKnown ? error.details : {};
    const reason = isKnown ? error.reason : error instanceof Error ? error.message : String(error);
    return { type: 'no device', reason, details: { operation, expected, given, hint } };
  }
}

/**
 * The device, with its description. Throws DeviceError with what to install. When `signal` is aborted the search ends at once, even
 * if a driver hangs, and its reason is thrown.
 */
export async function resolveDevice(choice: DeviceChoice, signal?: AbortSignal): Promise<DeviceFound> {
  signal?.throwIfAborted();
  if (choice !== 'auto' && choice !== 'webgpu') return findDevice(choice);
  // In a group of its own: Ctrl-C is for the parent to hear, even before the worker listens.
  const worker = fork(workerProgram(), [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
    detached: true,
  });
  const kill = (): void => void worker.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  process.once('exit', kill);
  try {
    const answer = await answerOf(worker, { probe: choice });
    signal?.throwIfAborted();
    if (answer.type === 'device') return answer.found;
    throw new DeviceError(answer.reason, answer.details);
  } finally {
    signal?.removeEventListener('abort', kill);
    process.off('exit', kill);
    if (worker.connected) worker.disconnect();
  }
}

function answerOf(worker: ChildProcess, question: DeviceQuestion): Promise<DeviceAnswer> {
  return new Promise((resolve) => {
    let complaint = '';
    worker.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    worker.once('message', (answer: DeviceAnswer) => resolve(answer));
    const died = (how: string): void =>
      resolve({
        type: 'no device',
        reason: `the process that looked for a device ended with ${how}`,
        details: { given: withoutDawnWarnings(complaint).trim() || undefined, hint: 'Try --device wasm' },
      });
    worker.once('exit', (code, signal) => died(signal ?? `status ${code}`));
    worker.once('error', (error) => died(error.message));
    worker.send(question);
  });
}
