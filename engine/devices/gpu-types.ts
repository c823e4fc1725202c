// Types of WebGPU in wgrad's declarations, which a program without such types must be able to read too.

/** GPUDevice, where the program has WebGPU's types: of TypeScript's DOM library or of @webgpu/types. */
export type GpuDeviceLike = typeof globalThis extends { GPUDevice: { prototype: infer Known } } ? Known : object;

/** GPUBuffer, where the program has WebGPU's types. */
export type GpuBufferLike = typeof globalThis extends { GPUBuffer: { prototype: infer Known } } ? Known : object;
