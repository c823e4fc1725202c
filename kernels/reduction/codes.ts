// Reduction codes shared by TypeScript, AssemblyScript and WGSL. Append, never reorder.

export enum Reduction {
  sum = 0,
  mean = 1,
  max = 2,
  min = 3,
}

export enum ArgReduction {
  max = 0,
  min = 1,
}

/** Elements of one part of a long reduction on the wasm device. Parts are fixed, so that results do not depend on threads. */
export const reducePartElements = 32768;
