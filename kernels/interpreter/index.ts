// A WGSL interpreter for compute shaders of buffers: compiles a module to JavaScript, runs it workgroup by workgroup with the arithmetic
// of WGSL, and reports data races, barriers in non-uniform control flow and indices outside of arrays. Knows no device.
export { Dispatcher, type BoundBuffer, type DispatchOptions, type Step, type Watcher } from './dispatch.ts';
export { type Finding, type Invocation, showFinding } from './findings.ts';
export type { Access } from './memory.ts';
export { Program, type ProgramOptions } from './program.ts';
export { ShaderError } from './syntax.ts';
