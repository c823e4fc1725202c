import t from 'tap';
import { withWebGpu } from '../property/webgpu.ts';
import { testVariance } from './variance.ts';

await withWebGpu(t, (device) => testVariance(t, device));
