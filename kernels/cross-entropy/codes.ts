// Codes of the cross-entropy kernels shared by TypeScript, AssemblyScript and WGSL. Append, never reorder.

/** What becomes of the losses of all pixels. */
export enum PixelReduction {
  none = 0,
  sum = 1,
  mean = 2,
}
