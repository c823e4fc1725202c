// What a stitch matrix does, on WebGPU.
import t from 'tap';
import { withWebGpu } from '../property/webgpu.ts';
import { stitchChecks } from './cross-stitch.ts';

await withWebGpu(t, (device) => stitchChecks(t, device));
