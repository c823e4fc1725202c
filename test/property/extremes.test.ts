import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { testExtremes } from './extremes.ts';

for (const name of ['reference', 'wasm'] as const) {
  const device = await createDevice(name);
  await t.test(name, (t) => testExtremes(t, device));
  device.dispose();
}
