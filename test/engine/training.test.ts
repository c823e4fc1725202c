import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { trainingSuite } from './training.ts';

for (const name of ['reference', 'wasm'] as const) {
  await t.test(name, async (t) => trainingSuite(t, await createDevice(name)));
}
