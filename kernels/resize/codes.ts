// Codes of resize shared by TypeScript, AssemblyScript and WGSL. Append, never reorder.

export enum ResizeMode {
  nearest = 0,
  bilinear = 1,
}
