// Operations and their gradients in WGSL against float64, on whatever adapter the Vulkan loader offers.
import t from 'tap';
import { withWebGpu } from './webgpu.ts';
import { testProperties } from './agreement.ts';

await withWebGpu(t, (device) => testProperties(t, [device], 20));
