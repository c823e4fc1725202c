// The vectors of the DenseDepth specification on WebGPU.
import t from 'tap';
import { withWebGpu } from '../../property/webgpu.ts';
import { lossVectors } from './loss-vectors.ts';

await withWebGpu(t, (device) => lossVectors(t, device));
