// What planners are told of an adapter, for tests without one.
import type { WebGpuFacts } from '../../kernels/plan.ts';

/** A graphics processor with subgroups of 32. */
export const hardware: WebGpuFacts = {
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupStorageSize: 32768,
  maxStorageBufferBindingSize: 2 ** 31,
  subgroups: true,
  subgroupMinSize: 32,
  vendor: 'nvidia',
  architecture: 'ada',
  software: false,
};
