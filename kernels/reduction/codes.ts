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
