// Choosing and compiling the WebAssembly module: with relaxed SIMD (fused multiply-add) where the engine has it, with a
// shared memory where threads can be had.
import relaxedBytes from '../../../dist/wasm/relaxed.wasm';
import relaxedSharedBytes from '../../../dist/wasm/relaxed-shared.wasm';
import simdBytes from '../../../dist/wasm/simd.wasm';
import simdSharedBytes from '../../../dist/wasm/simd-shared.wasm';
import { DeviceError } from '../../errors.ts';

export const isNode = typeof process === 'object' && process.versions?.node !== undefined;

const MAX_DEFAULT_THREADS = 16;

/** Threads of the processor, at most 16: small networks do not feed more. */
export async function defaultThreads(): Promise<number> {
  const found = isNode ? (await import('node:os')).availableParallelism() : navigator.hardwareConcurrency;
  return Math.max(1, Math.min(found || 1, MAX_DEFAULT_THREADS));
}

/** Node 20 has relaxed SIMD behind a flag, which may be set before the first module that needs it. */
async function hasRelaxedSimd(): Promise<boolean> {
  if (WebAssembly.validate(relaxedBytes)) return true;
  if (!isNode) return false;
  (await import('node:v8')).setFlagsFromString('--experimental-wasm-relaxed-simd');
  return WebAssembly.validate(relaxedBytes);
}

/** V8's major version with which Node 24 begins: the first whose wider vectors were found right and faster. */
const WIDENING_V8 = 13;

/**
 * Asks V8 to join neighbouring operations on 128 bits to one on 256 (AVX2), which changes no bit. It is asked before a module is
 * compiled, and holds for every module of the process. Measured on Node 24: 3x3 convolutions and their gradients 1.1 to 1.3 times as
 * fast, all else as before.
 */
async function askForWideVectors(): Promise<boolean> {
  if (!isNode || process.arch !== 'x64' || !(Number.parseInt(process.versions.v8) >= WIDENING_V8)) return false;
  try {
    (await import('node:v8')).setFlagsFromString('--experimental-wasm-revectorize');
    return true;
  } catch {
    // Another runtime in Node's clothes.
    return false;
  }
}

const hasThreads = (): boolean =>
  typeof SharedArrayBuffer === 'function' &&
  (isNode || typeof Worker === 'function') &&
  WebAssembly.validate(simdSharedBytes);

/** Builds of one set of kernels for one thread, with and without relaxed SIMD. */
export interface WasmModules {
  readonly simd: BufferSource;
  readonly relaxedSimd: BufferSource;
}

export interface LoadedModule {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly maximumPages: number;
  readonly relaxedSimd: boolean;
  readonly shared: boolean;
  /** V8 was asked to join operations to wider vectors. */
  readonly wide: boolean;
}

/** What is wanted where it can be had. */
export interface Wanted {
  readonly relaxedSimd: boolean;
  readonly wide: boolean;
  readonly threads: number;
}

/** Throws DeviceError where WebAssembly SIMD is missing. `own` takes the place of the library's kernels, on one thread. */
export async function loadModule(wanted: Wanted, own?: WasmModules): Promise<LoadedModule> {
  if (!WebAssembly.validate(simdBytes)) {
    throw new DeviceError('this JavaScript engine has no WebAssembly SIMD', { hint: "Use the 'reference' device" });
  }
  const relaxedSimd = wanted.relaxedSimd && (await hasRelaxedSimd());
  const wide = wanted.wide && (await askForWideVectors());
  const shared = wanted.threads > 1 && own === undefined && hasThreads();
  const bytes = shared ? (relaxedSimd ? relaxedSharedBytes : simdSharedBytes) : relaxedSimd ? relaxedBytes : simdBytes;
  const ownBytes = relaxedSimd ? own?.relaxedSimd : own?.simd;
  const module = await WebAssembly.compile(ownBytes ?? bytes);
  return { module, ...reserveMemory(shared), relaxedSimd, shared, wide };
}

/** The most that 32-bit addresses reach, or less where the engine does not reserve that much. */
function reserveMemory(shared: boolean): { memory: WebAssembly.Memory; maximumPages: number } {
  let cause: unknown;
  for (let maximumPages = 65536; maximumPages >= 4096; maximumPages /= 2) {
    try {
      return { memory: new WebAssembly.Memory({ initial: 1, maximum: maximumPages, shared }), maximumPages };
    } catch (error) {
      cause = error;
    }
  }
  throw new DeviceError('the engine provides no linear memory', { cause });
}
