import t from 'tap';
import { testIeee } from './ieee.ts';
import { withWebGpu } from './webgpu.ts';

await withWebGpu(t, (device) => testIeee(t, device));
