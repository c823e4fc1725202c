// `wgrad/onnx`: modules as ONNX models and back. What is named here is public. An entry point of its own, so that the engine's file for
// browsers does without it.
export { exportOnnx, type ExportOnnxOptions, type OnnxInput, type OnnxModel } from './export.ts';
export { importOnnx, type ImportOnnxOptions, type OnnxBytes, onnxOperators, type OnnxSource } from './import.ts';
export { OnnxModule, type OnnxSize, type OnnxValue } from './module.ts';
export type { Forward } from './trace.ts';
