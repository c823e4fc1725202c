import t from 'tap';
import { withWebGpu } from '../property/webgpu.ts';
import { elementsSuite } from './elements.ts';

await withWebGpu(t, (device) => elementsSuite(t, device));
