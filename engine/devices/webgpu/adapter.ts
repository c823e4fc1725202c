// Finding a WebGPU adapter: `navigator.gpu` in browsers and Deno, Dawn (npm package `webgpu`) in Node. Also the probe that
// describes what is there without throwing. Leaves out everything after the GPUDevice has been made.
import { DeviceError } from '../../errors.ts';

export interface WebGpuOptions {
  /** false refuses a software adapter (llvmpipe, SwiftShader). By default one is taken where there is no hardware. */
  software?: boolean;
  /** The WebGPU entry point, for hosts that keep it elsewhere than in `navigator.gpu`. */
  gpu?: GPU;
  /** A device that is there already: it is used as it is, and stays its owner's. */
  device?: GPUDevice;
}

/** What `probeWebGpu` found. `problem` says why there is no adapter and what to install. */
export interface WebGpuProbe {
  available: boolean;
  problem?: string;
  software?: boolean;
  description?: string;
  vendor?: string;
  architecture?: string;
  features?: string[];
  limits?: Record<string, number>;
}

const noPackage = 'Install the optional package with `npm install webgpu`';
const noAdapter =
  'A Vulkan, Metal or Direct3D 12 driver is needed. For a software adapter on Debian install libvulkan1 and ' +
  'mesa-vulkan-drivers of version 25 or later (bookworm-backports), or point VK_ICD_FILENAMES at the ' +
  'vk_swiftshader_icd.json of the chromium package';

const noBrowserAdapter =
  'Chromium on Linux hides some behind chrome://flags/#enable-unsafe-webgpu; the wasm device needs no adapter';

/** Limits worth having in full. The others keep WebGPU's defaults, which some drivers run faster with. */
const wantedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const;

const wantedFeatures = ['subgroups', 'timestamp-query', 'shader-f16'] as const;

/** Dawn's instance. It must outlive everything made from it: Node crashes when it is collected while work is under way. */
let dawn: GPU | undefined;

const isNode = (): boolean => typeof process === 'object' && process.versions?.node !== undefined;

const isModuleMissing = (error: unknown): boolean =>
  error instanceof Error &&
  /ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND/.test((error as Error & { code?: string }).code ?? '');

async function entryPoint(options: WebGpuOptions): Promise<GPU> {
  if (options.gpu) return options.gpu;
  const host = globalThis as { navigator?: { gpu?: GPU } };
  if (host.navigator?.gpu) return host.navigator.gpu;
  if (!isNode()) {
    const hint = 'Browsers have it only over https and on localhost; the wasm device works without';
    throw new DeviceError('this browser has no WebGPU', { operation: 'webgpu', hint });
  }
  try {
    const { create } = await import('webgpu');
    // Dawn makes the steps of the GPU's clock coarse against spying, which has no place here.
    dawn ??= create(['disable-dawn-features=timestamp_quantization']);
    return dawn;
  } catch (cause) {
    const missing = isModuleMissing(cause);
    throw new DeviceError(missing ? 'the npm package `webgpu` is not installed' : 'Dawn could not be loaded', {
      operation: 'webgpu',
      hint: missing ? noPackage : noAdapter,
      cause,
    });
  }
}

/** Software adapters say so, or are known by their name. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  const name = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bsoftware\b/i.test(name);
}

export const describeAdapter = (info: GPUAdapterInfo): string =>
  [info.description || info.device || info.architecture, info.vendor && `(${info.vendor})`].filter(Boolean).join(' ');

/** Throws DeviceError with what to install if no adapter fits. */
export async function findAdapter(options: WebGpuOptions): Promise<GPUAdapter> {
  const gpu = await entryPoint(options);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    const hint = isNode() ? noAdapter : noBrowserAdapter;
    throw new DeviceError('there is no WebGPU adapter', { operation: 'webgpu', hint });
  }
  if (options.software === false && isSoftware(adapter.info)) {
    throw new DeviceError('there is no hardware adapter', {
      operation: 'webgpu',
      given: describeAdapter(adapter.info),
      hint: "Ask for 'webgpu' by name to use the software adapter",
    });
  }
  return adapter;
}

export function grantedLimits(limits: GPUSupportedLimits): Record<string, number> {
  return Object.fromEntries(wantedLimits.map((name) => [name, limits[name]]));
}

/** What the shaders need: WebGPU's defaults, below which only a device of compatibility mode is. */
const neededLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 16384,
} as const;

/** Throws DeviceError, with what to request, where a device that somebody else made is below what the shaders need. */
export function checkLimits({ limits }: GPUDevice): void {
  const names = (Object.keys(neededLimits) as (keyof typeof neededLimits)[]).filter(
    (name) => limits[name] < neededLimits[name],
  );
  if (names.length === 0) return;
  const list = (of: Readonly<Record<string, unknown>>): string =>
    names.map((name) => `${name}: ${of[name]}`).join(', ');
  throw new DeviceError('the GPUDevice was made with too low limits', {
    operation: 'createDevice',
    argument: 'device',
    expected: list(neededLimits),
    given: list(limits as unknown as Record<string, unknown>),
    hint: `requestDevice({ requiredLimits: { ${list(neededLimits)} } })`,
  });
}

/** A device with the adapter's own limits and the features that kernels or the profiler use. */
export function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  return adapter.requestDevice({
    label: 'wgrad',
    requiredFeatures: wantedFeatures.filter((feature) => adapter.features.has(feature)),
    requiredLimits: grantedLimits(adapter.limits),
  });
}

/** Describes the adapter that `createWebGpuDevice` would take. Never throws. */
export async function probeWebGpu(options: WebGpuOptions = {}): Promise<WebGpuProbe> {
  try {
    const { info, features, limits } = await findAdapter(options);
    return {
      available: true,
      software: isSoftware(info),
      description: describeAdapter(info),
      vendor: info.vendor,
      architecture: info.architecture,
      features: [...features].sort(),
      limits: grantedLimits(limits),
    };
  } catch (error) {
    return { available: false, problem: error instanceof Error ? error.message : String(error) };
  }
}
