// `navigator.gpu` on Node: Dawn from the npm package `webgpu`, in the version that wgrad itself runs on.

/** Puts it in place. Returns the adapter's description, by which the benchmark tells that all run on the same one. */
export async function installWebGpu() {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('there is no WebGPU adapter');
  Object.defineProperty(globalThis, 'navigator', {
    value: { userAgent: 'node', hardwareConcurrency: 1, gpu },
    configurable: true,
    writable: true,
  });
  return adapter.info.description;
}
