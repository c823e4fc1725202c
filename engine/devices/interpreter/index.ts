// `wgrad/interpreter`: WGSL without a GPU, for who writes or studies a kernel. A device that runs the plans of `webgpu` and reports their
// faults, and the interpreter itself, for any compute shader of buffers.
export {
  createInterpreterDevice,
  InterpreterDevice,
  type InterpreterOptions,
  type LaunchFinding,
  type PassWatcher,
} from './device.ts';
export {
  type Access,
  type BoundBuffer,
  Dispatcher,
  type DispatchOptions,
  type Finding,
  type Invocation,
  Program,
  type ProgramOptions,
  ShaderError,
  showFinding,
  type Step,
  type Watcher,
} from '../../../kernels/interpreter/index.ts';
