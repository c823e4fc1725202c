// Constants of batch normalisation shared by TypeScript and AssemblyScript.

/** Elements of one channel that one task adds up on the wasm device. Parts are fixed, so that threads change no bit. */
export const batchNormPartElements = 8192;

/** Rows of neighbouring channels that one task adds up there: sixteen channels of them fill the nearest cache. */
export const batchNormPartRows = 512;
