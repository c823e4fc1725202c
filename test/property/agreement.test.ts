// Operations and their gradients on the wasm device against float64, with one thread and with two, which must not change
// a bit.
import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { testProperties } from './agreement.ts';

const devices = [await createDevice('wasm', { threads: 1 }), await createDevice('wasm', { threads: 2 })];
await testProperties(t, devices, 60);
for (const device of devices) device.dispose();
