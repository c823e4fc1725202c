import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { testIeee } from './ieee.ts';

for (const name of ['reference', 'wasm'] as const) {
  const device = await createDevice(name);
  await t.test(name, (t) => testIeee(t, device));
  device.dispose();
}
