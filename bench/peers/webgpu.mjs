// `navigator.gpu` on Node: Dawn from the npm package `webgpu` of the checkout, the one that wgrad itself runs on.
export async function installWebGpu() {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  if (!(await gpu.requestAdapter())) throw new Error('there is no WebGPU adapter');
  Object.defineProperty(globalThis, 'navigator', {
    value: { userAgent: 'node', hardwareConcurrency: 1, gpu },
    configurable: true,
    writable: true,
  });
}
