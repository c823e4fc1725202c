// Constants of SSIM shared by TypeScript and AssemblyScript.

/** Columns of a plane that the wasm kernels take at a time; a multiple of eight. */
export const ssimBlockColumns = 128;

/** Words between two rows of scratch: a block, twice a window less one to its left, and rounding up. */
export const ssimRowWords = 384;
