// Codes of the pooling kernels shared by TypeScript, AssemblyScript and WGSL. Append, never reorder.

/** How the bin b of a pyramid divides an axis of n: see pyramid-pool.ts. */
export enum PyramidRule {
  adaptive = 0,
  fixedKernel = 1,
}
