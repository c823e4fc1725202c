import t from 'tap';
import { withWebGpu } from '../property/webgpu.ts';
import { testLossEdges } from './loss-edges.ts';

await withWebGpu(t, (device) => testLossEdges(t, device));
