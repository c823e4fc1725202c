// wgrad's engine: tensors, the tape, devices, operations, modules and optimisers. What is named here is public.
/// <reference lib="esnext.disposable" preserve="true" />
import './ops/methods.ts';
import { completeEngine } from './operation.ts';

export {
  defaultDevice,
  full,
  ones,
  onesLike,
  parameter,
  setDefaultDevice,
  tensor,
  type TensorOptions,
  toDevice,
  type Value,
  type Values,
  zeros,
  zerosLike,
} from './creation.ts';
export { arange, eye, linspace, rand, randn, type RandomTensorOptions } from './sequences.ts';
export { detectAnomaly } from './anomaly.ts';
export {
  ConfigError,
  DataError,
  DeviceError,
  DeviceLostError,
  DTypeError,
  type ErrorDetails,
  NonFiniteError,
  OutOfMemoryError,
  RecomputationError,
  ShapeError,
  StateDictError,
  UseAfterFreeError,
  WgradError,
  WriteError,
} from './errors.ts';
export { gradEnabled, noGrad } from './grad-mode.ts';
export { grad, type BackwardOptions } from './backward.ts';
export type { Gradients, Vjp, VjpContext } from './tape.ts';
export { compile, type Compiled, type CompileOptions, type CompileStatistics } from './compile/compile.ts';
export type { LaunchText, MemoryText, ProgramText } from './compile/text.ts';
export { checkpoint } from './recomputation.ts';
export { scope, tidy, type Scope } from './scope.ts';
export { largestHolders, liveTensorCount, Parameter, Tensor, trackTensors } from './tensor.ts';
export {
  type About,
  type Apply,
  defineComposite,
  defineOperation,
  type Operation,
  type OperationEntry,
  type OperationObserver,
  type OperationPart,
  observeOperations,
  type OutputSpec,
  registry,
} from './operation.ts';
export * from './ops/public.ts';
export * from './optim/index.ts';
/** Modules: layers, containers and initialisers. */
export * as nn from './nn/index.ts';
export { manualSeed } from './seed.ts';
export type { StateDict, StateEntry, LoadOptions, LoadReport } from './nn/module.ts';
export { Random, random } from './random.ts';
export * from './io/safetensors.ts';
export * from './io/state-dict.ts';
export * from './io/checkpoint.ts';
export type { Device, DeviceName, DeviceStatistics, HostArray } from './devices/device.ts';
export type { GpuBufferLike, GpuDeviceLike } from './devices/gpu-types.ts';
export { tensorFromBuffer, tensorToBuffer } from './gpu-buffers.ts';
export { createDevice, type DeviceChoice, deviceChoices, type DeviceOptions } from './devices/create.ts';
export {
  gradcheck,
  gradgradcheck,
  type Differentiable,
  type GradcheckFailure,
  type GradcheckOptions,
} from './gradcheck.ts';
export type * from './profile/profile.ts';
export { profiled, type ProfileOptions, Profiler } from './profile/profiler.ts';
export * from './profile/summary.ts';
export * from './profile/trace.ts';
export { region } from './profile/work.ts';
/** Kernels and their descriptions, for operations of one's own. */
export * as kernels from '../kernels/index.ts';
export type { DType } from '../kernels/index.ts';
export type { OwnPlans, ReferencePlan, WasmPlanner, WebGpuPlan, WebGpuPlanner } from '../kernels/plan.ts';
export type { Tuning, TuningEntry, TuningTable } from '../kernels/tuning.ts';

completeEngine();
