import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { profileSuite } from './profile.ts';

const device = await createDevice('reference');
await profileSuite(t, device);
device.dispose();
