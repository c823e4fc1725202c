import t from 'tap';
import { testExtremes } from './extremes.ts';
import { withWebGpu } from './webgpu.ts';

await withWebGpu(t, (device) => testExtremes(t, device));
