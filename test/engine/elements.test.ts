import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { elementsSuite } from './elements.ts';

for (const name of ['reference', 'wasm'] as const) {
  await t.test(name, async (t) => elementsSuite(t, await createDevice(name)));
}
