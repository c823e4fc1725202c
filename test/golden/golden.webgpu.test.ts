import t from 'tap';
import { goldenSuite } from './golden.ts';

await goldenSuite(t, 'webgpu');
