import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { deviceSuite } from './suite.ts';

const device = await createDevice('reference');
await deviceSuite(t, 'reference', device);
