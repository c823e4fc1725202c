import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { profileSuite } from './profile.ts';

const device = await createDevice('wasm', { threads: 2 });
await profileSuite(t, device);
device.dispose();

await t.test('a device without a clock', async (t) => profileSuite(t, await createDevice('meta')));
