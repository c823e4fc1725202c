// The vectors of the cross-stitch specification on WebGPU.
import t from 'tap';
import { withWebGpu } from '../property/webgpu.ts';
import { vectorChecks } from './cross-stitch-vectors.ts';

await withWebGpu(t, (device) => vectorChecks(t, device));
