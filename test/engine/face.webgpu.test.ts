// Operations beside PyTorch in WGSL, on whatever adapter the Vulkan loader offers.
import t from 'tap';
import { withWebGpu } from '../property/webgpu.ts';
import { faceChecks } from './face.ts';

await withWebGpu(t, (device) => faceChecks(t, device, 1e-5));
